"""`qxbatch verify`: checks sessions against their ledgers. It writes nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from qxbatch.commands.chosen_sessions import chosen_sessions
from qxbatch.commands.interruption import run_interruptible
from qxbatch.commands.option_values import threads_of
from qxbatch.core import Monitor
from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.session.layout import LEDGER_AT
from qxbatch.session.paths import SessionPaths
from qxbatch.verification.session import IntegrityCheck, session_checks
from qxbatch.visible import one_line, shell_word
from qxbatch.wrapping import text_width, wrapped


@dataclass(frozen=True)
class Verified:
    """The result for one session."""

    session: str
    """The path of its folder."""
    images: int
    checks: int
    """Number of checks; 0 if the ledger cannot be read."""
    wrong: tuple[str, ...]
    """What is missing or differs; empty: the session is as its ledger says."""
    hint: str = ""
    """What to do about it."""


def run(options: Mapping[str, object]) -> int:
    """Verify the named sessions, or all in a sessions folder; return the exit status. Raises UsageError."""
    results = verify_sessions(chosen_sessions(options["<session>"]), threads_of(options["--n-procs"]))
    print(as_json(results) if options["--json"] else as_text(results), end="")
    return int(ExitStatus.FAILED if any(result.wrong for result in results) else ExitStatus.OK)


def verify_sessions(sessions: Iterable[Path], threads: int) -> list[Verified]:
    """Return the results of the checks of sessions (`session_checks`), in the same order. Raises KeyboardInterrupt on a signal."""
    monitor = Monitor()
    with ThreadPoolExecutor(threads) as pool:
        return run_interruptible(lambda: [_verify(session, pool, monitor) for session in sessions], monitor)


def _verify(session: Path, pool: ThreadPoolExecutor, monitor: Monitor) -> Verified:
    """Return the result of the checks of a session (`session_checks`), which run in the pool."""
    paths = SessionPaths(session)
    images = 0
    try:
        images = len(paths.images())
        checks = session_checks(session, monitor)
    except FileNotFoundError:
        why = f"has no {LEDGER_AT}: another program made it, or it is incomplete; `qxbatch convert` writes one"
        return Verified(str(session), images, 0, (f"{session}: {why}",))
    except (OSError, ValueError) as error:
        return Verified(str(session), images, 0, (error_text(error),))
    wrong = [text for texts in pool.map(_check_result, checks) for text in texts]
    return Verified(str(session), images, len(checks), tuple(wrong), _hint(session, wrong))


def _hint(session: Path, wrong: Sequence[str]) -> str:
    """Return what to do: images can be converted again, other files need a backup or the packet."""
    if not wrong:
        return ""
    if all(text.startswith(f"{SessionPaths(session).nii}/") for text in wrong):
        command = f"qxbatch convert --overwrite {shell_word(str(session))}"
        return f"Take these files from a backup, or convert the images again: {command}"
    return "Take these files from a backup, or import the packet again with --overwrite=yes."


def _check_result(check: IntegrityCheck) -> list[str]:
    try:
        return check()
    except OSError as error:
        return [error_text(error)]


def as_text(results: Sequence[Verified]) -> str:
    """Return the state of each session, what is wrong with it, what to do about it, and how many sessions are intact."""
    lines: list[str] = []
    width = text_width()
    for result in results:
        state = f"{len(result.wrong)} WRONG" if result.wrong else "as its ledger says"
        lines += wrapped(f"{one_line(result.session)}: {counted(result.images, 'image')}, {state}", width, "", "    ")
        for text in result.wrong:
            lines += wrapped(one_line(text), width, "  ", "    ")
        lines += _hint_lines(result.hint, width) if result.hint else []
    intact_count = sum(not result.wrong for result in results)
    return (
        "\n".join(
            [
                *lines,
                f"{intact_count} of {counted(len(results), 'session')} {'is' if len(results) == 1 else 'are'} intact.",
            ]
        )
        + "\n"
    )


def _hint_lines(hint: str, width: int) -> list[str]:
    """Return the lines of a hint. Its command is on a separate line, so that it can be copied."""
    sentence, colon, command = hint.partition(": ")
    if not colon:
        return wrapped(one_line(hint), width, "  ", "    ")
    return [*wrapped(f"{sentence}:", width, "  ", "    "), f"    {one_line(command)}"]


def as_json(results: Sequence[Verified]) -> str:
    """Return one object with all sessions."""
    return json.dumps({"sessions": [asdict(result) for result in results]}, indent=1) + "\n"
