"""The path of an image in a data set, split into data type, entities and suffix."""

from collections.abc import Mapping
from typing import NamedTuple

SCANS_SUFFIX = "_scans.tsv"
"""How the path of the table of a session's images ends."""


class ImagePath(NamedTuple):
    """A path such as `sub-01/ses-a/func/sub-01_ses-a_task-rest_bold`, without extension."""

    datatype: str
    entities: Mapping[str, str]
    """Short name to value, in the order of the file name; `sub` and `ses` are among them."""
    suffix: str

    @classmethod
    def of(cls, path: str) -> "ImagePath":
        """Return the parts of a path.

        >>> ImagePath.of("sub-01/func/sub-01_task-rest_bold").entities["task"]
        'rest'
        """
        *folders, name = path.split("/")
        *pairs, suffix = name.split("_")
        split_pairs = (pair.partition("-") for pair in pairs)
        entities = {key: value for key, _dash, value in split_pairs}
        return cls(folders[-1] if folders else "", entities, suffix)

    def group_key(self, *without: str) -> str:
        """Return a key by which images can be grouped: data type and entities, except those named in `without`.

        Images with the same key differ only in the suffix and these entities.
        """
        pairs = [f"{name}-{value}" for name, value in self.entities.items() if name not in without]
        return "_".join([self.datatype, *pairs])


def session_prefix(subject: str, session: str) -> tuple[str, str]:
    """Return the folder of a session and how its file names begin.

    >>> session_prefix("01", "a"), session_prefix("01", "")
    (('sub-01/ses-a', 'sub-01_ses-a'), ('sub-01', 'sub-01'))
    """
    levels = [f"sub-{subject}", *([f"ses-{session}"] if session else [])]
    return "/".join(levels), "_".join(levels)
