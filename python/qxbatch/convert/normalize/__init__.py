"""Rewrites the images of one series as classic MR copies with regular order, geometry and pixel encoding.

This package is imported only when a series is rewritten: its modules load pydicom and numpy.
"""
