"""Refuses packets that cannot be read, with the command that corrects the cause."""

import errno
import os
from pathlib import Path

from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.path_lengths import max_path_bytes
from qxbatch.discover.plan import packet_name
from qxbatch.os_error import error_text, reading_hint
from qxbatch.problems import Code
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings
from qxbatch.settings.paths import outside_path
from qxbatch.visible import shell_word

_TOO_DEEP_ERRORS = (errno.ELOOP, errno.ENAMETOOLONG)
"""Errors of `fingerprint`: folders are nested too deep, or their paths are too long."""
_TAR_SUFFIX = ".tar"


def refuse_unreadable(judged: JudgedEntry, data: Path, error: OSError, settings: Settings) -> JudgedEntry:
    """Return a packet as refused, because its data at `data` cannot be read."""
    message, hint = error_text(error), reading_hint(error, data)
    command = command_for(settings, [judged.session.id if judged.session else judged.packet_name])
    if error.errno == errno.ENAMETOOLONG:
        # not `error_text`: it contains this path, which is longer than a message should be
        message = f"the path of a file or folder in it is too long (more than {max_path_bytes(data, settings):,} bytes)"
    if error.errno in _TOO_DEEP_ERRORS:
        pack = _pack_command(judged, settings) if data == judged.path else ""
        command = f"{pack} && {command}" if pack else command
        hint = (
            "Pack it (in an archive, folders can be nested deeper):"
            if pack
            else "Pack its folders (in an archive, they can be nested deeper), or shorten their paths:"
        )
    return judged.refuse(Code.UNREADABLE, f"cannot be read: {message}.", hint, command)


def _pack_command(judged: JudgedEntry, settings: Settings) -> str:
    """Return the command that packs a folder as a tar beside it, and moves the folder to the archive.

    Empty if the tar exists, or if --pattern finds another packet name in its name.
    """
    packed = judged.path.with_name(judged.path.name + _TAR_SUFFIX)
    if os.path.lexists(packed) or packet_name(packed.name, settings.pattern) != judged.packet_name:
        return ""
    folder, file = (shell_word(str(outside_path(path, settings.path_map))) for path in (judged.path, packed))
    archive = outside_path(settings.archive_folder, settings.path_map)
    moved = f"mkdir -p {shell_word(str(archive))} && mv -n -- {folder} {shell_word(f'{archive}/')}"
    return f"tar -C {folder} -cf {file} . && {moved}"
