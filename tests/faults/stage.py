"""One scenario on disk: the unchanged study, the result of an undisturbed run, and copies for runs with a fault."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.build.command_server import run_module
from tests.build.study import TIME_LIMIT, Run, snapshot
from tests.faults import contents
from tests.faults.processes import at_work_below, kill_tree
from tests.faults.scenarios import Scenario
from tests.faults.victim import BELOW

REPOSITORY = Path(__file__).resolve().parents[2]
COMPARE = REPOSITORY / "scripts" / "compare-trees"
HIDDEN = ".qxbatch"
GENERATED = re.compile(
    r"report\.html|study\.(tsv|json)|[^/]+/(session\.txt|qxbatch/.*|nii/.*|dicom/dcm2niix_\d+\.log|dicom/DICOM-Report\.txt)"
)
"""Generated files of a session and of the study level: they are rebuilt, and are not input."""


@dataclass(frozen=True)
class Copy:
    """A copy of the study that a run works on."""

    root: Path
    other_disk: Path | None
    """The archive, if it is on another disk."""
    arguments: tuple[str, ...]

    @property
    def sessions(self) -> Path:
        return self.root / "study" / "sessions"

    def remove(self) -> None:
        """Remove the copy and its archive on another disk."""
        shutil.rmtree(self.root, ignore_errors=True)
        if self.other_disk is not None:
            shutil.rmtree(self.other_disk, ignore_errors=True)


class Stage:
    """A scenario that is built once and copied for each run."""

    def __init__(self, scenario: Scenario, base: Path) -> None:
        self.scenario = scenario
        self.seconds = 0.0
        """Duration of an undisturbed run."""
        self.base = base
        self.template = base / "template"
        scenario.build(self.template)
        self.inputs = contents.hashes_below(self.template / "study" / "sessions", skip=GENERATED)
        self.before = {
            p.name for p in (self.template / "study" / "sessions").iterdir() if not (p / "session.txt").exists()
        }
        """Names in the sessions folder before the run, without sessions."""
        self.references = [self._reference("reference", 1)]
        if scenario.again:
            self.references.append(self._reference("reference2", 2))
        self.steps = self._count()

    def copy(self, name: str) -> Copy:
        """Return a fresh copy of the study."""
        root = self.base / name
        other_disk = self.scenario.copy(self.template, root)
        return Copy(root, other_disk, tuple(self.scenario.arguments(root)))

    def _reference(self, name: str, runs: int) -> Copy:
        copy = self.copy(name)
        started = time.monotonic()
        for _ in range(runs):
            run = command(copy.arguments, copy.root)
            if run.status != 0:
                raise AssertionError(f"{self.scenario.name}: the undisturbed run failed: {run.text}")
        self.seconds = (time.monotonic() - started) / runs
        self._gather(copy)
        return copy

    def _count(self) -> list[str]:
        copy = self.copy("count")
        out = self.base / "steps"
        run = victim("count", out, copy)
        assert run.status == 0, run.text
        copy.remove()
        return out.read_text(encoding="utf-8").splitlines()

    def _gather(self, copy: Copy) -> None:
        """Replace the link to an archive on another disk by this archive, so that trees can be compared."""
        if copy.other_disk is not None:
            link = copy.sessions / "archive"
            link.unlink()
            shutil.copytree(copy.other_disk, link, symlinks=True)
            shutil.rmtree(copy.other_disk)

    def judge_fault(self, copy: Copy) -> list[str]:
        """Return what is wrong right after a fault."""
        return [*self._lost(copy, staging=True), *self._halves(copy), *self._outside(copy), *at_work_below(copy.root)]

    def judge_end(self, copy: Copy) -> list[str]:
        """Return what is wrong after the run that follows a fault has succeeded."""
        wrong = [*self._lost(copy, staging=False), *self._halves(copy), *self._outside(copy), *at_work_below(copy.root)]
        self._gather(copy)
        wrong += [f"left over: {path}" for path in copy.root.rglob("*") if path.name.startswith(HIDDEN)]
        wrong += [f"left over: {path}" for path in (copy.root / "work").iterdir()]
        return wrong + self._differences(copy)

    def _lost(self, copy: Copy, *, staging: bool) -> list[str]:
        """Return the inputs that are in no packet, archive or session; with `staging` and a journal, .qxbatch counts as well."""
        journals = list((copy.sessions / HIDDEN / "journal").glob("*.json"))
        without = () if staging and journals else (HIDDEN,)
        here = contents.hashes_below(copy.sessions, without)
        if copy.other_disk is not None and copy.other_disk.exists():
            here |= contents.hashes_below(copy.other_disk)
        return [f"lost: bytes with hash {digest}" for digest in sorted(self.inputs - here)]

    def _halves(self, copy: Copy) -> list[str]:
        """Return which folders with a session.txt are not complete, and which new folders have none and no journal."""
        from qxbatch.core import Monitor
        from qxbatch.verification.session import session_checks

        wrong = []
        for folder in sorted(copy.sessions.iterdir()):
            if folder.name in ("inbox", "archive", HIDDEN) or not folder.is_dir():
                continue
            if (folder / "session.txt").exists():
                wrong += [f"{folder.name}: {text}" for check in session_checks(folder, Monitor()) for text in check()]
            elif folder.name not in self.before and not (copy.sessions / HIDDEN / "journal").exists():
                wrong.append(f"half a session is visible: {folder.name}")
        return wrong

    def _outside(self, copy: Copy) -> list[str]:
        same = snapshot(copy.root / "outside") == snapshot(self.template / "outside")
        beside = sorted(path.name for path in copy.root.iterdir())
        wrong = [] if same else ["something outside the study was changed"]
        return wrong + (
            [] if beside == ["outside", "study", "work"] else [f"something was created beside the study: {beside}"]
        )

    def _differences(self, copy: Copy) -> list[str]:
        if len(self.references) == 1:
            return differences(self.references[0].sessions, copy.sessions)
        wrong = []
        for name in sorted(p.name for p in self.references[0].sessions.iterdir()):
            # Files of the study level describe all sessions together.
            if (self.references[0].sessions / name).is_file():
                wrong += [] if (copy.sessions / name).is_file() else [f"{name} is absent"]
                continue
            by_reference = [
                differences(reference.sessions / name, copy.sessions / name) for reference in self.references
            ]
            wrong += [] if [] in by_reference else by_reference[0]
        return wrong


def differences(expected: Path, actual: Path) -> list[str]:
    """Return the lines of compare-trees about two folders; none if they are equal."""
    if not actual.is_dir():
        return [f"{actual} is absent"]
    process = subprocess.run(
        [sys.executable, COMPARE, "--moved", expected, actual],
        capture_output=True,
        text=True,
        check=False,
        errors="replace",
    )
    return process.stdout.splitlines() + process.stderr.splitlines() if process.returncode else []


def environment(root: Path) -> dict[str, str]:
    """Return the environment of a run."""
    paths = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, BELOW: str(root), "PYTHONPATH": os.pathsep.join(p for p in paths if p)}


def command(arguments: Sequence[str], root: Path, **more: str) -> Run:
    """Run the command to its end."""
    return _run("qxbatch", arguments, root, **more)


def victim(fault: str, out: Path, copy: Copy, **more: str) -> Run:
    """Run the command with a fault, as tests.faults.victim reads it; `more` are variables of its environment."""
    run = _run("tests.faults.victim", [fault, str(out), *copy.arguments], copy.root, **more)
    if fault.startswith("KILL"):
        _kill_at_work(copy.root)
    return run


def _kill_at_work(root: Path) -> None:
    """Kill processes that the killed ones started meanwhile, as a thread may do while the others of its tree are killed."""
    for seconds in (0.05, 0.0):  # a child is recognised by its folder HOME only when it executes its program
        for line in at_work_below(root):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.partition(":")[0]), signal.SIGKILL)
        time.sleep(seconds)


def _run(module: str, words: Sequence[str], root: Path, **more: str) -> Run:
    return Run(*run_module(module, words, environment(root) | more, root, TIME_LIMIT))


def killed_after(seconds: float, copy: Copy) -> None:
    """Run the command, and kill its whole process tree after this many seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "qxbatch", *copy.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(copy.root),
        cwd=copy.root,
    )
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    kill_tree(process.pid)
    process.wait()
    _kill_at_work(copy.root)
