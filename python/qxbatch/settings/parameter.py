"""A parameter: a row of the table from which help, README, docs and defaults are made."""

from enum import Enum


class Group(Enum):
    """Headings of parameters in the help; the value is the heading."""

    INPUT = "What to import"
    WORK = "How to import it"
    OUTPUT = "What is written, and what becomes of the packet"
    BIDS = "BIDS-App form"
    CLUSTER = "On a cluster"
    RUN = "The run itself"


class Form(Enum):
    """The form of a parameter on the command line."""

    VALUE = "value"
    """`--name VALUE`"""
    YES_NO = "yes or no"
    """`--name` alone means yes; yes, no, true or false may follow, and any value after `=`"""
    SEVERAL_VALUES = "several values"
    """`--name VALUE...`: several values, separated by commas or spaces"""
    SWITCH = "switch"
    """`--name` alone"""


class Parameter:
    """One parameter. A plain class, since importing dataclasses would make `qxbatch --help` noticeably slower."""

    __slots__ = (
        "choices",
        "default",
        "difference",
        "form",
        "group",
        "meaning",
        "metavar",
        "name",
        "reference",
        "short",
    )

    def __init__(
        self,
        name: str,
        meaning: str,
        *,
        group: Group,
        default: str = "",
        choices: tuple[str, ...] = (),
        metavar: str = "",
        short: str = "",
        form: Form = Form.VALUE,
        reference: str = "",
        difference: str = "",
    ) -> None:
        self.name = name
        """With underscores, as in the config file; on the command line `-` and `_` are equivalent."""
        self.meaning = meaning
        """One or a few sentences."""
        self.group = group
        self.default = default
        """As the user would write it; empty: none."""
        self.choices = choices
        """The valid values; empty: not a fixed set."""
        self.metavar = metavar or ("|".join(choices) if choices else "VALUE")
        """What stands for the value in the help."""
        self.short = short
        """A letter with its dash."""
        self.form = form
        self.reference = reference
        """What the reference (QuNex `import_dicom`) does, in few words; empty: it has no such parameter."""
        self.difference = difference
        """How qxbatch deliberately differs from the reference, and why; empty: it does not differ."""

    def with_meaning(self, meaning: str, default: str) -> "Parameter":
        """Return a copy with the meaning and default of another command; it has no `reference` and no `difference`."""
        return Parameter(
            self.name,
            meaning,
            group=self.group,
            default=default,
            choices=self.choices,
            metavar=self.metavar,
            short=self.short,
            form=self.form,
        )

    @property
    def option(self) -> str:
        """Return the option's long name, with its dashes."""
        return "--" + self.name.replace("_", "-")

    @property
    def takes_value(self) -> bool:
        """Return whether the option can have a value."""
        return self.form is not Form.SWITCH


def find(parameters: tuple[Parameter, ...], name: str) -> Parameter:
    """Return the parameter of that name. Raises KeyError."""
    for parameter in parameters:
        if parameter.name == name:
            return parameter
    raise KeyError(name)
