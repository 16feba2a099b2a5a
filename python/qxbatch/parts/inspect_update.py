"""`qxbatch inspect --update`: the facts of sessions that have none, or older ones, by the DICOM that is sorted in them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.parts.inspect_held import cannot_write, held
from qxbatch.parts.inspect_room import Room, interruptible, say
from qxbatch.parts.inspect_session import images_by_series, sorted_series
from qxbatch.parts.inspect_stored import changed_texts
from qxbatch.parts.places import chosen_sessions
from qxbatch.publish.durable import make_folder, replaced_text
from qxbatch.publish.plain import refuse_link
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import DICOM, OWN_SUMMARY
from qxbatch.session.summary import SummaryError
from qxbatch.visible import one_line


@dataclass(frozen=True)
class Updated:
    """What became of one session."""

    session: Path
    series: int = 0
    written: tuple[str, ...] = ()
    """Files that were written, or would be."""
    problems: tuple[str, ...] = ()
    held: bool = False


def update_sessions(paths: Sequence[Path], options: Mapping[str, object], room: Room) -> int:
    """Store the facts of sessions; return the exit status. Raises UsageError."""
    test = str(options["--test"] or "no").casefold() in ("yes", "true")
    sessions = chosen_sessions([str(path) for path in paths])
    done = interruptible(lambda: [_update(session, room, test=test) for session in sessions], room.monitor)
    _report(done, options, test=test)
    if done and all(each.held for each in done):
        return int(ExitStatus.HELD)
    return int(ExitStatus.FAILED if any(each.problems or each.held for each in done) else ExitStatus.OK)


def _report(done: Sequence[Updated], options: Mapping[str, object], *, test: bool) -> None:
    if options["--json"]:
        content = [{**vars(each), "session": str(each.session)} for each in done]
        print(json.dumps({"sessions": content, "test": test}, indent=1))
    else:
        for each in done:
            if each.series:
                files = ", ".join(each.written)
                verb = "would write" if test else "wrote"
                state = f"{verb} {files}" if files else "its facts are up to date"
                print(f"{one_line(str(each.session))}: {each.series} series, {state}")
    say(f"{each.session}: is held by another run, and left to it" for each in done if each.held)
    say(problem for each in done for problem in each.problems)


def _update(session: Path, room: Room, *, test: bool) -> Updated:
    """Store the facts of one session while no other run works on it."""
    try:
        if test:
            return _write(session, room, test=True)
        with held(session) as why:
            if why is not None:
                return Updated(session, problems=(why,) if why else (), held=not why)
            return _write(session, room, test=False)
    except SummaryError as error:
        return Updated(session, problems=(str(error),))
    except OSError as error:
        return Updated(session, problems=(error_text(error, session),))


def _write(session: Path, room: Room, *, test: bool) -> Updated:
    folder = SessionFolder(session)
    found = sorted_series(session, room, images_by_series(folder))
    if not found.series:
        return Updated(session, problems=found.problems or (f"{session}: nothing is sorted in its {DICOM}",))
    numbers = {series.n for series in found.series}
    missing = tuple(
        f"{session}: series {series.n} is in {OWN_SUMMARY}, but not in {DICOM}: its facts stay as they are"
        for series in folder.series
        if series.n not in numbers
    )
    written = []
    for path, text in changed_texts(folder, found.series).items():
        written.append(path.relative_to(session).as_posix())
        if not test:
            refuse_link(path.parent)
            _replace(path, text)
    return Updated(session, len(found.series), tuple(written), (*found.problems, *missing))


def _replace(path: Path, text: str) -> None:
    try:
        make_folder(path.parent)
        replaced_text(path, text)
    except OSError as error:
        raise cannot_write(error) from None
