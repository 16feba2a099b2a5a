"""The parameters as keywords of `qxbatch.import_packets`: conversion of their values to text, and their types.

`python -m qxbatch.settings.render` in the repository writes the types to import_parameters.py.
"""

import os
import textwrap
from collections.abc import Mapping, Sequence

from qxbatch.nearest import nearest_name
from qxbatch.settings.lists import LISTS, joined_items
from qxbatch.settings.parameter import Form, Group, Parameter
from qxbatch.settings.parameters import PARAMETERS

NO_KEYWORDS = (
    "sessionsfolder",  # the first argument
    "config",  # a file of the same parameters
    "log_file",  # a script gets messages of `logging.getLogger("qxbatch")`
    "existing_structure",  # without effect, as those below
    "clean_dicom_folders",
    "skip_bids_validator",
)
"""Names of parameters that the function does not have."""
KEYWORDS = tuple(
    parameter for parameter in PARAMETERS if parameter.name not in NO_KEYWORDS and parameter.group is not Group.CLUSTER
)
"""The parameters that the function has. It imports in this process: only the command submits jobs to a cluster."""
PATH_METAVARS = ("DIR", "FILE", "DIR|none")
"""Metavars of parameters whose values are paths."""
WIDTH = 110
"""Maximum number of characters of a line of a docstring, without its indent and its closing quotes."""
HEAD = '''\
"""The keywords of `qxbatch.import_packets`, written by `python -m qxbatch.settings.render` from the table of parameters."""

import os
from collections.abc import Sequence
from typing import Literal, TypedDict

StrPath = str | os.PathLike[str]


class ImportParameters(TypedDict, total=False):
    """Parameters of an import. What is not given has the default of the command line."""
'''
"""The beginning of import_parameters.py."""


def parameter_texts(keywords: Mapping[str, object]) -> dict[str, str]:
    """Return the keywords as text, as on the command line; those that are None are left out.

    Raises TypeError, and UsageError for a list that `joined_items` refuses.
    """
    return {name: _text(name, value) for name, value in keywords.items() if value is not None}


def _text(name: str, value: object) -> str:
    names = [parameter.name for parameter in KEYWORDS]
    if name not in names:
        near = nearest_name(name, names)
        hint = f"did you mean {near}?" if near else "docs/python-api.md names them"
        raise TypeError(f"import_packets() has no parameter {name!r}: {hint}")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | os.PathLike):
        return os.fspath(value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Sequence) and name in LISTS and all(type(item) in (str, int) for item in value):
        return joined_items(name, name, value)
    raise TypeError(f"import_packets(): {name} cannot be a {type(value).__name__}")


def module_text() -> str:
    """Return the text of import_parameters.py."""
    return "\n".join([HEAD, *(_field(parameter) for parameter in KEYWORDS), ""])


def _field(parameter: Parameter) -> str:
    meaning = parameter.meaning + (f" Default: {parameter.default}" if parameter.default else "")
    lines = textwrap.wrap(f'"""{meaning.replace(chr(92), chr(92) * 2)}', WIDTH, break_on_hyphens=False)
    text = "\n    ".join(lines)
    return f'    {parameter.name}: {_type(parameter)}\n    {text}"""'


def _type(parameter: Parameter) -> str:
    if parameter.form is Form.SWITCH:
        return "bool"
    if parameter.choices == ("yes", "no") or parameter.form is Form.YES_NO:
        return 'bool | Literal["yes", "no"]'
    if parameter.choices:
        return f"Literal[{', '.join(f'{chr(34)}{choice}{chr(34)}' for choice in parameter.choices)}]"
    if parameter.name in LISTS:
        return "str | Sequence[str]"
    if parameter.metavar in PATH_METAVARS:
        return "StrPath"
    return {"N|all": 'int | Literal["all"]', "N": "int", "0-9": "int", "SECONDS": "float", "SIZE": "str | int"}.get(
        parameter.metavar, "str"
    )
