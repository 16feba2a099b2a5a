"""The fields of a converter's JSON that session.txt can show."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qxbatch.convert.header_values import number
from qxbatch.model import Series, SeriesKind
from qxbatch.record.names import session_txt_field

FIELDS = {
    "TR": "RepetitionTime",
    "PEDirection": "PhaseEncodingDirection",
    "EchoSpacing": "EffectiveEchoSpacing",
    "DwellTime": "DwellTime",
    "ReadoutDirection": "ReadoutDirection",
}
"""Maps names in session.txt to names in the JSON, in the order of session.txt."""


def json_info(path: Path | None, names: Sequence[str], series: Series) -> tuple[tuple[str, str], ...]:
    """Return the requested fields of a JSON in the order of FIELDS, with numbers as Python prints them.

    dcm2niix omits the repetition time from the JSON of a PAR with dynamics; then it is read from the PAR.
    """
    fields = _read_fields(path) if names else {}
    if series.kind is SeriesKind.PARREC and "RepetitionTime" not in fields and path is not None:
        fields["RepetitionTime"] = _seconds(series)
    values = ((field, fields.get(key)) for field, key in FIELDS.items() if field in names)
    texts = ((field, session_txt_field(str(value))) for field, value in values if isinstance(value, str | int | float))
    return tuple((field, value) for field, value in texts if value)


def _read_fields(path: Path | None) -> dict[str, Any]:
    """Return the content of a JSON; empty if it is not usable."""
    if path is None:
        return {}
    try:
        fields = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (ValueError, OSError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _seconds(series: Series) -> float | int | None:
    """Return the repetition time of a series in s, from its header, which has it in ms; None if it is missing or not positive."""
    time = number(series.header, "RepetitionTime")
    if time is None or time <= 0:
        return None
    seconds = float(f"{time / 1000:.6g}")
    return int(seconds) if seconds.is_integer() else seconds
