"""Rewrites the images of one series as classic MR copies with regular order, geometry and pixel encoding.

It runs in a separate process (`__main__.py`). The process that starts it imports only `names`, since most of the other modules load
pydicom or numpy.
"""
