"""Dates of acquisition in the paths of a data set, which shifted dates should not give away."""

import re
from collections.abc import Iterator
from datetime import date

from qxbatch.bids.images.moments import acquired
from qxbatch.bids.model import SessionPlan

_LONG = ("%Y%m%d", "%d%m%Y", "%m%d%Y")
_SHORT = ("%y%m%d", "%d%m%y", "%m%d%y")
"""Six digits can be something else where more digits are beside them."""


def path_with_date(plan: SessionPlan) -> str:
    """Return the first path of a session that contains the day of one of its acquisitions; empty where none does."""
    days = {time.begin.date() for each in plan.placed if (time := acquired(each.image))}
    pattern = re.compile("|".join(form for day in sorted(days) for form in _forms(day)) or r"(?!)")
    return next((each.path for each in plan.placed if pattern.search(each.path)), "")


def _forms(day: date) -> Iterator[str]:
    """Yield patterns of a day as labels have it, without what separates its parts."""
    yield from (day.strftime(form) for form in _LONG)
    yield from (rf"(?<!\d){day.strftime(form)}(?!\d)" for form in _SHORT)
