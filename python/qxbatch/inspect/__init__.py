"""Acquisition facts and verdicts of series, from their headers (docs/acquisition.md)."""
