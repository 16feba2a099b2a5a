"""`python -m qxbatch.convert.normalize FOLDER COPIES FLAG ...`: rewrite a series, then run dcm2niix on the copies.

A process of its own: damaged files can neither hang nor fill the one that starts it, and it ends with its converter. The
program is the one that `$QXBATCH_DCM2NIIX` names.
"""

import json
import logging
import os
import sys
from pathlib import Path

from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.model import Stack

PROGRAM = "QXBATCH_DCM2NIIX"
STACKS = "stacks.json"
NOT_NORMALIZED = 65
"""Exit status for a series that cannot be rewritten (EX_DATAERR of sysexits)."""


def main(arguments: list[str]) -> int:
    """Rewrite the series and become dcm2niix; return an exit status and print the reason when it cannot be rewritten."""
    from qxbatch.convert.normalize.copies import normalized_copies

    logging.getLogger("pydicom").setLevel(logging.ERROR)
    folder, copies, flags = Path(arguments[0]), Path(arguments[1]), arguments[2:]
    copies.mkdir()
    try:
        stacks = normalized_copies(folder, copies)
    except CannotNormalizeError as error:
        print(f"Error: the series cannot be normalized: {error}.")
        return NOT_NORMALIZED
    _record(stacks, copies.parent / STACKS)
    program = os.environ[PROGRAM]
    print(f"$ {Path(program).name} {' '.join(flags)} {copies}", flush=True)
    return os.execv(program, [program, *flags, str(copies)])


def _record(stacks: tuple[Stack, ...], path: Path) -> None:
    """Print the stacks, and write what the outputs are named by."""
    print(f"The input was normalized: {sum(len(stack.sources) for stack in stacks)} images in {len(stacks)} stack(s).")
    for stack in stacks:
        moved = f", orientation changed by {stack.tilt:.4f} rad" if stack.tilt else ""
        moved += f", position by {stack.shift:.3f} mm" if stack.shift else ""
        part = ", slices of an incomplete volume" if stack.incomplete else ""
        print(f"  {stack.folder.name}: {' x '.join(map(str, stack.shape))}{part}{moved}")
    path.write_text(json.dumps([[stack.series_uid, stack.suffix] for stack in stacks]), encoding="ascii")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
