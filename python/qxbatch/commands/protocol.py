"""`qxbatch protocol`: proposes a protocol from sessions, and compares sessions with one."""

from collections.abc import Mapping

from qxbatch.commands.option_values import is_yes
from qxbatch.commands.protocol_check import check
from qxbatch.commands.protocol_learn import learn_protocol
from qxbatch.problems import UsageError


def run(options: Mapping[str, object]) -> int:
    """Propose a protocol (learn), or compare sessions with one (check); return the exit status. Raises UsageError."""
    folder, output, protocol = (_text(options[name]) for name in ("<sessionsfolder>", "--output", "--protocol"))
    json = bool(options["--json"])
    overwrite, test = (is_yes(options, name) for name in ("overwrite", "test"))
    match options["<action>"]:
        case "learn":
            if not (output or test) or protocol or json:
                wrong = "--protocol" if protocol else "--json"
                message = (
                    f"`protocol learn` has no {wrong}."
                    if protocol or json
                    else "--output is missing: the file to write."
                )
                raise UsageError(message, "Write qxbatch protocol learn SESSIONSFOLDER --output=protocol.toml.")
            return int(learn_protocol(folder, output, overwrite=overwrite, test=test))
        case "check":
            if not protocol or output or overwrite or test:
                wrong = "--output" if output else "--overwrite" if overwrite else "--test"
                message = (
                    f"`protocol check` has no {wrong}."
                    if protocol
                    else "--protocol is missing: the file to check with."
                )
                raise UsageError(message, "Write qxbatch protocol check SESSIONSFOLDER --protocol=protocol.toml.")
            return int(check(folder, protocol, json=json))
    raise UsageError(f"`qxbatch protocol` does not know {options['<action>']!r}.", "Write learn or check.")


def _text(value: object) -> str:
    return "" if value is None else str(value)
