"""Converters: which one a series goes through, running it, and judging what it left.

`check_available` (available.py) before anything is touched, then `convert_series` (series.py) for each series.
"""
