"""Reads header fields in any form: absent, one value or several, number or text."""

import math

from qxbatch.model import HeaderLike, Value


def value(header: HeaderLike, field: str) -> Value:
    """Return a field's value, None if it is absent, or if the core does not read this field (KeyError)."""
    try:
        return header.get(field)
    except KeyError:
        return None


def texts(header: HeaderLike, field: str) -> list[str]:
    """Return a field's values as trimmed text; an empty list when absent."""
    raw = value(header, field)
    if raw is None:
        return []
    return [str(item).strip() for item in raw] if isinstance(raw, list) else [str(raw).strip()]


def text(header: HeaderLike, field: str) -> str:
    """Return a field as one text; several values are joined by a backslash, as DICOM writes them."""
    return "\\".join(texts(header, field))


def numbers(header: HeaderLike, field: str) -> list[float]:
    """Return a field's values as numbers; an empty list unless all of them are finite numbers."""
    raw = value(header, field)
    if raw is None:
        return []
    try:
        converted = [float(item) for item in (raw if isinstance(raw, list) else [raw])]
    except (ValueError, OverflowError):  # a number in a summary may have hundreds of digits
        return []
    return converted if all(map(math.isfinite, converted)) else []


def number(header: HeaderLike, field: str) -> float | None:
    """Return a field's first value as a number; None if it is absent, or if one of its values is not a finite number."""
    values = numbers(header, field)
    return values[0] if values else None


def whole_number(header: HeaderLike, field: str) -> int | None:
    """Return a field's first value as an integer; None if it is absent, not a number, or not a whole number."""
    first = number(header, field)
    return int(first) if first is not None and first == first // 1 else None
