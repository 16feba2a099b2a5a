"""Errors for a series that cannot be rewritten."""


class CannotNormalizeError(Exception):
    """The headers are insufficient for a correct result. The message contains the reason with its numbers."""


class MosaicError(CannotNormalizeError):
    """An image is a mosaic of many slices. If all images of the series are mosaics, they are rewritten with unchanged tiles."""
