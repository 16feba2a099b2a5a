"""Folder mode with archives of the same name in several sessions, and runs with a fault during their import."""

import os
import subprocess
import sys
from pathlib import Path

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, write_folder
from tests.build.study import TIME_LIMIT, Study, snapshot
from tests.faults.victim import BELOW

FOLDER_MODE = ("--masterinbox=none", "--sessions=S*")


def fill(study: Study, count: int = 3) -> dict[str, str]:
    """Fill the inboxes of sessions with one archive each, all with the same name; return the expected archive: hash by name.

    The last archive is the largest, so it is imported first.
    """
    for k in range(1, count + 1):
        folder = study.session(f"S{k}") / "inbox"
        folder.mkdir(parents=True)
        (folder / "scan.zip").write_bytes(packed(MrSeries(patient=f"P{k}", slices=2 + k).files(), Kind.ZIP))
    before = [snapshot(study.session(f"S{k}") / "inbox")["scan.zip"] for k in range(1, count + 1)]
    return {f"scan{f'_{k}' * (k > 1)}.zip": digest for k, digest in enumerate(before, start=1)}


def fill_with_an_archive_that_stays(study: Study) -> dict[str, str]:
    """Do the same, but the archive of S1, now the largest session, contains no images: it stays, and its number stays unused."""
    expected = fill(study)
    inbox = study.session("S1") / "inbox"
    (inbox / "scan.zip").write_bytes(packed({"notes": b"no images"}, Kind.ZIP))
    write_folder(MrSeries(slices=20).files(), inbox)
    del expected["scan.zip"]
    return expected


def arguments(study: Study, *more: str) -> list[str]:
    """Return the arguments of a run that imports one session after the other."""
    return [str(study.sessions), *FOLDER_MODE, "--check=no", "--n-procs=1", *more]


def status_with_fault(study: Study, fault: str, steps: Path, *more: str) -> int:
    """Run with a fault (tests.faults.victim), in which `{}` is the sessions folder; return the exit status."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.faults.victim",
            fault.format(study.sessions),
            str(steps),
            *arguments(study, *more),
        ],
        env={**os.environ, BELOW: str(study.sessions)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        timeout=TIME_LIMIT,
    ).returncode
