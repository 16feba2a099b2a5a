"""No sequence of runs over a study loses a byte, in inbox mode, in folder mode and with `sort` and `convert`.

`python -m tests.test_sequences FIRST COUNT` tries more seeds than the test suite.
"""

import contextlib
import gzip
import io
import random
import sys
import tempfile
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_folder, write_packet, zipped
from tests.build.parrec import ParRec
from tests.build.study import Study
from tests.faults.contents import hashes_below
from tests.faults.stage import GENERATED

SESSIONS = ("S1", "S2")
OPTIONS = {
    "archive": ("move", "copy", "leave", "delete"),
    "on-mixed": ("reject", "merge", "split"),
    "gzip": ("folder", "file", "no"),
    "overwrite": ("yes", "no"),
    "unzip": ("yes", "yes", "no"),
    "join-series": ("auto", "auto", "never"),
}
KINDS = (Kind.ZIP, Kind.TAR, Kind.TAR_GZ)


class Sequence:
    """A study that is filled and processed at random."""

    def __init__(self, root: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.study = Study(root)
        self.history: list[str] = []
        self.inputs: set[str] = set()

    def series(self) -> dict[str, bytes]:
        choice = self.random.choice
        series = MrSeries(
            number=choice([1, 2, 3, 3, None, 0]),
            patient=choice(["P1"] * 8 + ["P2", ""]),
            study=choice(["s1"] * 5 + ["s2"]),
            key=choice([""] * 4 + ["other"]),
            slices=choice([1, 2, 3]),
        )
        if self.random.random() < 0.3:
            series = series.with_(key=choice("abc"), changes={"AcquisitionNumber": choice([1, 2, 3])})
        if self.random.random() < 0.15:
            series = series.with_(changes={"ImageComments": choice("abc")})
        files = series.files()
        if self.random.random() < 0.2:
            return {f"{name}.dcm.gz": gzip.compress(data, mtime=0) for name, data in files.items()}
        return files

    def tree(self) -> dict[str, bytes]:
        tree: dict[str, bytes] = {}
        for k in range(self.random.randint(0, 3)):
            folder, what = self.random.choice(["", "a/", "a/b/", "x y/"]), self.random.random()
            if what < 0.6:
                files = {f"{k}_{name}": data for name, data in self.series().items()}
            elif what < 0.75:
                files = ParRec(acquisition=self.random.choice([1, 2]), volumes=self.random.choice([1, 2])).files(
                    f"p{k}"
                )
            elif what < 0.9:
                name = self.random.choice(["README", "notes.txt", "scan.log", "tab\tname"])
                files = {name: self.random.choice([b"one", b"two"])}
            else:
                files = {f"list{k}.xlsx": zipped({"x.xml": self.random.choice([b"<a/>", b"<b/>"])})}
            tree |= {f"{folder}{name}": data for name, data in files.items()}
        return tree

    def put(self) -> None:
        """Put a packet or files into the master inbox or into the inbox of a session."""
        tree, kind = self.tree(), self.random.choice(KINDS)
        session = self.random.choice(SESSIONS)
        if self.random.random() < 0.35:
            folder, name = self.study.inbox, session
        else:
            folder, name = self.study.session(session) / "inbox", self.random.choice(["p", "q"])
        if self.random.random() < 0.5 and folder != self.study.inbox:
            taken = {
                path for path in tree if any((folder / part).is_file() for part in (Path(path), *Path(path).parents))
            }
            write_folder({path: data for path, data in tree.items() if path not in taken}, folder)
            self.history.append(f"loose in {session}: {sorted(tree)}")
        elif tree and not (folder / f"{name}{kind.value}").exists():
            write_packet(tree, folder, name, kind)
            self.history.append(f"{folder.name}/{name}{kind.value} for {session}: {sorted(tree)}")

    def words(self) -> list[str]:
        """Return the arguments of a run of a random kind."""
        options = [f"--{name}={self.random.choice(values)}" for name, values in OPTIONS.items()]
        sessions = [path for path in sorted(self.study.sessions.iterdir()) if path.name.startswith("S")]
        kind = self.random.choice(["inbox", "folder", "folder", "sort", "convert"])
        if kind == "inbox" or not sessions:
            return [str(self.study.sessions), "--on-same-session=merge", *options]
        if kind == "folder":
            return [str(self.study.sessions), "--masterinbox=none", "--sessions=S*", *options]
        return [kind, str(self.random.choice(sessions)), *(options if kind == "sort" else options[1:])]

    def step(self) -> None:
        """Add input, run once, and check the result."""
        self.put()
        self.put()
        self.inputs |= hashes_below(self.study.sessions, skip=GENERATED)
        words = [*self.words(), "--check=no"]
        status, text = run_quietly(words)
        self.history.append(f"{' '.join(words)}: {status}\n{text}")
        assert status in (0, 1)
        assert "internal" not in text
        assert "differ from the packet" not in text
        assert self.inputs <= hashes_below(self.study.sessions), "bytes are lost"
        assert not list(self.study.sessions.glob(".qxbatch*"))
        for ledger in sorted(self.study.sessions.glob("*/qxbatch/ledger.tsv")):
            assert run_quietly(["verify", str(ledger.parent.parent)])[0] == 0, ledger
            rows = [tuple(line.split("\t")[:3:2]) for line in ledger.read_text(encoding="utf-8").splitlines()]
            assert len(rows) == len(set(rows)), "a member is listed twice"


def run_quietly(words: list[str]) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = main(words)
    return status, out.getvalue()


def run_sequence(root: Path, seed: int) -> None:
    """Run one sequence; the message of a failure contains its history."""
    sequence = Sequence(root, seed)
    try:
        for _ in range(sequence.random.randint(3, 6)):
            sequence.step()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}\n" + "\n".join(sequence.history)) from error


@pytest.mark.parametrize("seed", range(8))
def test_no_sequence_of_runs_loses_a_byte(seed: int, tmp_path: Path) -> None:
    run_sequence(tmp_path, seed)


if __name__ == "__main__":
    for number in range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2])):
        with tempfile.TemporaryDirectory(prefix="qx-sequence-") as place:
            run_sequence(Path(place), number)
    print(f"{sys.argv[2]} sequences: nothing lost")
