"""Fuzzes the readers that are Python: python -m tests.fuzz [--executions N] [--seed S] [par|logfile|config ...]

The exit status is 1 when a promise was broken; the inputs are then written, and `--replay FILE` runs one again.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import Find, fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000_000, help="of each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", type=Path, help="one input, for one target")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], default=[])
    asked = parser.parse_args()
    names = asked.targets or list(TARGETS)
    if asked.replay:
        TARGETS[names[0]].body(asked.replay.read_bytes())
        return 0
    bad = 0
    for name in names:
        found = fuzz(TARGETS[name], asked.executions, asked.seed)
        print(f"{name}: {found.executions} executions in {found.seconds:.0f} s, {len(found.finds)} finds", flush=True)
        for find in found.finds:
            print(told(name, find))
        bad += len(found.finds)
    return int(bad > 0)


def told(name: str, find: Find) -> str:
    """Write the input, and say how to run it again."""
    with tempfile.NamedTemporaryFile(prefix=f"qx-find-{name}-", delete=False) as file:
        file.write(find.data)
    return f"  {find.what}\n  python -m tests.fuzz --replay {file.name} {name}"


if __name__ == "__main__":
    sys.exit(main())
