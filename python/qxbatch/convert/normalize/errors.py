"""The reason why a series cannot be rewritten."""


class CannotNormalizeError(Exception):
    """The headers do not suffice for a right result. The message holds the reason with its numbers."""


class MosaicError(CannotNormalizeError):
    """An image is tiled from many slices. Only a series of mosaics can be rewritten, as it is."""
