"""The descriptor of the container image for Boutiques (schema 0.5), made from the table of parameters.

`python -m qxbatch.settings.render` in the repository rewrites its file.
"""

import json
from collections.abc import Mapping

from qxbatch.core import VERSION
from qxbatch.exits import ExitStatus
from qxbatch.settings.parameter import Form, Group, Parameter
from qxbatch.settings.parameters import PARAMETERS

IMAGE = "qxbatch:full"
DESCRIPTION = "Imports the MR packets of a study: sorted DICOM, NIfTI images and session.txt."
POSITIONAL = ("sessionsfolder", "masterinbox")
"""Parameters that are the positional arguments <output> and <data> in the BIDS-App form."""
OFFERED_PARAMETERS = tuple(
    parameter for parameter in PARAMETERS if parameter.name not in POSITIONAL and parameter.group is not Group.CLUSTER
)
"""Parameters in the descriptor; the image has no scheduler."""
NUMBER_METAVARS = ("N", "SECONDS", "0-9")
"""Metavars of parameters whose values are numbers."""
INPUT_FILES = ("config", "password_file", "protocol")
"""Parameters that name a file which must exist when the command starts. Those of other parameters are written by the command, or
named inside a longer value."""
STATUSES = {
    ExitStatus.FAILED: "at least one packet or series failed, or a packet was refused",
    ExitStatus.USAGE: "wrong usage; nothing was changed",
    ExitStatus.NOTHING_READY: "nothing was ready",
    ExitStatus.UNAVAILABLE: "a converter is missing",
    ExitStatus.CANNOT_WRITE: "output cannot be written",
    ExitStatus.HELD: "other runs are importing all packets",
    ExitStatus.INTERRUPTED: "interrupted; the next run clears or finishes what is left",
}


def descriptor() -> dict[str, object]:
    """Return the descriptor."""
    positional = [
        _input("data", "File", "Folder of packets; it may be read-only."),
        _input("output", "String", "Folder for the sessions."),
        {
            **_input(
                "level",
                "String",
                "What to do: import packets (participant), or write the report and table of all sessions (group).",
            ),
            "value-choices": ["participant", "group"],
        },
    ]
    options = [_option(parameter) for parameter in OFFERED_PARAMETERS]
    return {
        "schema-version": "0.5",
        "name": "qxbatch",
        "tool-version": VERSION,
        "description": DESCRIPTION,
        "command-line": " ".join(["qxbatch", *(str(entry["value-key"]) for entry in [*positional, *options])]),
        "container-image": {"type": "docker", "image": IMAGE},
        "inputs": [*positional, *options],
        "output-files": [
            {
                "id": "session_folders",
                "name": "sessions",
                "description": "One folder for each session; its session.txt is written last.",
                "path-template": "[OUTPUT]",
                "optional": False,
            }
        ],
        "error-codes": [{"code": int(status), "description": text} for status, text in STATUSES.items()],
        "tags": {"domain": ["neuroinformatics"], "conversion": ["dicom", "nifti"]},
    }


def is_number(parameter: Parameter) -> bool:
    """Return whether a parameter's value is a number."""
    return parameter.metavar in NUMBER_METAVARS


def _input(name: str, kind: str, meaning: str) -> dict[str, object]:
    """Return the fields that the entry of each input has: a positional argument or an option."""
    return {"id": name, "name": name, "type": kind, "description": meaning, "value-key": f"[{name.upper()}]"}


def _option(parameter: Parameter) -> dict[str, object]:
    """Return the entry of an option. The default is only in its description: a `default-value` would be on every command line."""
    entry = {
        **_input(parameter.name, _type(parameter), meaning_and_default(parameter)),
        "optional": True,
        "command-line-flag": parameter.option,
    }
    if parameter.takes_value:
        entry["command-line-flag-separator"] = "="
    if parameter.choices:
        entry["value-choices"] = list(parameter.choices)
    if parameter.form is Form.SEVERAL_VALUES:
        entry |= {"list": True, "list-separator": ","}
    return entry


def _type(parameter: Parameter) -> str:
    if parameter.form is Form.SWITCH:
        return "Flag"
    if parameter.name in INPUT_FILES:
        return "File"
    return "Number" if is_number(parameter) else "String"


def meaning_and_default(parameter: Parameter) -> str:
    """Return what a parameter means, and its default."""
    default = default_of(parameter)
    return f"{parameter.meaning} Default: {default}" if default else parameter.meaning


def default_of(parameter: Parameter) -> str:
    """Return the default in the BIDS-App form, which leaves packets in place."""
    return "leave" if parameter.name == "archive" else parameter.default


def json_text(content: Mapping[str, object]) -> str:
    """Return a descriptor, or a command of XNAT, as the text of its file."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
