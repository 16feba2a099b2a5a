"""A study whose import is submitted to Slurm, and a check of its result."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.build.dicom import MrSeries
from tests.build.packets import zipped
from tests.build.study import Run, Study, run_command
from tests.cluster.slurm import Slurm

SPEC = "SLURM,minutes=0.02,mem=300M"
"""One small packet for each task."""
PUBLISHED = re.compile(r"(?m)^\[\d+/\d+\] (?:.* -> )?(\S+): \d+ series, ")
LONGEST = 120.0
"""Maximum seconds to wait for states."""


class Submitted:
    """A study on a cluster."""

    def __init__(self, study: Study, slurm: Slurm, env: Mapping[str, str] | None = None) -> None:
        self.study = study
        self.slurm = slurm
        self.env = {**slurm.env, **(env or {})}
        self.good: dict[str, str] = {}
        """Hash of each good packet by file name."""
        self.bad: set[str] = set()

    def put(self, count: int, bad: int = 0, first: int = 1) -> None:
        """Put `count` small packets into the inbox, and `bad` truncated ones after them; `first` is the number of the first."""
        for k in range(first, first + count):
            data = packet(k)
            name = f"S{k:03}.zip"
            self.study.put_bytes(name, data)
            self.good[name] = hashlib.sha256(data).hexdigest()
        for k in range(first + count, first + count + bad):
            name = f"S{k:03}.zip"
            self.study.put_bytes(name, packet(k)[:-300])
            self.bad.add(name)

    def submit(self, *options: str, spec: str = SPEC) -> Run:
        """Submit the import."""
        return self.study.run(f"--scheduler={spec}", *options, env=self.env)

    def call(self, command: str, *options: str) -> Run:
        """Call `qxbatch jobs`, `resume` or `cancel`."""
        return run_command(command, str(self.study.sessions), *options, env=self.env)

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the entries of `qxbatch jobs --json` by packet."""
        run = self.call("jobs", "--json")
        assert run.status in (0, 1), run.text
        return {each["packet"]: each for each in json.loads(run.out)["packets"]}

    def states(self) -> dict[str, str]:
        """Return the state of each packet."""
        return {packet: each["state"] for packet, each in self.jobs().items()}

    def until(self, is_true: Callable[[dict[str, str]], bool], seconds: float = LONGEST) -> dict[str, str]:
        """Wait until a condition on the states is true; return the states."""
        deadline = time.monotonic() + seconds
        while not is_true(states := self.states()):
            assert time.monotonic() < deadline, (
                f"the states are not reached within {seconds:.0f} s: {self.jobs()}\n"
                f"{self.slurm.unfinished_tasks()}\n{self.logs()}"
            )
            time.sleep(0.1)
        return states

    def logs(self) -> str:
        """Return the logs of all tasks."""
        paths = sorted((self.study.sessions / ".qxbatch" / "jobs").glob("*/logs/*/*.log"))
        return "\n".join(path.read_text(errors="replace") for path in paths)

    def published(self) -> dict[str, int]:
        """Return how often each session was published according to the logs."""
        counted: dict[str, int] = {}
        for session in PUBLISHED.findall(self.logs()):
            counted[session] = counted.get(session, 0) + 1
        return counted

    def check(self) -> None:
        """Assert that each good packet was imported exactly once and each bad one failed with its reason."""
        jobs = self.jobs()
        assert {name for name, each in jobs.items() if each["state"] == "done"} == set(self.good)
        failed = {name: each["reason"] for name, each in jobs.items() if each["state"] == "failed"}
        assert set(failed) == self.bad
        assert all("cut short" in reason or "damaged" in reason for reason in failed.values()), failed
        archived = {path.name: path.read_bytes() for path in self.study.archive.iterdir()}
        assert {name: hashlib.sha256(data).hexdigest() for name, data in archived.items()} == self.good
        assert {path.name for path in self.study.inbox.iterdir()} == self.bad
        sessions = {Path(name).stem for name in self.good}
        assert set(self.study.session_names()) == sessions
        assert {name: count for name, count in self.published().items() if count != 1} == {}
        workspace = self.study.sessions / ".qxbatch"
        remaining = [path for path in sorted(workspace.rglob("*")) if workspace / "jobs" not in (path, *path.parents)]
        assert remaining == [], remaining
        assert run_command("verify", str(self.study.sessions)).status == 0


def packet(number: int) -> bytes:
    """Return a small packet of one patient."""
    return zipped(MrSeries(patient=f"P{number:03}", name=f"Doe^{number:03}", study=f"study {number}").files())
