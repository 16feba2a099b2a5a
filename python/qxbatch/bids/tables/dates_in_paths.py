"""Dates of acquisition in the paths of a data set, which would reveal how dates were shifted."""

import re
from collections.abc import Iterator
from datetime import date

from qxbatch.bids.images.acquisition_time import acquisition_interval
from qxbatch.bids.model import ExportPlan

_LONG = ("%Y%m%d", "%d%m%Y", "%m%d%Y")
"""Forms that count as a date wherever they are."""
_SHORT = ("%y%m%d", "%d%m%y", "%m%d%y")
"""Forms that count as a date only if no other digit is next to them."""


def path_with_date(plan: ExportPlan) -> str:
    """Return the first path of a session that contains a day on which one of its acquisitions began; empty if none does."""
    days = {time.begin.date() for placed in plan.placed_images if (time := acquisition_interval(placed.image))}
    pattern = re.compile("|".join(each for day in sorted(days) for each in _patterns(day)) or r"(?!)")
    return next((placed.path for placed in plan.placed_images if pattern.search(placed.path)), "")


def _patterns(day: date) -> Iterator[str]:
    """Yield patterns of a day as in labels, without separators."""
    yield from (day.strftime(form) for form in _LONG)
    yield from (rf"(?<!\d){day.strftime(form)}(?!\d)" for form in _SHORT)
