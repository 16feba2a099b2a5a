"""`qxbatch verify`: checks sessions against their ledgers. It writes nothing."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from qxbatch.core import Monitor
from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.parts.places import chosen_sessions
from qxbatch.parts.threads import threads_of
from qxbatch.session.layout import OWN_LEDGER
from qxbatch.session.paths import SessionPaths
from qxbatch.verification.session import session_checks
from qxbatch.visible import one_line, shell_word
from qxbatch.wrapping import text_width, wrapped


@dataclass(frozen=True)
class Verified:
    """What was found in one session."""

    session: str
    images: int
    checks: int
    wrong: tuple[str, ...]
    hint: str = ""
    """What to do about it."""


def run(options: Mapping[str, object]) -> int:
    """Verify the sessions named, or all in a sessions folder. Raises UsageError."""
    threads = threads_of(options["--n-procs"])
    with ThreadPoolExecutor(threads) as pool:
        found = [verify(path, pool) for path in chosen_sessions(options["<session>"])]
    print(as_json(found) if options["--json"] else as_text(found), end="")
    return int(ExitStatus.FAILED if any(each.wrong for each in found) else ExitStatus.OK)


def verify(session: Path, pool: ThreadPoolExecutor) -> Verified:
    """Check one session folder."""
    paths = SessionPaths(session)
    images = 0
    try:
        images = len(paths.images())
        checks = session_checks(session, Monitor())
    except FileNotFoundError:
        why = f"has no {OWN_LEDGER}: another program made it, or it is incomplete; `qxbatch convert` writes one"
        return Verified(str(session), images, 0, (f"{session}: {why}",))
    except (OSError, ValueError) as error:
        return Verified(str(session), images, 0, (error_text(error),))
    wrong = [text for found in pool.map(_guarded, checks) for text in found]
    return Verified(str(session), images, len(checks), tuple(wrong), _hint(session, wrong))


def _hint(session: Path, wrong: Sequence[str]) -> str:
    """What is made of data can be made again; what came from a packet cannot."""
    if not wrong:
        return ""
    if all(text.startswith(f"{SessionPaths(session).nii}/") for text in wrong):
        command = f"qxbatch convert --overwrite {shell_word(str(session))}"
        return f"Take these files from a backup, or convert the images again: {command}"
    return "Take these files from a backup, or import the packet again with --overwrite=yes."


def _guarded(check: object) -> list[str]:
    try:
        return check()  # type: ignore[operator,no-any-return]
    except OSError as error:
        return [error_text(error)]


def as_text(found: Sequence[Verified]) -> str:
    """Return a line for each session, and one for each thing that is wrong."""
    lines: list[str] = []
    width = text_width()
    for each in found:
        state = f"{len(each.wrong)} WRONG" if each.wrong else "as its ledger says"
        lines += wrapped(f"{one_line(each.session)}: {counted(each.images, 'image')}, {state}", width, "", "    ")
        for text in each.wrong:
            lines += wrapped(one_line(text), width, "  ", "    ")
        lines += _hint_lines(each.hint, width) if each.hint else []
    good = sum(not each.wrong for each in found)
    return (
        "\n".join([*lines, f"{good} of {counted(len(found), 'session')} {'is' if len(found) == 1 else 'are'} whole."])
        + "\n"
    )


def _hint_lines(hint: str, width: int) -> list[str]:
    """Return a hint in lines; its command stays on one, so that it can be copied."""
    sentence, colon, command = hint.partition(": ")
    if not colon:
        return wrapped(one_line(hint), width, "  ", "    ")
    return [*wrapped(f"{sentence}:", width, "  ", "    "), f"    {one_line(command)}"]


def as_json(found: Sequence[Verified]) -> str:
    """Return one object with all sessions."""
    return json.dumps({"sessions": [asdict(each) for each in found]}, indent=1) + "\n"
