"""What a regression set is made of, and where its files lie."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qxbatch.problems import UsageError

PACKETS, OPTIONS, EXPECTED, REFERENCE = "packets", "options.toml", "expected.json", "reference"

FLAT = re.compile(r"\[(?:\s+[-+.\w]+,?)+\s+\]")
"""A list of numbers, as it stands in indented JSON."""


@dataclass(frozen=True)
class RegressionSet:
    """One set: its packets, and all that is known of them."""

    name: str
    packets: Path
    """Holds what would wait in inbox/MR."""
    expected: Path
    """The expectation; it need not be there yet."""
    options: tuple[str, ...] = ()
    """Further words of the command line."""
    reference: Path | None = None
    """Holds images (.nii, .nii.gz) that must be among the results."""


def find_sets(folder: Path) -> list[RegressionSet]:
    """Return the sets below a folder, sorted by name, or the folder itself when it is one.

    Raises UsageError when there is none.
    """
    folders = [folder] if (folder / PACKETS).is_dir() else sorted(path.parent for path in folder.glob(f"*/{PACKETS}"))
    if not folders:
        raise UsageError(
            f"{folder} holds no regression set.",
            f"A set is a folder with its packets in {PACKETS}: docs/regression.md.",
        )
    return [_set(path) for path in folders]


def _set(folder: Path) -> RegressionSet:
    options = folder / OPTIONS
    reference = folder / REFERENCE
    return RegressionSet(
        name=folder.resolve().name,
        packets=folder / PACKETS,
        expected=folder / EXPECTED,
        options=(f"--config={options}",) if options.is_file() else (),
        reference=reference if reference.is_dir() else None,
    )


def read_expected(path: Path) -> dict[str, Any] | None:
    """Return an expectation, None when there is none yet. Raises UsageError when it cannot be read."""
    try:
        expected = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}.", "Mend it, or remove it and use --update.") from None
    if not isinstance(expected, dict):
        raise UsageError(f"{path} is no expectation.", "Remove it and use --update.")
    return expected


def write_expected(path: Path, found: dict[str, Any]) -> None:
    """Write an expectation, keys in a fixed order, so that a change reads well in a version control system."""
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(FLAT.sub(_on_one_line, text) + "\n", encoding="utf-8")


def _on_one_line(found: re.Match[str]) -> str:
    return " ".join(found[0].split())
