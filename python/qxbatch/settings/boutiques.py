"""The descriptor of the image for Boutiques (schema 0.5), made of the table of parameters.

`python -m qxbatch.settings.render` in the repository rewrites it.
"""

import json
from collections.abc import Mapping

from qxbatch.core import VERSION
from qxbatch.exits import ExitStatus
from qxbatch.settings.parameter import Form, Group, Parameter
from qxbatch.settings.parameters import PARAMETERS

IMAGE = "qxbatch:full"
DESCRIPTION = "Brings a study's incoming MR packets to sorted DICOM, NIfTI images and session.txt."
POSITIONAL = ("sessionsfolder", "masterinbox")
"""In the BIDS-App form these are the words <output> and <data>, and cannot be given a second time."""
OFFERED = tuple(each for each in PARAMETERS if each.name not in POSITIONAL and each.group is not Group.CLUSTER)
"""The image has no scheduler."""
NUMBERS = ("N", "SECONDS", "0-9")
"""Values of these names are numbers, of whatever unit."""
READ = ("config", "password_file", "protocol")
"""Files that must be there when the command starts; other files are written, or named inside a longer value."""
STATUSES = {
    ExitStatus.FAILED: "at least one packet or series failed, or a packet was refused",
    ExitStatus.USAGE: "wrong usage; nothing was touched",
    ExitStatus.NOTHING_READY: "nothing was ready",
    ExitStatus.NO_CONVERTER: "a converter is missing",
    ExitStatus.CANNOT_WRITE: "output cannot be written",
    ExitStatus.HELD: "all that is to do is held by another run",
    ExitStatus.INTERRUPTED: "interrupted; the next run clears or finishes what is left",
}


def descriptor() -> dict[str, object]:
    """Return the descriptor."""
    words = [
        _word("data", "File", "Folder of packets; it may be read-only."),
        _word("output", "String", "Folder for the sessions."),
        {
            **_word("level", "String", "What to do: import packets, or write the study table."),
            "value-choices": ["participant", "group"],
        },
    ]
    options = [_option(each) for each in OFFERED]
    return {
        "schema-version": "0.5",
        "name": "qxbatch",
        "tool-version": VERSION,
        "description": DESCRIPTION,
        "command-line": " ".join(["qxbatch", *(str(each["value-key"]) for each in [*words, *options])]),
        "container-image": {"type": "docker", "image": IMAGE},
        "inputs": [*words, *options],
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
    """Whether a parameter's value is a number."""
    return parameter.metavar in NUMBERS


def _word(name: str, kind: str, meaning: str) -> dict[str, object]:
    return {"id": name, "name": name, "type": kind, "description": meaning, "value-key": f"[{name.upper()}]"}


def _option(parameter: Parameter) -> dict[str, object]:
    """One option. Defaults are described in words: a default-value would stand on every command line."""
    found = {
        **_word(parameter.name, _type(parameter), described(parameter)),
        "optional": True,
        "command-line-flag": parameter.option,
    }
    if parameter.takes_value:
        found["command-line-flag-separator"] = "="
    if parameter.choices:
        found["value-choices"] = list(parameter.choices)
    if parameter.form is Form.WORDS:
        found |= {"list": True, "list-separator": ","}
    return found


def _type(parameter: Parameter) -> str:
    if parameter.form is Form.SWITCH:
        return "Flag"
    if parameter.name in READ:
        return "File"
    return "Number" if is_number(parameter) else "String"


def described(parameter: Parameter) -> str:
    """Return what a parameter means, and its default."""
    default = default_of(parameter)
    return f"{parameter.meaning} Default: {default}" if default else parameter.meaning


def default_of(parameter: Parameter) -> str:
    """Return the default in the BIDS-App form, where packets are left where they are."""
    return "leave" if parameter.name == "archive" else parameter.default


def as_text(found: Mapping[str, object]) -> str:
    """Return a descriptor as it is in the file."""
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"
