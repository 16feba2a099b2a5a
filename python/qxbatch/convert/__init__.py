"""Converters: which one a series goes through, running it, and judging what it left.

`check_available` before anything is touched, then `convert_series` for each series.
"""

from qxbatch.convert.available import Available, check_available, probes_of
from qxbatch.convert.run import CancelledError
from qxbatch.convert.series import convert_series

__all__ = ["Available", "CancelledError", "check_available", "convert_series", "probes_of"]
