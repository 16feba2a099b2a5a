"""Converters: chooses one for a series, runs it, and judges its output.

`find_converters` (available.py) runs before anything is touched, then `convert_series` (series.py) for each series.
"""
