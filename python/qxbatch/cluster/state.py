"""The state of a unit of a submission: a small JSON file that is replaced as a whole."""

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from qxbatch.publish.below import opened_below
from qxbatch.publish.open_folders import OpenFolder, opened_in
from qxbatch.publish.plain_files import MOST_BYTES_IN_MEMORY, is_plain_name, parse_json_object, refuse_link
from qxbatch.textfile import naming_path

FOLDER_SIZE = 1000
"""Maximum number of state files in one folder."""

MAX_REASON_LENGTH = 2000
"""Maximum number of characters of a reason in a state file."""
MAX_BYTES = MOST_BYTES_IN_MEMORY
"""Maximum size of a state file. It names all packets of its unit, which can be thousands of loose files."""


class ImportState(StrEnum):
    """Whether the import of a unit waits, runs, or has a result.

    LOST is never written to a state file; it follows from the queue of the scheduler.
    """

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"


FINAL = (ImportState.DONE, ImportState.FAILED)
"""The states of an import with a result."""


class UnitState(NamedTuple):
    """The content of the state file of a unit: its packets (those of one session), and how far their import is."""

    number: int
    """The number of the unit in its submission, from 0."""
    name: str
    """The name of the unit: its session id, or the name of a refused packet without one. The key in the file is `unit`."""
    packets: tuple[str, ...]
    """Names of the packets in the inbox; in folder mode (`--masterinbox=none`), the name of the session folder."""
    size: int
    """Bytes of the packets."""
    state: ImportState = ImportState.WAITING
    reason: str = ""
    attempts: int = 0
    """Number of imports that were started."""
    published: bool = False
    """Whether its session was written; one of its series may have failed."""
    seconds: float = 0.0
    """Duration of its import."""
    series: int = 0
    images: int = 0
    """Images of the imported session; like `series`, 0 if the session existed before."""
    problem: Mapping[str, str] | None = None
    """The first error, as in the summary of a session (`problem_value`), for the page of the study."""


def state_path(folder: Path, number: int) -> Path:
    """Return the path of a state file below a submission's folder of states.

    >>> state_path(Path("states"), 12345).as_posix()
    'states/0012/12345.json'
    """
    return folder / _relative_path(number)


def _relative_path(number: int) -> str:
    return f"{number // FOLDER_SIZE:04d}/{number}.json"


def as_text(state: UnitState) -> str:
    """Return the content of a state file. Empty fields are left out, except the reason; a long reason is cut."""
    value = {_key(name): value for name, value in state._asdict().items() if value or name in ("number", "size")}
    return json.dumps({**value, "reason": state.reason[:MAX_REASON_LENGTH]})


def _text_to_write(state: UnitState) -> str:
    """Return the content of a state file. Raises OSError, without a path, if it is longer than what is read."""
    text = as_text(state)
    if len(text) > MAX_BYTES:
        count = len(state.packets)
        raise OSError(
            errno.EFBIG, f"names {count} packets of {state.name}, too many for a file of {MAX_BYTES >> 20} MiB"
        )
    return text


def _key(name: str) -> str:
    """Return the key in a state file for a field of UnitState."""
    return "unit" if name == "name" else name


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "number": int,
    "unit": str,
    "packets": list,
    "size": int,
    "state": str,
    "reason": str,
    "attempts": int,
    "published": bool,
    "seconds": (int, float),
    "series": int,
    "images": int,
    "problem": (dict, type(None)),
}
_MAX_NUMBER = 10**18
"""Numbers in a state file are smaller."""


def state_of_text(text: bytes) -> UnitState:
    """Return the state in a state file. Raises ValueError if it is invalid."""
    value = parse_json_object(text)
    values = {name: value[_key(name)] for name in UnitState._fields if _key(name) in value}
    wrong = [_key(name) for name, each in values.items() if not _is_valid(_key(name), each)]
    missing = [key for key in ("number", "unit", "packets", "size", "state") if key not in value]
    if wrong or missing:
        raise ValueError(f"is not a state of a unit: {', '.join(wrong or missing)}")
    if not all(map(_is_name, (value["unit"], *value["packets"]))):
        raise ValueError("names a path")
    return UnitState(**{**values, "packets": tuple(value["packets"]), "state": ImportState(value["state"])})


def _is_valid(key: str, value: object) -> bool:
    expected = _TYPES[key]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        return False
    if isinstance(value, int | float):
        return 0 <= value < _MAX_NUMBER
    return not isinstance(value, dict) or all(isinstance(each, str) for each in value.values())


def _is_name(name: object) -> bool:
    """Return whether a file can have this name. Raises ValueError for text that cannot be encoded."""
    return is_plain_name(name) and os.fsencode(str(name)) != b""


def possible_numbers(folder: Path, below: int) -> Iterator[int]:
    """Yield the numbers less than `below` whose state files may exist, in ascending order. Raises OSError."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names
    except (FileNotFoundError, NotADirectoryError):
        return
    for k in sorted(int(name) for name in names if re.fullmatch(r"[0-9]{4}", name)):
        yield from range(k * FOLDER_SIZE, min((k + 1) * FOLDER_SIZE, below))


def read_state(folder: Path, number: int) -> UnitState:
    """Return the state of a unit. Raises OSError, ValueError."""
    path = state_path(folder, number)
    refuse_link(path.parent)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            if os.fstat(descriptor).st_size > MAX_BYTES:
                raise ValueError(f"is longer than {MAX_BYTES >> 20} MiB")
            state = state_of_text(file.readall() or b"")
    finally:
        os.close(descriptor)
    if state.number != number:
        raise ValueError(f"{_relative_path(number)} is of another unit")
    return state


def write_state(folder: Path, state: UnitState, top: Path) -> None:
    """Replace a state file. Raises OSError, and LinkError if a folder below `top` is a link.

    The file is not synced: after a crash of the file server, a unit may have an older state. Then its import is repeated; if the
    session exists, that changes nothing, except with --overwrite.
    """
    place = state_path(folder, state.number)
    with opened_below(place.parent, top) as opened:
        path = opened.descriptor_path / place.name
        temporary = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
        try:
            with naming_path(path), temporary.open("x", encoding="ascii") as file:
                file.write(_text_to_write(state))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_new_states(folder: OpenFolder, states: list[UnitState]) -> None:
    """Write the states of a new submission into its folder of states. Raises LinkError, and OSError, also if a file exists."""
    for parent, group in groupby(states, lambda state: _relative_path(state.number).partition("/")[0]):
        with opened_in(folder, (parent,), create=True) as opened:
            for state in group:
                path = opened.descriptor_path / f"{state.number}.json"
                with naming_path(path), path.open("x", encoding="ascii") as file:
                    file.write(_text_to_write(state))
