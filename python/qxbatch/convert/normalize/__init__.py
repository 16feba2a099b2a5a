"""Rewrites the images of one series as classic MR copies with regular order, geometry and pixel encoding.

It runs in a separate process (`__main__.py`): its modules load pydicom and numpy, except `names` and `errors`. The process that
starts it imports only `names`.
"""
