"""The config file: parameters as keys of a TOML file."""

import tomllib
from pathlib import Path

from qxbatch.named_file import read_file_or_pipe
from qxbatch.nearest import nearest_name
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.settings.lists import LISTS, joined_items, split_list
from qxbatch.settings.parameters import PARAMETERS

MAX_NUMBER = 10**18
"""Limit on whole numbers. TOML has hexadecimal numbers of any length, and Python does not print thousands of digits."""
MAX_BYTES = 1 << 20
"""Bytes of the largest file; a larger one was named by mistake."""


def read_config(path: str) -> dict[str, str]:
    """Return the parameters of a config file by name, as text like that of the command line. Raises UsageError."""
    try:
        text = read_file_or_pipe(Path(path), MAX_BYTES).decode("utf-8-sig")
        values = tomllib.loads(text)
    except OSError as error:
        raise UsageError(
            f"--config={path} cannot be read: {reason_text(error, path)}.", "Name a TOML file of parameters."
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"--config={path} is not UTF-8.", "Save the file in the encoding UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        hint = "Write = after each name, and texts in quotes: archive = 'copy'."
        raise UsageError(f"--config={path} is not TOML: {error}.", hint) from None
    except ValueError:  # Python does not read a decimal number with thousands of digits
        raise UsageError(f"--config={path} gives a number that is too large.", "Write a smaller one.") from None
    except RecursionError:
        raise UsageError(f"--config={path} is nested too deeply.", "Name a TOML file of parameters.") from None
    parameters: dict[str, str] = {}
    for key, value in values.items():
        name = _name(path, key)
        if name == "scheduler" and isinstance(value, dict):
            parameters[name] = _scheduler(path, value)
            continue
        if name in parameters:
            raise UsageError(f"--config={path} gives {name} twice, with - and with _.", "Leave one of them out.")
        parameters[name] = _text(path, name, value)
    return parameters


def _name(path: str, key: str) -> str:
    name = key.replace("-", "_")
    names = [parameter.name for parameter in PARAMETERS if parameter.name != "config"]
    if name not in names:
        near = nearest_name(name, names)
        hint = f"Did you mean {near}?" if near else "`qxbatch --help` lists the parameters."
        raise UsageError(f"--config={path} names {key!r}, which is not a parameter.", hint)
    return name


def _scheduler(path: str, table: dict[str, object]) -> str:
    """Return the table `[scheduler]` as the value of --scheduler: its `name` first. Raises UsageError.

    An option that is true has no value, and one that is false is left out.
    """
    options = dict(table)
    name = options.pop("name", "")
    if not isinstance(name, str) or not name:
        raise UsageError(f"--config={path}: [scheduler] has no name.", "Write name = 'SLURM' in it.")
    words = [
        name,
        *(
            key if value is True else f"{key}={_text(path, f'scheduler.{key}', value)}"
            for key, value in options.items()
            if value is not False
        ),
    ]
    text = ",".join(words)
    if split_list(text) != tuple(word.strip() for word in words):
        raise UsageError(
            f"--config={path}: a value of [scheduler] has a comma outside of brackets, or a bracket that is not closed.",
            "Write a value without them: after a comma, the next option would begin.",
        )
    return text


def _text(path: str, name: str, value: object) -> str:
    """Return a value as it is written on the command line. Raises UsageError."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, int) and abs(item) > MAX_NUMBER for item in items):
        raise UsageError(f"--config={path} gives {name} a number that is too large.", "Write a smaller one.")
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and name in LISTS and all(type(item) in (str, int) for item in value):
        return joined_items(f"--config={path}: {name}", name, value)
    what = "an array" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a date or a time"
    raise UsageError(f"--config={path} gives {name} {what}.", f"Write {name} as a text in quotes.")
