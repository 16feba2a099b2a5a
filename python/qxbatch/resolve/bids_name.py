"""Subject and session from a BIDS name."""

import re

from qxbatch.model import SessionId

_NAME = re.compile(r"sub-(?P<subject>[A-Za-z0-9+]+)(?:_ses-(?P<session>[A-Za-z0-9+]+)|(?!_ses-))(?![A-Za-z0-9+-])")
"""The first entities of a BIDS name; their labels have the format `label` of the BIDS schema (letters, digits, `+`).

Other text may follow, such as `_task-rest`, if it does not continue the last label or begin with `-`. A name with a
label of another format, such as `sub-105_ses-pre-op`, is no BIDS name: its session would get lost."""


def session_by_bids_name(name: str) -> SessionId | None:
    """Return the session of a packet whose name begins like `sub-105_ses-1` or `sub-105`, else None. Its id is the whole name.

    >>> session_by_bids_name("sub-105_ses-1")
    SessionId(subject='105', session='1', folder='sub-105_ses-1')
    """
    match = _NAME.match(name)
    return None if match is None else SessionId(match["subject"], match["session"], name)
