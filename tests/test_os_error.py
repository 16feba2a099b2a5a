"""Messages for errors of the operating system."""

import errno
import os
from pathlib import Path

import pytest

from qxbatch.os_error import access_hint, error_text, reason_text

FAILURES = [
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/x"),
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), b"/tmp/x"),
    FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/nowhere/x"),
    PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/nowhere/x"),
    OSError(errno.EROFS, os.strerror(errno.EROFS), "/tmp/x", None, "/tmp/y"),
    OSError("only words"),
    OSError(),
    TimeoutError("its holder is stopped"),
    OSError(errno.EIO, "the copy differs from what was copied", "/tmp/x"),
]


@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_no_message_has_an_errno_and_all_name_their_path(error: OSError) -> None:
    for text in (error_text(error, "/given"), reason_text(error, "/given")):
        assert "[Errno" not in text
        assert text
    assert error_text(error, "/given").startswith(os.fsdecode(error.filename or "/given"))


def test_the_message_of_a_full_disk_has_the_free_space_and_file_system(tmp_path: Path) -> None:
    text = error_text(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "not" / "there")))
    assert "no space left" in text
    assert f"free on the file system of {tmp_path}" in text


def test_the_message_of_a_denied_access_has_the_owner_of_the_path(tmp_path: Path) -> None:
    unwritable = tmp_path / "x"
    unwritable.touch(mode=0o640)
    text = error_text(PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(unwritable)))
    assert f"mode -rw-r-----, owner {os.geteuid()}; this program runs as user {os.geteuid()}" in text
    assert access_hint(unwritable) == f"Give yourself access: chmod u+rwX {unwritable}"


def test_other_errors_keep_their_text() -> None:
    assert error_text(ValueError("no NIfTI")) == "no NIfTI"
    assert error_text(OSError("/a: cut short"), "/a") == "/a: cut short"
