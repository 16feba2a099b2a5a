"""Sessions named one by one, or by their folder."""

import os
from pathlib import Path

from qxbatch.commands.option_values import need_existing
from qxbatch.problems import UsageError
from qxbatch.session.contents import is_session
from qxbatch.settings.paths import absolute_form
from qxbatch.study.sessions import sessions_in


def chosen_sessions(names: object) -> list[Path]:
    """Return the session folders that a list of names means, each once: a folder of sessions means all sessions in it.

    Raises UsageError.
    """
    assert isinstance(names, list)
    chosen: list[Path] = []
    for name in names:
        path = absolute_form(str(name))
        if not os.path.isdir(path):  # noqa: PTH112 - False if it cannot be read
            hint = "Name session folders, or a folder of sessions."
            need_existing(path, hint)
            raise UsageError(f"{path} is not a folder.", hint)
        sessions = [path] if is_session(path) else sessions_in(path)
        if not sessions:
            raise UsageError(
                f"{path} is not a session and contains none.", "Name folders such as study/sessions/OP386."
            )
        chosen += sessions
    return list(dict.fromkeys(chosen))
