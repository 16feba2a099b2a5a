"""The long run: python -m tests.faults [--runs N] [--seed N] [--only NAME] [--keep] [--every] [--faults A,B]

Each run of a scenario has one fault: the command is killed, or gets a signal or an error, at one of its steps or after a
random time. Then the files are checked, the command runs again without a fault, and its result is compared with that of an
undisturbed run. --every kills at each step of the scenarios, and ignores --runs and --faults, which chooses some of FAULTS.
--keep keeps the files of runs after which something is wrong.
"""

import argparse
import collections
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.scenarios import scenarios
from tests.faults.stage import Stage, command, killed_after, victim
from tests.faults.victim import START

FAULTS = ("KILL", "KILL", "KILL", "twice", "time", "INT", "TERM", "alone", "FULL", "EIO")
"""Faults of tests.faults.victim; `time` kills after a random time, `twice` also kills the next run."""
STOPPED = {"KILL": (-9, 0), "twice": (-9, 0), "alone": (-9, 0), "INT": (130, 0), "TERM": (130, 0)}
"""Expected exit statuses of a stopped run; 0 if the step is not reached."""
ERRORS = (0, 1, 73)
"""Allowed exit statuses after an error: 1; 73 before any work; 0 if the run does not need what failed."""
NO_CONVERTER = 69
"""Exit status if the converter does not run: allowed only if the fault is the start of a process."""


def main() -> int:
    """Run the scenarios; return 0 if nothing is lost, mixed or unexplained, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--faults", type=lambda text: text.split(","), default=FAULTS)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    base = Path(tempfile.mkdtemp(prefix="qx-faults-"))
    chosen = [s for s in scenarios() if arguments.only in s.name]
    counts: collections.Counter[str] = collections.Counter()
    bad = 0
    count = -(-arguments.runs // len(chosen))
    for scenario in chosen:
        stage = Stage(scenario, base / scenario.name)
        for k, (fault, step) in enumerate(plan(stage, count, rng, every=arguments.every, faults=arguments.faults)):
            wrong = run_with_fault(stage, f"run{k}", fault, step, keep=arguments.keep)
            counts[fault] += 1
            bad += bool(wrong)
            for line in wrong[:8]:
                print(f"{scenario.name} {fault}@{step} {description(stage, fault, step)}: {line}", flush=True)
        if not arguments.keep:
            shutil.rmtree(base / scenario.name)
        print(f"{scenario.name}: {k + 1} runs, {len(stage.steps)} steps", flush=True)
    total = sum(counts.values())
    print(f"{total} runs in {len(chosen)} scenarios ({dict(counts)}): {bad} with something lost, mixed or unexplained")
    if not arguments.keep:
        shutil.rmtree(base)
    return int(bad > 0)


def plan(
    stage: Stage, runs: int, rng: random.Random, *, every: bool, faults: Sequence[str] = FAULTS
) -> list[tuple[str, float]]:
    """Return faults, each with its step (`time`: seconds): spread over all steps, every second one at a step that publishes."""
    if every:
        return [("KILL", step) for step in range(1, len(stage.steps) + 1)]
    planned: list[tuple[str, float]] = []
    for k in range(runs):
        fault = rng.choice(faults)
        if fault == "time":
            planned.append((fault, rng.uniform(0.1, 1.1 * stage.seconds)))
        elif k % 2:
            planned.append((fault, rng.choice(publishing(stage.steps))))
        else:
            low, high = k * len(stage.steps) // runs, (k + 1) * len(stage.steps) // runs
            planned.append((fault, rng.randint(low + 1, max(low + 1, high))))
    return planned


def publishing(steps: list[str]) -> list[int]:
    """Return the numbers of the steps that change more than a build: journal, exchange, inbox, archive; 1 without such a step."""
    outside = [k for k, step in enumerate(steps, start=1) if "/scratch" not in step and step.startswith("os.")]
    return [k for k in outside if "/build/" not in steps[k - 1] or steps[k - 1].startswith("os.rename")] or [1]


def description(stage: Stage, fault: str, step: float) -> str:
    """Return the text of a step; empty for a fault without a step, and for a step that does not exist."""
    return stage.steps[int(step) - 1] if fault != "time" and int(step) <= len(stage.steps) else ""


def errors(fault: str, step: int, steps: Path) -> tuple[int, ...]:
    """Return the allowed exit statuses of a run with a failed step; the file `steps` lists the steps of that run."""
    if fault != "EIO":
        return ERRORS
    taken = steps.read_text(encoding="utf-8").splitlines()  # threads may take them in a different order
    return (*ERRORS, NO_CONVERTER) if taken[step - 1 : step] == [START] else ERRORS


def run_with_fault(stage: Stage, name: str, fault: str, step: float, *, keep: bool = False) -> list[str]:
    """Inject one fault; return what is wrong after it, and after the run that follows."""
    copy = stage.copy(name)
    wrong = []
    if fault == "time":
        killed_after(step, copy)
    else:
        out = stage.base / "steps.now"
        run = victim(f"{'KILL' if fault == 'twice' else fault}@{int(step)}", out, copy)
        if run.status not in STOPPED.get(fault, errors(fault, int(step), out)):
            wrong.append(f"exit status {run.status}: {run.text[-600:]}")
        if "Traceback" in run.text or "internal error" in run.text:
            wrong.append(run.text[-1500:])
    if fault == "twice":  # the recovering run is killed as well
        wrong += [f"after the fault: {line}" for line in stage.judge_fault(copy)]
        victim(f"KILL@{1 + int(step) % 40}", stage.base / "steps.now", copy)
    if fault == "alone":
        time.sleep(0.3)  # a converter that was not killed ends by itself
    wrong += [f"after the fault: {line}" for line in stage.judge_fault(copy)]
    again = command(copy.arguments, copy.root)
    if again.status != 0 or "Traceback" in again.text:
        wrong.append(f"the rerun's exit status is {again.status}: {again.text[-800:]}")
    wrong += [f"after the rerun: {line}" for line in stage.judge_end(copy)]
    if not (wrong and keep):
        copy.remove()
    return wrong


if __name__ == "__main__":
    sys.exit(main())
