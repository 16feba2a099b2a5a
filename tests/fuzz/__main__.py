"""Fuzzes the Python parsers: python -m tests.fuzz [--executions N] [--seed S] [par|logfile|config ...]

The exit status is 1 if an invariant is broken; the inputs are written to files, and `--replay FILE` runs one again.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import Find, fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Fuzz the targets of the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000_000, help="executions of each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", type=Path, help="a file with one input, for one target")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], default=[])
    arguments = parser.parse_args()
    names = arguments.targets or list(TARGETS)
    if arguments.replay:
        TARGETS[names[0]].body(arguments.replay.read_bytes())
        return 0
    bad = 0
    for name in names:
        result = fuzz(TARGETS[name], arguments.executions, arguments.seed)
        print(
            f"{name}: {result.executions} executions in {result.seconds:.0f} s, {len(result.finds)} finds", flush=True
        )
        for find in result.finds:
            print(saved(name, find))
        bad += len(result.finds)
    return int(bad > 0)


def saved(name: str, find: Find) -> str:
    """Write the input of a find to a file; return its description and the command that replays it."""
    with tempfile.NamedTemporaryFile(prefix=f"qx-find-{name}-", delete=False) as file:
        file.write(find.data)
    return f"  {find.what}\n  python -m tests.fuzz --replay {file.name} {name}"


if __name__ == "__main__":
    sys.exit(main())
