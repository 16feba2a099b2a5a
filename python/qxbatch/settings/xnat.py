"""The command of the container image for XNAT's Container Service, made from the table of parameters.

A project's resource `incoming` contains packets; the sessions become its resource `sessions`. XNAT splits the command line
as a shell would, so a value with blanks is given in quotes there.
`python -m qxbatch.settings.render` in the repository rewrites its file.
"""

from qxbatch.core import VERSION
from qxbatch.settings.boutiques import (
    DESCRIPTION,
    IMAGE,
    OFFERED_PARAMETERS,
    default_of,
    is_number,
    meaning_and_default,
)
from qxbatch.settings.parameter import Form, Parameter


def command() -> dict[str, object]:
    """Return the command."""
    keys = " ".join(_key(parameter) for parameter in OFFERED_PARAMETERS)
    return {
        "name": "qxbatch",
        "label": "qxbatch",
        "description": DESCRIPTION,
        "version": VERSION,
        "schema-version": "1.0",
        "type": "docker",
        "image": IMAGE,
        "override-entrypoint": True,
        "command-line": f"qxbatch /data /out participant {keys}",
        "mounts": [
            {"name": "data", "path": "/data", "writable": False},
            {"name": "out", "path": "/out", "writable": True},
        ],
        "inputs": [_input(parameter) for parameter in OFFERED_PARAMETERS],
        "outputs": [
            {"name": "sessions", "description": "One folder for each session", "mount": "out", "required": True}
        ],
        "xnat": [
            {
                "name": "qxbatch-project",
                "label": "Import packets",
                "description": "Imports the packets in the project's resource `incoming`",
                "contexts": ["xnat:projectData"],
                "external-inputs": [{"name": "project", "type": "Project", "required": True}],
                "derived-inputs": [
                    {
                        "name": "incoming",
                        "description": "The resource with the packets",
                        "type": "Resource",
                        "matcher": "@.label == 'incoming'",
                        "required": True,
                        "derived-from-wrapper-input": "project",
                        "provides-files-for-command-mount": "data",
                    }
                ],
                "output-handlers": [
                    {
                        "name": "sessions-resource",
                        "accepts-command-output": "sessions",
                        "as-a-child-of": "project",
                        "type": "Resource",
                        "label": "sessions",
                    }
                ],
            }
        ],
    }


def _key(parameter: Parameter) -> str:
    return f"#{parameter.name}#"


def _input(parameter: Parameter) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": parameter.name,
        "description": meaning_and_default(parameter),
        "type": "string",
        "required": False,
        "replacement-key": _key(parameter),
    }
    if parameter.form is Form.SWITCH:
        return {**entry, "type": "boolean", "true-value": parameter.option, "false-value": ""}
    if is_number(parameter):
        entry["type"] = "number"
    if parameter.choices and default_of(parameter):
        # for a list without a default, XNAT would send the first value
        entry |= {
            "type": "select-one",
            "select-values": list(parameter.choices),
            "default-value": default_of(parameter),
        }
    return {**entry, "command-line-flag": parameter.option, "command-line-separator": "="}
