"""The long test: python -m tests.cluster [--packets N] [--simulate N] [--overhead] [--limits N]

Real packets are imported with a real Slurm while tasks are cancelled, the daemon of a node is killed, a task reaches its time
limit, the controller is restarted, and two submissions run at the same time. After `resume`, every good packet must be imported
exactly once, and every bad packet must have failed with its reason. --simulate submits many packets whose tasks only write
state files, --overhead compares the CPU time of jobs with that of an import without a scheduler, --limits measures what grows
with the number of packets and sessions. The figures in docs/scaling.md are printed by this program.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.build.study import Study
from tests.build.terminal import Gate
from tests.cluster.limits import limits
from tests.cluster.overhead import overhead
from tests.cluster.simulation import simulate
from tests.cluster.slurm import Slurm, missing, running
from tests.cluster.submitted import Submitted

SPEC = "SLURM,minutes=0.2,mem=300M"
"""The cluster options: about six small packets for each task."""
MOST_RESUMES = 5
"""The maximum number of resumes that may be needed."""


def main() -> int:
    """Run the chosen test and return 0, or 69 without Slurm. A lost packet, or one imported twice, raises AssertionError."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=200)
    parser.add_argument("--simulate", type=int, default=0)
    parser.add_argument("--overhead", action="store_true")
    parser.add_argument("--limits", type=int, default=0)
    arguments = parser.parse_args()
    why = missing()
    if why:
        print(f"Slurm cannot run here: {why}", file=sys.stderr)
        return 69
    with tempfile.TemporaryDirectory(prefix="qx-cluster-") as name:
        folder = Path(name)
        if arguments.overhead or arguments.limits:
            figures = overhead(folder) if arguments.overhead else limits(folder, arguments.limits)
            print("\n".join(f"{key}: {value}" for key, value in figures.items()))
            return 0
        (folder / "slurm").mkdir()
        with running(folder / "slurm") as slurm:
            if arguments.simulate:
                print(
                    "\n".join(
                        f"{key}: {value:.2f}"
                        for key, value in simulate(folder / "many", slurm, arguments.simulate).items()
                    )
                )
            else:
                faults(folder, slurm, arguments.packets)
    return 0


def faults(folder: Path, slurm: Slurm, packets: int) -> None:
    """Import while faults happen, resume, and check the result."""
    began = time.monotonic()
    submitted = Submitted(Study(folder), slurm)
    submitted.put(packets - packets // 20 - 1, bad=packets // 20)
    gate = submit_beyond_time_limit(folder, submitted, packets)
    stopped = slurm.running_tasks()
    words = [sys.executable, "-m", "qxbatch", str(submitted.study.sessions), f"--scheduler={SPEC}"]
    env = {**os.environ, **submitted.env}
    processes = [subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL) for _ in (1, 2)]
    print(f"two submissions at the same time: exit statuses {sorted(each.wait(300) for each in processes)}", flush=True)
    submitted.until(lambda states: "done" in states.values())
    cancelled = [task for task in slurm.running_tasks() if task not in stopped]
    slurm.call("scancel", *cancelled)
    print(f"cancelled: {len(cancelled)} tasks", flush=True)
    while not set(slurm.running_tasks()).difference(stopped, cancelled):
        time.sleep(0.05)
    slurm.kill_node(2)
    print("killed: the daemon of a node", flush=True)
    slurm.stop_controller()
    states = Counter(each["state"] for each in submitted.jobs().values())
    print(f"without the controller, `jobs` says: {dict(states)}", flush=True)
    slurm.start_controller()
    print("restarted: the controller", flush=True)
    time.sleep(8)  # longer than SlurmdTimeout: the node counts as down
    slurm.start_node(2)
    slurm.wait_for_jobs(1200)
    gate.open()
    print(f"before the first resume: {dict(Counter(submitted.states().values()))}", flush=True)
    for k in range(1, MOST_RESUMES + 1):
        run = submitted.call("resume")
        assert run.status == 0, run.text
        if "There is nothing to resume" in run.out:
            break
        slurm.wait_for_jobs(1200)
        print(f"after resume {k}: {dict(Counter(submitted.states().values()))}", flush=True)
    submitted.check()
    states = Counter(submitted.states().values())
    twice = sum(count > 1 for count in submitted.published().values())
    seconds = time.monotonic() - began
    print(
        f"packets {packets}, done {states['done']}, failed {states['failed']}, lost {states['lost']}, twice {twice}, "
    )
    print(f"{seconds:.0f} s in all, with three virtual nodes on {os.cpu_count()} CPUs")


def submit_beyond_time_limit(folder: Path, submitted: Submitted, number: int) -> Gate:
    """Submit a packet whose worker is stopped, so that its job reaches the time limit; return the gate of its converter."""
    gate = Gate(folder / "gate")
    env, submitted.env = submitted.env, {**submitted.env, **gate.env}
    submitted.put(1, first=number)
    run = submitted.submit(f"--sessions=S{number:03}", spec=f"{SPEC},time=1")
    assert run.status == 0, run.text
    submitted.until(lambda states: states.get(f"S{number:03}.zip") == "running")
    stopped = [
        process
        for path in Path("/proc").iterdir()
        if path.name.isdecimal() and is_worker(process := int(path.name), submitted)
    ]
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    print(f"stopped: {len(stopped)} worker, whose job will be killed at its time limit", flush=True)
    submitted.env = env
    return gate


def is_worker(process: int, submitted: Submitted) -> bool:
    """Return whether a process is a worker in this study."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"worker" in words and os.fsencode(submitted.study.sessions) in words


if __name__ == "__main__":
    raise SystemExit(main())
