"""The result of an export."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from qxbatch.bids.files.changes import Action, Change


class SessionOutcome(StrEnum):
    """Whether a session was exported."""

    EXPORTED = "exported"
    """Its images are in the data set; it may have none."""
    UNDECIDED = "undecided"
    """Its plan has a problem or an undecided series; its files in the data set are not changed."""
    FAILED = "failed"
    """It cannot be exported for another reason, such as a file that cannot be read; its files in the data set are not changed."""


class SessionResult(NamedTuple):
    """The result for a session."""

    session: str
    subject: str
    label: str
    """BIDS label of the session; empty if it has no session level."""
    state: SessionOutcome
    images: int
    """Number of images that have a path by its plan."""
    ignored: int
    """Number of images, and of series without images, that are not exported."""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def has_no_image(self) -> bool:
        """Whether nothing prevents the export of the session, but it has no image to export."""
        return self.state is SessionOutcome.EXPORTED and not self.images


class ExportResult(NamedTuple):
    """The result of an export: what happened to each session, and to each changed file."""

    sessions: tuple[SessionResult, ...]
    changes: tuple[Change, ...]
    """Those that were applied, or with `test` would be; and those of files that belong to users and are not changed."""

    @property
    def not_exported(self) -> tuple[SessionResult, ...]:
        """Return the results of the sessions that were not exported."""
        return tuple(session for session in self.sessions if session.state is not SessionOutcome.EXPORTED)

    @property
    def exported(self) -> tuple[SessionResult, ...]:
        """Return the results of the sessions of which an image was exported."""
        return tuple(
            session for session in self.sessions if session.state is SessionOutcome.EXPORTED and session.images
        )

    @property
    def without_images(self) -> tuple[SessionResult, ...]:
        """Return the results of the sessions that have no image to export."""
        return tuple(session for session in self.sessions if session.has_no_image)

    @property
    def kept_user_files(self) -> tuple[Change, ...]:
        """Return the entries of `changes` for files that were left as they are, because users wrote or edited them."""
        return tuple(change for change in self.changes if change.action in (Action.EDITED, Action.FOREIGN))

    @property
    def counts(self) -> Mapping[Action, int]:
        """Return the number of changes of each action."""
        return Counter(change.action for change in self.changes)


SCHEMA = 1
"""Version of the JSON value of an export."""


def export_value(export: ExportResult, dataset: str, *, test: bool) -> dict[str, Any]:
    """Return the JSON value of an export (docs/schema/bids-export-1.json). With `test`, nothing was written."""
    counts = export.counts
    return {
        "schema": SCHEMA,
        "dataset": dataset,
        "test": test,
        "sessions": [
            {**session._asdict(), "problems": list(session.problems), "warnings": list(session.warnings)}
            for session in export.sessions
        ],
        "files": {action.value: counts[action] for action in Action if action is not Action.FORGET},
        "changed": [
            {"path": change.path, "action": change.action.value, "session": change.session}
            for change in export.changes
            if change.action in (Action.ADD, Action.REPLACE, Action.REMOVE)
        ],
        "left": [
            {
                "path": change.path,
                "action": change.action.value,
                "session": change.session,
                "differs": change.would_change,
                "other_image": change.is_of_other_image,
            }
            for change in export.kept_user_files
        ],
    }
