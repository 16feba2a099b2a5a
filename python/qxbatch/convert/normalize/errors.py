"""Errors for a series that cannot be rewritten."""


class CannotNormalizeError(Exception):
    """The series cannot be rewritten correctly; the message is the reason."""


class MosaicError(CannotNormalizeError):
    """An image is a mosaic of many slices, and not one slice (`mosaics.py` copies a series of them)."""
