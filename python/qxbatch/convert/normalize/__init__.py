"""Rewrites the images of one series as classic MR copies whose order, geometry and pixel encoding are regular.

This package is imported only where a series is rewritten: its modules load pydicom and numpy.
"""
