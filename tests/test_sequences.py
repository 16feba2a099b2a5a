"""Any sequence of runs over a study, in both modes and with the parts: no byte that came in is ever lost.

`python -m tests.test_sequences FIRST COUNT` tries more than the suite does.
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
from tests.faults.stage import MADE

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
    """A study that is filled and worked on at random."""

    def __init__(self, root: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.study = Study(root)
        self.told: list[str] = []
        self.inputs: set[str] = set()

    def series(self) -> dict[str, bytes]:
        choice = self.chance.choice
        series = MrSeries(
            number=choice([1, 2, 3, 3, None, 0]),
            patient=choice(["P1"] * 8 + ["P2", ""]),
            study=choice(["s1"] * 5 + ["s2"]),
            key=choice([""] * 4 + ["other"]),
            slices=choice([1, 2, 3]),
        )
        if self.chance.random() < 0.3:
            series = series.with_(key=choice("abc"), changes={"AcquisitionNumber": choice([1, 2, 3])})
        if self.chance.random() < 0.15:
            series = series.with_(changes={"ImageComments": choice("abc")})
        files = series.files()
        if self.chance.random() < 0.2:
            return {f"{name}.dcm.gz": gzip.compress(data, mtime=0) for name, data in files.items()}
        return files

    def tree(self) -> dict[str, bytes]:
        tree: dict[str, bytes] = {}
        for k in range(self.chance.randint(0, 3)):
            folder, what = self.chance.choice(["", "a/", "a/b/", "x y/"]), self.chance.random()
            if what < 0.6:
                files = {f"{k}_{name}": data for name, data in self.series().items()}
            elif what < 0.75:
                files = ParRec(acquisition=self.chance.choice([1, 2]), volumes=self.chance.choice([1, 2])).files(
                    f"p{k}"
                )
            elif what < 0.9:
                name = self.chance.choice(["README", "notes.txt", "scan.log", "tab\tname"])
                files = {name: self.chance.choice([b"one", b"two"])}
            else:
                files = {f"list{k}.xlsx": zipped({"x.xml": self.chance.choice([b"<a/>", b"<b/>"])})}
            tree |= {f"{folder}{name}": data for name, data in files.items()}
        return tree

    def put(self) -> None:
        """Put something into the master inbox, or into a session's own."""
        tree, kind = self.tree(), self.chance.choice(KINDS)
        session = self.chance.choice(SESSIONS)
        if self.chance.random() < 0.35:
            folder, name = self.study.inbox, session
        else:
            folder, name = self.study.session(session) / "inbox", self.chance.choice(["p", "q"])
        if self.chance.random() < 0.5 and folder != self.study.inbox:
            taken = {
                path for path in tree if any((folder / part).is_file() for part in (Path(path), *Path(path).parents))
            }
            write_folder({path: data for path, data in tree.items() if path not in taken}, folder)
            self.told.append(f"loose in {session}: {sorted(tree)}")
        elif tree and not (folder / f"{name}{kind.value}").exists():
            write_packet(tree, folder, name, kind)
            self.told.append(f"{folder.name}/{name}{kind.value} for {session}: {sorted(tree)}")

    def words(self) -> list[str]:
        """Return the words of a run, of one kind or another."""
        options = [f"--{name}={self.chance.choice(values)}" for name, values in OPTIONS.items()]
        have = [path for path in sorted(self.study.sessions.iterdir()) if path.name.startswith("S")]
        kind = self.chance.choice(["inbox", "folder", "folder", "sort", "convert"])
        if kind == "inbox" or not have:
            return [str(self.study.sessions), "--on-same-session=merge", *options]
        if kind == "folder":
            return [str(self.study.sessions), "--masterinbox=none", "--sessions=S*", *options]
        return [kind, str(self.chance.choice(have)), *(options if kind == "sort" else options[1:])]

    def step(self) -> None:
        """Fill and run once, and judge what is there then."""
        self.put()
        self.put()
        self.inputs |= hashes_below(self.study.sessions, skip=MADE)
        words = [*self.words(), "--check=no"]
        status, text = called(words)
        self.told.append(f"{' '.join(words)}: {status}\n{text}")
        assert status in (0, 1)
        assert "internal" not in text
        assert "not what was read" not in text
        assert self.inputs <= hashes_below(self.study.sessions), "lost"
        assert not list(self.study.sessions.glob(".qxbatch*"))
        for ledger in sorted(self.study.sessions.glob("*/qxbatch/ledger.tsv")):
            assert called(["verify", str(ledger.parent.parent)])[0] == 0, ledger
            rows = [tuple(line.split("\t")[:3:2]) for line in ledger.read_text(encoding="utf-8").splitlines()]
            assert len(rows) == len(set(rows)), "a member stands twice"


def called(words: list[str]) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = main(words)
    return status, out.getvalue()


def tried(root: Path, seed: int) -> None:
    """Try one sequence; what was done stands in the message when something does not hold."""
    sequence = Sequence(root, seed)
    try:
        for _ in range(sequence.chance.randint(3, 6)):
            sequence.step()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}\n" + "\n".join(sequence.told)) from error


@pytest.mark.parametrize("seed", range(8))
def test_no_sequence_of_runs_loses_a_byte(seed: int, tmp_path: Path) -> None:
    tried(tmp_path, seed)


if __name__ == "__main__":
    for number in range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2])):
        with tempfile.TemporaryDirectory(prefix="qx-sequence-") as place:
            tried(Path(place), number)
    print(f"{sys.argv[2]} sequences: nothing lost")
