"""How the field IntendedFor of a sidecar names another image of the data set."""

from enum import StrEnum

from qxbatch.session.layout import IMAGE_SUFFIX


class IntendedForFormat(StrEnum):
    """How the field IntendedFor names an image (`--intended-for`)."""

    URI = "uri"
    """`bids::sub-01/func/...`"""
    PATH = "path"
    """Relative to the folder of the subject, as in BIDS before 1.8."""

    def reference_to(self, path: str) -> str:
        """Return how a sidecar of the same subject names the image at `path`, which has no extension."""
        return (
            f"bids::{path}{IMAGE_SUFFIX}" if self is IntendedForFormat.URI else f"{path.split('/', 1)[1]}{IMAGE_SUFFIX}"
        )
