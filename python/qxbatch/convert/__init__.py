"""Converters: chooses one for a series, runs it, and judges its output.

`check_available` (available.py) runs before anything is touched, then `convert_series` (series.py) for each series.
"""
