"""The files of a regression set."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qxbatch.discover.entry import PACKET_KINDS, Entry, Shape
from qxbatch.discover.listing import list_inbox
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.publish.durable import replace_text
from qxbatch.settings.config import read_config
from qxbatch.textfile import read_text

PACKETS, OPTIONS, EXPECTED, REFERENCE = "packets", "options.toml", "expected.json", "reference"
"""Names of the files and folders of a set."""
EXPECTED_FOLDER = "expected"
"""Folder with the expectations of single packets, `<packet>.json`; an expectation can also be beside its packet."""

UNMATCHED_REFERENCES = "reference_differs"
"""Key of an expectation: maps the names of reference images that equal no image of the results to the reasons."""
_KEYS = frozenset(("schema", "status", "found", "failed", "sessions", "archived", "waiting"))
"""Keys of every expectation. A JSON object without one of them, or with other keys, is a file of the user: `--update` must not
replace it."""
REFUSED_PARAMETERS = ("scheduler", "container", "wait", "print_script", "log_file", "work_dir", "test")
"""Parameters that options.toml may not have. masterinbox and json_file have no effect there: the command line overrides them."""
REFUSED_VALUES = (("check", "yes"),)
"""Pairs (parameter, value) that options.toml may not have: with check=yes the import asks a question, which nobody answers."""
_NUMBER_LIST = re.compile(r"\[(?:\s+[-+.\w]+,?)+\s+\]")
"""A list of numbers in indented JSON."""


@dataclass(frozen=True)
class RegressionSet:
    """A set: its packets, and their expected results."""

    name: str
    packets_folder: Path
    """The folder of the packets that are put into inbox/MR."""
    expected_file: Path
    """The file of the expectation, which may not exist yet."""
    options: tuple[str, ...] = ()
    """Additional options of the command line."""
    reference_folder: Path | None = None
    """Folder of images (.nii, .nii.gz) that must be among the results; None without such images."""
    only_packet: str = ""
    """The name of the only packet of the set in `packets_folder`; empty if all packets in that folder belong to the set."""

    def existing_path(self) -> Path | None:
        """Return the path of the only packet, or of the folder of packets; None if it does not exist."""
        path = self.packets_folder / self.only_packet
        return path if path.exists() else None


def find_sets(folder: Path) -> list[RegressionSet]:
    """Return the folder itself if it is a set, else the sets and the single packets in it, sorted by name.

    Raises UsageError: NOTHING_READY if there is none, USAGE if an options.toml is wrong or the folder cannot be listed.
    """
    if (folder / PACKETS).is_dir():
        return [_set(folder)]
    sets = [_set(path.parent) for path in folder.glob(f"*/{PACKETS}") if path.is_dir()] + _single_packets(folder)
    if not sets:
        raise UsageError(
            f"{folder} contains no regression set.",
            f"A set is a packet, or a folder with its packets in {PACKETS}: docs/regression.md.",
            ExitStatus.NOTHING_READY,
        )
    return sorted(sets, key=lambda regression_set: regression_set.name)


def _single_packets(folder: Path) -> list[RegressionSet]:
    """Return a set for each single packet, and one for each expectation without a packet, so that the missing packet is reported.

    Other JSON files may be beside the packets, such as descriptions of them.
    """
    packet_names = {entry.name for entry in list_inbox(folder) if _is_packet(entry)}
    expected_beside = {
        path.name.removesuffix(".json")
        for path in folder.glob("*.json")
        if path.name != EXPECTED and _may_be_expectation(path)
    }
    expected_in_folder = {path.name.removesuffix(".json") for path in (folder / EXPECTED_FOLDER).glob("*.json")}
    options = _options(folder)
    return [
        RegressionSet(
            name,
            folder,
            folder / f"{name}.json"
            if name in expected_beside - expected_in_folder
            else folder / EXPECTED_FOLDER / f"{name}.json",
            options,
            only_packet=name,
        )
        for name in packet_names | expected_beside | expected_in_folder
    ]


def _may_be_expectation(path: Path) -> bool:
    """Return whether a file is an expectation, or cannot be read: reading it again reports the reason."""
    try:
        return _is_expectation(json.loads(read_text(path, "strict")))
    except (OSError, ValueError, RecursionError):
        return True


def _is_expectation(content: object) -> bool:
    return (
        isinstance(content, dict)
        and content.keys() - {UNMATCHED_REFERENCES} == _KEYS
        and isinstance(content.get(UNMATCHED_REFERENCES, {}), dict)
    )


def _is_packet(entry: Entry) -> bool:
    if entry.name.startswith(".") or entry.name == EXPECTED_FOLDER:
        return False
    if entry.shape is Shape.FOLDER:
        return not (entry.path / PACKETS).is_dir()
    return entry.shape is Shape.FILE and entry.content in PACKET_KINDS


def _set(folder: Path) -> RegressionSet:
    reference = folder / REFERENCE
    return RegressionSet(
        name=folder.resolve().name,
        packets_folder=folder / PACKETS,
        expected_file=folder / EXPECTED,
        options=_options(folder),
        reference_folder=reference if reference.is_dir() else None,
    )


def _options(folder: Path) -> tuple[str, ...]:
    """Return the option that names the options.toml of a set. Raises UsageError if the file is wrong."""
    path = folder / OPTIONS
    if not path.is_file():
        return ()
    given = read_config(str(path))
    refused = [name for name in given if name in REFUSED_PARAMETERS or (name, given[name]) in REFUSED_VALUES]
    if refused:
        raise UsageError(
            f"{path} has parameters that a regression set cannot have: {', '.join(refused)}.",
            "Remove them: each set is imported on this host, into a temporary folder, and nothing is written elsewhere.",
        )
    return (f"--config={path}",)


def read_expected(path: Path) -> dict[str, Any] | None:
    """Return an expectation; None if the file does not exist.

    Raises UsageError if it cannot be read, also behind a link, or is another file.
    """
    try:
        expected = json.loads(read_text(path, "strict"))
    except FileNotFoundError as error:
        if not path.is_symlink():
            return None
        message = f"{path} is a link to a file that is not here: {reason_text(error, path)}."
        raise UsageError(message, "Get the file (`git annex get`), or remove the link.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason_text(error, path)}.", "Make it readable.") from None
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}.", "Correct it, or remove it and use --update.") from None
    except RecursionError:
        expected = None  # nested too deeply for an expectation
    if not _is_expectation(expected):
        raise UsageError(f"{path} is not an expectation.", "Move it away and use --update.")
    return dict(expected)


def write_expected(path: Path, values: dict[str, Any]) -> None:
    """Write an expectation with sorted keys, so that version control shows a change clearly.

    Raises UsageError (CANNOT_WRITE), and as `read_expected` does if the path has another file by now, which is not replaced.
    """
    text = _NUMBER_LIST.sub(_on_one_line, json.dumps(values, indent=1, ensure_ascii=False, sort_keys=True))
    try:
        path.parent.mkdir(exist_ok=True)
        replace_text(path, text + "\n", before_rename=lambda: _refuse_other_file(path))
    except OSError as error:
        hint = "Make its folder writable."
        raise UsageError(
            f"{path} cannot be written: {reason_text(error, path)}.", hint, ExitStatus.CANNOT_WRITE
        ) from None


def _refuse_other_file(path: Path) -> None:
    """Raise UsageError as `read_expected` does if a path has another file than an expectation."""
    read_expected(path)


def _on_one_line(match: re.Match[str]) -> str:
    return " ".join(match[0].split())
