"""Acquisition facts and verdicts of series, from what was read of them (docs/acquisition.md)."""
