"""Names series in messages by the scanner's number, the description and the images, instead of the number of their folder."""

import re
from collections.abc import Iterable, Sequence

from qxbatch.model import SeriesLabel

_SUBJECT = re.compile(r"series (\d+(?:, \d+)*(?: and \d+)?)")
"""Matches the subject of a problem about series, which are named by their folders in `dicom`."""
_NUMBER = re.compile(r"\d+")
_MAX_IMAGES = 4
"""Maximum number of images that are listed."""
_MAX_DESCRIPTION = 60
"""Maximum number of characters of a description."""


def label_subject(subject: str, labels: Sequence[SeriesLabel]) -> str:
    """Return the subject of a problem, with labels in place of the numbers of its series.

    A subject that is not about series, or has a series without a label, is returned unchanged. Several series get no descriptions.

    >>> label_subject("series 20", [SeriesLabel(20, 2, "epiRT", (21, 22))])
    'series 2, epiRT (images 21, 22)'
    >>> label_subject("series 20 and 30", [SeriesLabel(20, 2, "epiRT", (21, 22)), SeriesLabel(30, 3, "T1w", (31,))])
    'series 2 and 3 (images 21, 22, 31)'
    """
    match = _SUBJECT.fullmatch(subject)
    by_n = {label.n: label for label in labels}
    matches = [by_n.get(int(n)) for n in _NUMBER.findall(match[1])] if match else []
    series_labels = [label for label in matches if label is not None]
    if not series_labels or len(series_labels) < len(matches):
        return subject
    images = _images(image for label in series_labels for image in label.images)
    if len(series_labels) == 1:
        return f"series {_label_text(series_labels[0])}{images}"
    names = [_series_number(label) for label in series_labels]
    return f"series {', '.join(names[:-1])} and {names[-1]}{images}"


def _label_text(label: SeriesLabel) -> str:
    description = label.description[:_MAX_DESCRIPTION].strip()
    return f"{_series_number(label)}, {description}" if description else _series_number(label)


def _series_number(label: SeriesLabel) -> str:
    """Return the SeriesNumber, and the folder `dicom/<n>` unless n is ten times the SeriesNumber.

    For a series without a SeriesNumber, return only the folder.
    """
    if label.number is None:
        return f"in dicom/{label.n}"
    return str(label.number) if label.n == 10 * label.number else f"{label.number} in dicom/{label.n}"


def _images(images: Iterable[int]) -> str:
    numbers = list(images)
    if not numbers:
        return ""
    listed = ", ".join(map(str, numbers[:_MAX_IMAGES]))
    more = f" and {len(numbers) - _MAX_IMAGES} more" if len(numbers) > _MAX_IMAGES else ""
    return f" (image{'s' * (len(numbers) > 1)} {listed}{more})"
