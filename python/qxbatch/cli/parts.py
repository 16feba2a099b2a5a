"""The part commands: which there are, and their grammar. Light, since the help of an import lists them."""

from qxbatch.settings.of_qxbatch import OF_QXBATCH
from qxbatch.settings.parameter import Form, Group, Parameter, find


class Part:
    """One part command. Its module is `qxbatch.parts.<name>` with `run(options) -> int`."""

    def __init__(self, summary: str, usage: tuple[str, ...], parameters: tuple[Parameter, ...]) -> None:
        self.summary = summary
        self.usage = usage
        self.parameters = parameters


N_PROCS = find(OF_QXBATCH, "n_procs")


def switch(name: str, meaning: str) -> Parameter:
    """Return an option without value for a part."""
    return Parameter(name, meaning, group=Group.RUN, form=Form.SWITCH)


PARTS: dict[str, Part] = {
    "scan": Part(
        "Lists the series that lie in folders, files and archives.",
        ("scan <path>... [options]",),
        (
            switch("json", "Print JSON."),
            switch("tsv", "Print tab-separated values, a row for each series."),
            N_PROCS,
        ),
    ),
}
"""Those that exist, in the order of the help."""

FIRST_WORDS = ("scan", "sort", "convert", "split", "report", "doctor", "verify", "regress")
"""Words that choose a part, also where this version does not hold it: a folder of such a name is `./scan`."""


def listed() -> tuple[tuple[str, str], ...]:
    """Return (name, summary) of the parts that exist."""
    return tuple((name, part.summary) for name, part in PARTS.items())
