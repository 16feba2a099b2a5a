"""The fields of a converter's JSON that session.txt can show."""

import json
from collections.abc import Sequence
from pathlib import Path

from qxbatch.record.names import safe

FIELDS = {
    "TR": "RepetitionTime",
    "PEDirection": "PhaseEncodingDirection",
    "EchoSpacing": "EffectiveEchoSpacing",
    "DwellTime": "DwellTime",
    "ReadoutDirection": "ReadoutDirection",
}
"""Name in session.txt to name in the JSON, in the order of session.txt."""


def json_info(path: Path | None, wanted: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the wanted fields that a JSON holds, numbers as Python prints them; nothing when there is no usable JSON."""
    if path is None or not wanted:
        return ()
    try:
        told = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (ValueError, OSError):
        return ()
    if not isinstance(told, dict):
        return ()
    found = ((field, told.get(key)) for field, key in FIELDS.items() if field in wanted)
    shown = ((field, safe(str(value))) for field, value in found if isinstance(value, str | int | float))
    return tuple((field, value) for field, value in shown if value)
