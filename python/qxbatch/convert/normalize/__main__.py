"""`python -m qxbatch.convert.normalize FOLDER COPIES OUT FLAG ...`: rewrites a series, then runs dcm2niix on each stack.

FOLDER has the files of the series, the rewritten copies are written to the new folder COPIES and the images to OUT; the FLAGs are
passed to dcm2niix. A stack is the copies that form one image.

It runs as a separate process: damaged files cannot hang or fill the parent process, and it is stopped together with its
converter. `$QXBATCH_DCM2NIIX` names the program.
"""

import io
import json
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.model import CopiedStack
from qxbatch.convert.normalize.names import PROGRAM_VARIABLE, STACKS_FILE, stack_name

NOT_NORMALIZED = 65
"""Exit status for a series that cannot be rewritten (EX_DATAERR of sysexits)."""
_SOME_FAILED, _INCOMPLETE = 8, 10
"""Exit statuses of dcm2niix: some files failed, incomplete volumes found."""
_USABLE = (0, _INCOMPLETE, _SOME_FAILED)
"""Exit statuses of dcm2niix with usable output, the most serious last."""
_LEAST_TILT, _LEAST_SHIFT = 1e-4, 1e-3
"""Smaller rotations (rad) and movements (mm) are not printed."""
_BASE_MEMORY = 2 << 30
"""Bytes of memory for each series, whatever its size: a small object with deflated or compressed pixels can expand to many."""
_MEMORY_PER_BYTE = 4
"""Additional bytes of memory for each byte of the series."""


def main(arguments: Sequence[str]) -> int:
    """Rewrite and convert a series; return dcm2niix's most serious exit status, or 65 after printing why it cannot be rewritten."""
    from qxbatch.convert.normalize.copies import write_normalized_copies

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files and dcm2niix's messages may contain any bytes
    logging.getLogger("pydicom").setLevel(logging.ERROR)
    folder, copies, out = map(Path, arguments[:3])
    copies.mkdir()
    try:
        with _bounded_memory(folder):
            stacks = write_normalized_copies(folder, copies)
    except CannotNormalizeError as error:
        print(f"Error: the series cannot be normalized: {error}.")
        return NOT_NORMALIZED
    except Exception as error:  # noqa: BLE001  damaged values raise any of pydicom's and numpy's exceptions
        print(f"Error: the series cannot be normalized: {type(error).__name__}: {error}.")
        return NOT_NORMALIZED
    _print_stacks(stacks)
    (copies.parent / STACKS_FILE).write_text(json.dumps([stack.suffix for stack in stacks]), encoding="ascii")
    return _most_serious_status([_convert(stack, k, out, arguments[3:]) for k, stack in enumerate(stacks, start=1)])


@contextmanager
def _bounded_memory(folder: Path) -> Iterator[None]:
    """Limit the address space of this process in the block; dcm2niix, which runs later, is not limited."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    previous = resource.getrlimit(resource.RLIMIT_AS)
    limit = _BASE_MEMORY + _MEMORY_PER_BYTE * size
    if previous[0] == resource.RLIM_INFINITY or previous[0] > limit:
        resource.setrlimit(resource.RLIMIT_AS, (limit, previous[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, previous)


def _print_stacks(stacks: Sequence[CopiedStack]) -> None:
    print(f"The input was normalized: {sum(len(stack.sources) for stack in stacks)} images in {len(stacks)} stack(s).")
    for stack in stacks:
        notes = [
            f"{' x '.join(map(str, stack.shape))}",
            "slices of a partial volume" if stack.is_incomplete else "",
            f"orientations turned by up to {stack.tilt:.4f} rad" if stack.tilt >= _LEAST_TILT else "",
            f"slices moved by up to {stack.shift:.3f} mm" if stack.shift >= _LEAST_SHIFT else "",
        ]
        print(f"  {stack.folder.name}: {', '.join(filter(None, notes))}")


def _convert(stack: CopiedStack, k: int, out: Path, flags: Sequence[str]) -> int:
    """Run dcm2niix on one stack and print its output.

    `Found` is printed as `found`: run_qa of QuNex reads the number of files of a series from a line with `Found`.
    """
    program = os.environ[PROGRAM_VARIABLE]
    options = [*flags, "-f", stack_name(k), "-o", str(out), str(stack.folder)]
    print(f"{Path(program).name} {' '.join(options)}", flush=True)
    process = subprocess.run([program, *options], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    for line in (process.stdout + process.stderr).decode("utf-8", "surrogateescape").splitlines():
        print(f"  {line.replace('Found ', 'found ', 1)}")
    print(f"  exit status: {process.returncode}", flush=True)
    if process.returncode in _USABLE:
        _write_tables(stack, k, out)
    return process.returncode


def _write_tables(stack: CopiedStack, k: int, out: Path) -> None:
    """Write the tables of b-values and directions of one stack, if the headers of its frames give them."""
    from qxbatch.convert.normalize.weightings import write_tables

    try:
        write_tables(out, stack_name(k), stack.weightings)
    except ValueError as error:  # the image itself is judged later
        print(f"  Error: no table of b-values was written: {error}.", flush=True)


def _most_serious_status(statuses: Sequence[int]) -> int:
    """Return the first status without usable output; if there is none, the most serious one."""
    failed = [status for status in statuses if status not in _USABLE]
    return failed[0] if failed else max(statuses, key=_USABLE.index)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
