"""`qxbatch inspect`: what was planned and what was scanned, of packets and of sessions. Nothing is imported or converted."""

import os
from collections.abc import Mapping
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.parts.inspect_look import look
from qxbatch.parts.inspect_room import interruptible, room_of, say
from qxbatch.parts.inspect_table import as_json, as_table
from qxbatch.problems import UsageError
from qxbatch.visible import one_line


def run(options: Mapping[str, object]) -> int:
    """Print facts and verdicts, or store those of sessions. Raises UsageError."""
    room = room_of(options)
    paths = paths_of(options["<path>"])
    if options["--update"]:
        from qxbatch.parts.inspect_update import update_sessions

        return update_sessions(paths, options, room)
    if options["--json"] and options["--wide"]:
        raise UsageError("--json has all facts: --wide is for the table.", "Give one of them.")
    found = interruptible(lambda: [each for path in paths for each in look(path, room)], room.monitor)
    print(as_json(found) if options["--json"] else as_table(found, wide=bool(options["--wide"])), end="")
    say(problem for each in found for problem in each.problems)
    if any(each.problems for each in found):
        return int(ExitStatus.FAILED)
    if not any(each.series for each in found):
        say([f"{one_line(str(path))}: there is no DICOM and no PAR/REC" for path in paths])
        return int(ExitStatus.NOTHING_READY)
    return int(ExitStatus.OK)


def paths_of(given: object) -> list[Path]:
    """Return the absolute paths that were named. Raises UsageError when one does not exist."""
    assert isinstance(given, list)
    paths = [Path(os.path.abspath(str(name))) for name in given]  # noqa: PTH100 - links in a session's path stay
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path} does not exist.", "Name folders, archives or sessions.")
    return list(dict.fromkeys(paths))
