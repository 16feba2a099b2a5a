"""Studies for faults: inbox and folder mode, every archive mode, existing sessions, an archive on another disk."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.build.dicom import MrSeries
from tests.build.other_disk import disk_other_than, has_other_disk
from tests.build.packets import Kind, Tree, packed, read_tree, under, write_folder
from tests.build.parrec import ParRec
from tests.build.study import Study, run_command
from tests.conftest import MISSING, data_folder

T1 = MrSeries(number=3, description="T1w", slices=3)
BOLD = MrSeries(number=4, description="BOLD", slices=3, volumes=2)
OLD = MrSeries(number=9, description="scout", slices=2)


@dataclass(frozen=True)
class Scenario:
    """A study folder before the run, and the run's arguments."""

    name: str
    fill: Callable[[Study], None]
    args: tuple[str, ...] = ()
    other_disk: bool = False
    """Whether `archive` is on another file system."""
    work_dir: bool = False
    """Whether small files are outside of the sessions folder."""
    again: bool = False
    """Whether a second undisturbed run gives another result, which is also correct: it rebuilds the sessions that the first
    run completed.
    """

    def build(self, root: Path) -> None:
        """Create the study below `root`."""
        study = Study(root)
        outside = root / "outside"
        outside.mkdir()
        (outside / "precious").write_text("not ours\n")
        self.fill(study)

    def copy(self, template: Path, root: Path) -> Path | None:
        """Copy the study from `template` to `root` with its times; return the archive on another disk, or None."""
        shutil.copytree(template, root, symlinks=True)
        (root / "work").mkdir()
        if not self.other_disk:
            return None
        other = Path(tempfile.mkdtemp(prefix="qx-faults-", dir=disk_other_than(root)))
        archive = root / "study" / "sessions" / "archive"
        if archive.exists():
            shutil.copytree(archive, other, dirs_exist_ok=True)
            shutil.rmtree(archive)
        archive.symlink_to(other)
        return other

    def arguments(self, root: Path) -> list[str]:
        """Return the command's arguments."""
        extra = [f"--work-dir={root / 'work'}"] if self.work_dir else []
        return [str(root / "study" / "sessions"), "--check=no", *self.args, *extra]


def several_packets(study: Study) -> None:
    """A zip with an archive inside, a folder, and a tar.gz with a PAR/REC pair."""
    study.put("S1", {**under("T1", T1.files()), "more.zip": packed(BOLD.files(), Kind.ZIP), "notes/README": b"S1\n"})
    study.put("S2", {**under("a", T1.with_(patient="P2").files()), "log.txt": b"S2\n"}, Kind.FOLDER)
    study.put("S3", {**ParRec(acquisition=7, volumes=2).files("scans/epi"), "README": b"S3\n"}, Kind.TAR_GZ)


def one_packet(study: Study) -> None:
    """One small folder."""
    study.put("S1", {**under("T1", T1.files()), "README": b"S1\n"}, Kind.FOLDER)


def packets_and_sessions(study: Study) -> None:
    """The same packets; S1 has a session with other data, and S2 a folder of a later step."""
    study.put("S1", {**under("old", OLD.files()), **under("T1", T1.files()), "old/README": b"older\n"})
    _must(study, "--archive=delete")
    for path, text in {"S1/hcp/keep": "hcp\n", "S1/inbox/by_hand": "mine\n", "S2/4dfp/keep": "4dfp\n"}.items():
        (study.sessions / path).parent.mkdir(parents=True, exist_ok=True)
        (study.sessions / path).write_text(text)
    several_packets(study)


def session_folders(study: Study) -> None:
    """Folder mode: loose files and archives."""
    inbox = study.session("S1") / "inbox"
    write_folder({**under("deep/T1", T1.files()), "deep/README": b"S1\n", "loose.txt": b"loose\n"}, inbox)
    (inbox / "scan.zip").write_bytes(packed({**BOLD.files(), "README": b"in the zip\n"}, Kind.ZIP))
    inbox = study.session("S2") / "inbox"
    write_folder(ParRec(acquisition=7, volumes=2).files("epi"), inbox)
    (inbox / "other.zip").write_bytes(packed(T1.with_(patient="P2").files(), Kind.ZIP))


def session_folders_again(study: Study) -> None:
    """Folder mode over sessions that have results, with new data in one of them."""
    session_folders(study)
    _must(study, "--masterinbox=none", "--sessions=S*", "--archive=delete")
    write_folder(under("late", OLD.files()), study.session("S1") / "inbox")
    (study.session("S1") / "hcp").mkdir()
    (study.session("S1") / "hcp" / "keep").write_text("hcp\n")


def session_folders_with_one_archive_name(study: Study) -> None:
    """Folder mode: archives with the same name in several sessions; the last one is the largest and is imported first."""
    for k in (1, 2, 3):
        inbox = study.session(f"S{k}") / "inbox"
        write_folder({"README": b"%d" % k}, inbox)
        (inbox / "scan.zip").write_bytes(packed(T1.with_(patient=f"P{k}", slices=2 + k).files(), Kind.ZIP))


def two_patients(study: Study) -> None:
    """A packet that is split, and another one."""
    both: Tree = {**under("a", T1.files()), **under("b", BOLD.with_(patient="P777").files()), "b/README": b"b\n"}
    study.put("S1", both)
    study.put("S2", T1.with_(patient="P2").files(), Kind.TAR_GZ)


def real_packets(study: Study) -> None:
    """Two studies of two makers as a zip, an enhanced one as a tar.xz, and PAR/REC beside DICOM as a folder."""
    data = data_folder()
    if data is None:
        raise AssertionError(MISSING)
    study.put("S1", read_tree(data / "dcm_qa_nih" / "In"), Kind.ZIP)
    study.put("S2", read_tree(data / "dcm_qa_xa30i"), Kind.TAR_XZ)
    study.put("S3", read_tree(data / "nitest-balls1"), Kind.FOLDER)


def _must(study: Study, *args: str) -> None:
    run = run_command(str(study.sessions), *args)
    if run.status != 0:
        raise AssertionError(run.text)


def scenarios() -> list[Scenario]:
    """Return the scenarios that this machine supports."""
    modes = ("move", "copy", "leave", "delete")
    folder_mode = ("--masterinbox=none", "--sessions=S*")
    result = [Scenario(f"inbox-{m}", several_packets, (f"--archive={m}",)) for m in modes]
    result += [Scenario(f"overwrite-{m}", packets_and_sessions, (f"--archive={m}", "--overwrite=yes")) for m in modes]
    result += [Scenario(f"folder-{m}", session_folders, (*folder_mode, f"--archive={m}")) for m in modes]
    result += [
        Scenario(f"again-{m}", session_folders_again, (*folder_mode, f"--archive={m}", "--overwrite=yes"), again=True)
        for m in ("move", "delete")
    ]
    result += [
        Scenario(f"same-name-{m}", session_folders_with_one_archive_name, (*folder_mode, f"--archive={m}"))
        for m in ("move", "copy")
    ]
    result.append(Scenario("split", two_patients, ("--on-mixed=split",)))
    result.append(Scenario("plain", several_packets, ("--gzip=no",)))
    result.append(Scenario("work-dir", several_packets, work_dir=True))
    if data_folder() is not None:
        result.append(Scenario("real", real_packets))
    if has_other_disk():
        result.append(Scenario("disk-move", several_packets, ("--archive=move",), other_disk=True))
        result.append(Scenario("disk-copy", several_packets, ("--archive=copy",), other_disk=True))
        result.append(Scenario("disk-overwrite", packets_and_sessions, ("--overwrite=yes",), other_disk=True))
        result.append(Scenario("disk-folder", session_folders, folder_mode, other_disk=True))
    return result
