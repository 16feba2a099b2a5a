"""The long form: python -m tests.faults [--runs N] [--seed N] [--only NAME] [--keep] [--every] [--deeds A,B]

Each run kills the command in one of the scenarios (at one of its steps, or after a random time), checks what is left, runs
it again without a fault, and compares. --every uses every step of the scenarios in turn instead of random ones, --deeds
only some of the faults (docs/guarantees.md).
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

DEEDS = ("KILL", "KILL", "KILL", "twice", "time", "INT", "TERM", "alone", "FULL", "EIO")
ENDS = {"KILL": (-9, 0), "twice": (-9, 0), "alone": (-9, 0), "INT": (130, 0), "TERM": (130, 0)}
"""Expected exit statuses; 0 if the step was not reached."""
ERRORS = (0, 1, 73)
"""A run with an error exits with 1; before any work with 73."""
NO_CONVERTER = 69
"""Message if even the converter's version is unknown: expected only if a process could not be started."""


def main() -> int:
    """Run; exit status 0 when nothing was lost, mixed or unexplained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--deeds", type=lambda text: text.split(","), default=DEEDS)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    base = Path(tempfile.mkdtemp(prefix="qx-faults-"))
    chosen = [s for s in scenarios() if asked.only in s.name]
    counts: collections.Counter[str] = collections.Counter()
    bad = 0
    count = -(-asked.runs // len(chosen))
    for scenario in chosen:
        stage = Stage(scenario, base / scenario.name)
        for k, (deed, step) in enumerate(plan(stage, count, chance, every=asked.every, deeds=asked.deeds)):
            wrong = one(stage, f"run{k}", deed, step, keep=asked.keep)
            counts[deed] += 1
            bad += bool(wrong)
            for line in wrong[:8]:
                print(f"{scenario.name} {deed}@{step} {description(stage, deed, step)}: {line}", flush=True)
        if not asked.keep:
            shutil.rmtree(base / scenario.name)
        print(f"{scenario.name}: {k + 1} runs, {len(stage.steps)} steps", flush=True)
    total = sum(counts.values())
    print(f"{total} runs in {len(chosen)} scenarios ({dict(counts)}): {bad} with something lost, mixed or unexplained")
    if not asked.keep:
        shutil.rmtree(base)
    return int(bad > 0)


def plan(
    stage: Stage, runs: int, chance: random.Random, *, every: bool, deeds: Sequence[str] = DEEDS
) -> list[tuple[str, float]]:
    """Return the faults to inject: spread over all steps and over time, every second one while a session is published."""
    if every:
        return [("KILL", step) for step in range(1, len(stage.steps) + 1)]
    found: list[tuple[str, float]] = []
    for k in range(runs):
        deed = chance.choice(deeds)
        if deed == "time":
            found.append((deed, chance.uniform(0.1, 1.1 * stage.seconds)))
        elif k % 2:
            found.append((deed, chance.choice(publishing(stage.steps))))
        else:
            low, high = k * len(stage.steps) // runs, (k + 1) * len(stage.steps) // runs
            found.append((deed, chance.randint(low + 1, max(low + 1, high))))
    return found


def publishing(steps: list[str]) -> list[int]:
    """Return the steps with effects that others can see: journal, exchange, replaced parts, the inbox, the archive."""
    seen = [k for k, step in enumerate(steps, start=1) if "/scratch" not in step and step.startswith("os.")]
    return [k for k in seen if "/build/" not in steps[k - 1] or steps[k - 1].startswith("os.rename")] or [1]


def description(stage: Stage, deed: str, step: float) -> str:
    """Return a description of the step."""
    return stage.steps[int(step) - 1] if deed != "time" and int(step) <= len(stage.steps) else ""


def errors(deed: str, step: int, steps: Path) -> tuple[int, ...]:
    """Return the allowed exit statuses of a run with a failed step; `steps` has those that the run really took."""
    if deed != "EIO":
        return ERRORS
    taken = steps.read_text(encoding="utf-8").splitlines()  # threads may take them in a different order
    return (*ERRORS, NO_CONVERTER) if taken[step - 1 : step] == [START] else ERRORS


def one(stage: Stage, name: str, deed: str, step: float, *, keep: bool = False) -> list[str]:
    """Inject one fault; return what is wrong after it, and after the run that follows."""
    copy = stage.copy(name)
    wrong = []
    if deed == "time":
        killed_after(step, copy)
    else:
        out = stage.base / "steps.now"
        run = victim(f"{'KILL' if deed == 'twice' else deed}@{int(step)}", out, copy)
        if run.status not in ENDS.get(deed, errors(deed, int(step), out)):
            wrong.append(f"exit status {run.status}: {run.text[-600:]}")
        if "Traceback" in run.text or "internal error" in run.text:
            wrong.append(run.text[-1500:])
    if deed == "twice":  # the recovering run is killed as well
        wrong += [f"after the fault: {line}" for line in stage.judge_fault(copy)]
        victim(f"KILL@{1 + int(step) % 40}", stage.base / "steps.now", copy)
    if deed == "alone":
        time.sleep(0.3)  # a leftover converter ends by itself
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
