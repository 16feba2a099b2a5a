"""One scenario on disk: the unchanged study, the result of an undisturbed run, and disturbed copies."""

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
MADE = re.compile(
    r"report\.html|study\.(tsv|json)|[^/]+/(session\.txt|qxbatch/.*|nii/.*|dicom/dcm2niix_\d+\.log|dicom/DICOM-Report\.txt)"
)
"""Generated files of a session and of the study level: they are rebuilt, and are not input."""


@dataclass(frozen=True)
class Copy:
    """A copy of the study that a run works on."""

    root: Path
    other: Path | None
    arguments: tuple[str, ...]

    @property
    def sessions(self) -> Path:
        return self.root / "study" / "sessions"

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.root, ignore_errors=True)
        if self.other is not None:
            shutil.rmtree(self.other, ignore_errors=True)


class Stage:
    """A scenario, created once."""

    def __init__(self, scenario: Scenario, base: Path) -> None:
        self.scenario = scenario
        self.seconds = 0.0
        self.base = base
        self.template = base / "template"
        scenario.build(self.template)
        self.inputs = contents.hashes_below(self.template / "study" / "sessions", skip=MADE)
        self.before = {
            p.name for p in (self.template / "study" / "sessions").iterdir() if not (p / "session.txt").exists()
        }
        self.references = [self._reference("reference", 1)]
        if scenario.again:
            self.references.append(self._reference("reference2", 2))
        self.steps = self._count()

    def copy(self, name: str) -> Copy:
        """Return a fresh copy of the study."""
        root = self.base / name
        other = self.scenario.place(self.template, root)
        return Copy(root, other, tuple(self.scenario.arguments(root)))

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
        """Move an archive from another disk to its apparent place, so that trees can be compared."""
        if copy.other is not None:
            link = copy.sessions / "archive"
            link.unlink()
            shutil.copytree(copy.other, link, symlinks=True)
            shutil.rmtree(copy.other)

    def judge_fault(self, copy: Copy) -> list[str]:
        """Return what is wrong right after a fault."""
        return [*self._lost(copy, staging=True), *self._halves(copy), *self._outside(copy), *at_work_below(copy.root)]

    def judge_end(self, copy: Copy) -> list[str]:
        """Return what is wrong once the run reports success."""
        wrong = [*self._lost(copy, staging=False), *self._halves(copy), *self._outside(copy), *at_work_below(copy.root)]
        self._gather(copy)
        wrong += [f"left over: {path}" for path in copy.root.rglob("*") if path.name.startswith(HIDDEN)]
        wrong += [f"left over: {path}" for path in (copy.root / "work").iterdir()]
        return wrong + self._differences(copy)

    def _lost(self, copy: Copy, *, staging: bool) -> list[str]:
        """Every input byte is in a packet, the archive or a session; in staging only while a journal names it."""
        journals = list((copy.sessions / HIDDEN / "journal").glob("*.json"))
        without = () if staging and journals else (HIDDEN,)
        here = contents.hashes_below(copy.sessions, without)
        if copy.other is not None and copy.other.exists():
            here |= contents.hashes_below(copy.other)
        return [f"lost: bytes with hash {digest}" for digest in sorted(self.inputs - here)]

    def _halves(self, copy: Copy) -> list[str]:
        """A folder with session.txt is complete; a folder without one existed before."""
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
        return wrong + ([] if beside == ["outside", "study", "work"] else [f"something was made beside it: {beside}"])

    def _differences(self, copy: Copy) -> list[str]:
        if len(self.references) == 1:
            return differences(self.references[0].sessions, copy.sessions)
        wrong = []
        for name in sorted(p.name for p in self.references[0].sessions.iterdir()):
            if (
                self.references[0].sessions / name
            ).is_file():  # of the study level, which describes all sessions together
                wrong += [] if (copy.sessions / name).is_file() else [f"{name} is absent"]
                continue
            each = [differences(reference.sessions / name, copy.sessions / name) for reference in self.references]
            wrong += [] if any(not found for found in each) else each[0]
        return wrong


def differences(one: Path, other: Path) -> list[str]:
    """Return the output of compare-trees."""
    if not other.is_dir():
        return [f"{other} is absent"]
    done = subprocess.run(
        [sys.executable, COMPARE, "--moved", one, other], capture_output=True, text=True, check=False, errors="replace"
    )
    return done.stdout.splitlines() + done.stderr.splitlines() if done.returncode else []


def environment(root: Path) -> dict[str, str]:
    """Return the environment of a run."""
    paths = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, BELOW: str(root), "PYTHONPATH": os.pathsep.join(p for p in paths if p)}


def command(arguments: Sequence[str], root: Path, **more: str) -> Run:
    """Run the command to its end."""
    return _run("qxbatch", arguments, root, **more)


def victim(step: str, out: Path, copy: Copy, **more: str) -> Run:
    """Run the command with a fault at one of its steps."""
    run = _run("tests.faults.victim", [step, str(out), *copy.arguments], copy.root, **more)
    if step.startswith("KILL"):  # a thread may have forked while the other processes of the tree were killed
        for line in at_work_below(copy.root):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.partition(":")[0]), signal.SIGKILL)
    return run


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
    ends = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < ends:
        time.sleep(0.005)
    kill_tree(process.pid)
    process.wait()
