"""Sessions with archives of one name, and runs that are disturbed during their import."""

import os
import subprocess
import sys
from pathlib import Path

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, write_folder
from tests.build.study import TIME_LIMIT, Study, snapshot
from tests.faults.victim import BELOW

NONE = ("--masterinbox=none", "--sessions=S*")


def fill(study: Study, count: int = 3) -> dict[str, str]:
    """Fill the inboxes of sessions with one archive each, all of one name; return the expected hash of each archived name.

    The last archive is the largest, so it is imported first.
    """
    for k in range(1, count + 1):
        folder = study.session(f"S{k}") / "inbox"
        folder.mkdir(parents=True)
        (folder / "scan.zip").write_bytes(packed(MrSeries(patient=f"P{k}", slices=2 + k).files(), Kind.ZIP))
    before = [snapshot(study.session(f"S{k}") / "inbox")["scan.zip"] for k in range(1, count + 1)]
    return {f"scan{f'_{k}' * (k > 1)}.zip": digest for k, digest in enumerate(before, start=1)}


def fill_with_one_that_stays(study: Study) -> dict[str, str]:
    """Do the same, but S1 is the largest, and its archive contains no images: it is kept in place, and its number stays unused."""
    wanted = fill(study)
    inbox = study.session("S1") / "inbox"
    (inbox / "scan.zip").write_bytes(packed({"words": b"no images"}, Kind.ZIP))
    write_folder(MrSeries(slices=20).files(), inbox)
    del wanted["scan.zip"]
    return wanted


def words(study: Study, *more: str) -> list[str]:
    """Return the command's arguments for one session after the other."""
    return [str(study.sessions), *NONE, "--check=no", "--n-procs=1", *more]


def disturbed(study: Study, fault: str, steps: Path, *more: str) -> int:
    """Run with a fault right before a step (tests.faults.victim); `{}` in it is the sessions folder. Return the status."""
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.victim", fault.format(study.sessions), str(steps), *words(study, *more)],
        env={**os.environ, BELOW: str(study.sessions)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        timeout=TIME_LIMIT,
    ).returncode
