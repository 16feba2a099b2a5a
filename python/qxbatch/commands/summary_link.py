"""A summary that is a link to a missing file: `inspect --update` does not replace it, since only the link names the summary."""

from qxbatch.session.folder import SessionFolder


def broken_link_problem(folder: SessionFolder) -> str:
    """Return what to do if the summary of a session is a broken link; empty for any other session. Raises as `folder.summary`."""
    path = folder.paths.summary
    if folder.summary is not None or not path.is_symlink():
        return ""
    return (
        f"{path}: is a link to a file that is not here, as after `git annex drop`. "
        "Get the file (`git annex get`), or remove the link"
    )
