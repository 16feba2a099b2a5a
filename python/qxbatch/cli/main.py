"""The command `qxbatch`: the first word chooses the grammar; results, wrong requests and interrupts become exit statuses."""

import errno
import sys
from collections.abc import Sequence

QUNEX_NAMES = ("import_dicom", "import-dicom")
"""The import's name in QuNex, in two spellings. It is ignored as the first word, so that a call of QuNex works unchanged."""

HELP_ALL = "--help=all"
HELP_WORDS = ("--help", "-h", HELP_ALL)

_SPACE = (errno.ENOSPC, errno.EDQUOT)
_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG)
_DISK = (errno.EIO, errno.EREMOTEIO, errno.EUCLEAN, errno.ENODEV, errno.ENXIO, errno.EBUSY)
_NETWORK = (errno.ESTALE, errno.ENOTCONN, errno.ECONNABORTED, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH)
_LIMITS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EFBIG)
MACHINE_ERRORS = (*_ACCESS, *_SPACE, *_DISK, *_NETWORK, *_LIMITS, errno.ETIMEDOUT)
"""Errors of the machine, and not bugs. ETIMEDOUT can also mean that a lock was not free in time, as when a run is suspended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit status.

    None is the command line of this process. The process is then expected to end, so its last garbage collection is skipped.
    """
    from qxbatch.cli.output import LastingOutput
    from qxbatch.collecting import skip_last_collection

    with LastingOutput():
        try:
            status = _main(list(sys.argv[1:] if argv is None else argv))
        except KeyboardInterrupt:  # also while modules are imported
            status = _report_interrupt()
    if argv is None:
        skip_last_collection()
    return status


def _main(words: list[str]) -> int:
    if words and words[0] in QUNEX_NAMES:
        words = words[1:]
    words = _with_help_options(words)
    help_text = _help(words)
    if help_text is not None:
        print(help_text, end="")
        return 0
    return _run_and_report_errors(words)


def _with_help_options(words: list[str]) -> list[str]:
    """Return the words with a leading `help` or `version` as an option: `help scan` becomes `scan --help`."""
    if words[:1] == ["version"]:
        return ["--version"]
    if words[:1] == ["help"]:
        return [HELP_ALL] if words[1:2] == ["all"] else [*words[1:2], HELP_ALL if words[2:3] == ["all"] else "--help"]
    return words


def _help(words: Sequence[str]) -> str | None:
    """Return the help or the version, before anything slow is imported.

    Return None if no word asks for one of them, or if the first word is unknown (`_refuse_misspelt` then refuses it).
    """
    before_end = words[: words.index("--")] if "--" in words else words
    if "--version" in before_end:
        from qxbatch.core import VERSION

        return f"qxbatch {VERSION}\n"
    help_words = [word for word in before_end if word in HELP_WORDS]
    if not help_words or _is_unknown(words):
        return None
    return _help_text(words[0], complete=help_words[-1] == HELP_ALL)


def _help_text(name: str, *, complete: bool) -> str:
    """Return the help of the command with this name, else of an import: all options, or without `complete` those used most."""
    from qxbatch.cli.commands import COMMANDS, command_summaries
    from qxbatch.cli.texts import command_summary, command_text, import_summary, import_text

    command = COMMANDS.get(name)
    if command is None:
        return import_text(command_summaries()) if complete else import_summary(command_summaries())
    if complete:
        return command_text(command.summary, command.usage, command.parameters)
    return command_summary(name, command.summary, command.usage, command.parameters)


def _run_and_report_errors(words: Sequence[str]) -> int:
    """Run the words; return the exit status. Raises KeyboardInterrupt.

    A wrong request, an error of the machine (MACHINE_ERRORS) and a file in the way (InTheWayError) end with a message and an exit
    status; any other error is raised, and ends with a traceback.
    """
    from qxbatch.exits import ExitStatus
    from qxbatch.problems import UsageError

    try:
        with _stop_on_sigterm():
            return _run(words)
    except UsageError as wrong:
        # quotes_names: the hint can contain names of packets, and so of patients; the log leaves it out
        _log(wrong.message if wrong.quotes_names else f"{wrong.message} {wrong.hint}", int(wrong.status))
        print(f"qxbatch: {wrong.message}", file=sys.stderr)
        if wrong.hint:
            print(f"         {wrong.hint}", file=sys.stderr)
        return int(wrong.status)
    except Exception as error:
        from qxbatch.os_error import error_text, machine_error
        from qxbatch.publish.plain_files import InTheWayError

        of_machine = machine_error(error)
        if of_machine is None or (of_machine.errno not in MACHINE_ERRORS and not isinstance(error, InTheWayError)):
            raise  # a bug
        _log(f"{error_text(of_machine)}.", int(ExitStatus.CANNOT_WRITE))
        print(f"qxbatch: {error_text(of_machine)}.", file=sys.stderr)
        print("         The run ended there; correct this and run again.", file=sys.stderr)
        return int(ExitStatus.CANNOT_WRITE)


def _report_interrupt() -> int:
    """Print and log that the run was interrupted; return the exit status."""
    from qxbatch.exits import ExitStatus

    _log("interrupted", int(ExitStatus.INTERRUPTED))
    print("qxbatch: interrupted; the next run clears or finishes what this one left.", file=sys.stderr)
    return int(ExitStatus.INTERRUPTED)


def _log(text: str, status: int) -> None:
    """Write to the log how the run ended. Without qxbatch.cli.messages, which sets up the log, there is none yet."""
    if "qxbatch.cli.messages" in sys.modules:
        import logging

        logging.getLogger("qxbatch").info("%s", text)
        logging.getLogger("qxbatch").info("exit status %d", status)


def _run(words: Sequence[str]) -> int:
    from qxbatch.cli.commands import COMMANDS

    if words and words[0] in COMMANDS:
        from qxbatch.cli.run_command import run

        return run(words[0], words[1:])
    _refuse_misspelt(words)
    from qxbatch.cli.start import start

    return start(words)


def _refuse_misspelt(words: Sequence[str]) -> None:
    """Raise UsageError when the first word is unknown, and it resembles a command's name or one of the words asks for help."""
    if not _is_unknown(words):
        return
    from qxbatch.cli.commands import COMMANDS
    from qxbatch.nearest import nearest_name
    from qxbatch.problems import UsageError

    first = words[0]
    near = nearest_name(first, (*COMMANDS, "help", "version", QUNEX_NAMES[0]))
    if near or any(word in HELP_WORDS for word in words):
        hint = f"Did you mean `qxbatch {near}`? To name a folder, write ./{first}."
        raise UsageError(
            f"There is no command {first} and no folder of that name.",
            hint if near else "`qxbatch --help` lists the commands.",
        )


def _is_unknown(words: Sequence[str]) -> bool:
    """Return whether the first word is no command, no option, no path with `/`, and no name of a file or folder that exists.

    False also for a sessions folder that the run creates (with --masterinbox), for <data> in the BIDS-App form, and without words.
    """
    import os

    from qxbatch.cli.commands import COMMANDS

    first = words[0] if words else "-"
    has_masterinbox = any(word.replace("_", "-").startswith("--masterinbox") for word in words)
    if first in COMMANDS or has_masterinbox or first.startswith("-") or "/" in first or os.path.lexists(first):
        return False
    from qxbatch.cli.words import LEVELS

    is_bids_app = len(words) > 2 and words[2] in LEVELS  # noqa: PLR2004 - <data> <output> <level>
    return not is_bids_app


class _stop_on_sigterm:  # noqa: N801 - read as a phrase where it stands
    """Inside, SIGTERM and SIGHUP stop the run like Ctrl-C: schedulers, containers and lost terminals send them.

    A signal that is ignored, as SIGHUP under nohup, stays ignored.
    """

    def __enter__(self) -> None:
        import signal
        import threading

        self._old = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._old[number] = signal.signal(number, self._interrupt)

    @staticmethod
    def _interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    def __exit__(self, *_what: object) -> None:
        import signal

        for number, old in self._old.items():
            signal.signal(number, old)
