"""Replaces files that qxbatch wrote; keeps a file that a person wrote, or changed before it is replaced."""

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from qxbatch.discover.own_names import HiddenKind, hidden_name
from qxbatch.publish.durable import NO_RUN, exchange_names, rename_noreplace, sync_folder
from qxbatch.publish.plain_files import clear_path
from qxbatch.textfile import create_text, read_bytes

_TRIES = 20


class NewText(NamedTuple):
    """A text that replaces a file."""

    path: Path
    text: str
    is_own: Callable[[bytes], bool]
    """Takes the bytes that the file at the path has now; returns whether qxbatch wrote them."""
    can_exchange: bool = True
    """Whether the file may be exchanged with the text in one step. A killed run may then leave the replaced file under a hidden
    name: the next `write_texts` for this path removes or keeps that file."""
    visible_path: Path | None = None
    """The path in messages, if it is not `path`, which may lead through an opened folder."""


def write_texts(texts: Sequence[NewText], tag: str = NO_RUN) -> None:
    """Write texts under hidden names, sync them, and then give them their names, in this order. Raises OSError.

    A file that a person wrote or changed, or a link, is renamed to a numbered name, which is printed. If several processes may
    write these files, each needs a different `tag` (16 hex digits). The tag NO_RUN means that this process is the only one. Then a
    file with `can_exchange` is exchanged with its new text in one step, if the file system supports that, and compared after that.
    So an edit is kept even if it was saved right before.
    """
    staged = [_hidden_path(text.path, HiddenKind.COPY, tag) for text in texts]
    try:
        for path, text in zip(staged, texts, strict=True):
            clear_path(path, text.visible_path and text.visible_path.with_name(path.name))
            with create_text(path) as file:
                file.write(text.text)
        for path, text in zip(staged, texts, strict=True):
            _replace(path, text, tag)
            sync_folder(path.parent)
    finally:
        for path in staged:
            with contextlib.suppress(IsADirectoryError):  # a folder with content: `clear_path` raised an error
                path.unlink(missing_ok=True)


def _replace(staged: Path, new: NewText, tag: str) -> None:
    """Give a staged text its name; try again if another program writes or removes the file meanwhile."""
    new = new._replace(is_own=cache(new.is_own))
    aside = _hidden_path(new.path, HiddenKind.ASIDE, tag)
    for _ in range(_TRIES):
        _remove_or_keep(aside, new)
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            _keep_foreign(new)
            if not os.path.lexists(new.path):
                rename_noreplace(staged, new.path)
                return
            if not (new.can_exchange and tag == NO_RUN) or new.path.is_dir():
                break
            if not _try_exchange(staged, aside, new.path):
                break
            _remove_or_keep(aside, new)
            return
    _keep_foreign(new)
    try:
        staged.replace(new.path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(new.path)) from error


def _try_exchange(staged: Path, aside: Path, path: Path) -> bool:
    """Exchange a staged text with the file, which gets the name `aside`; return False if the file system does not support it."""
    rename_noreplace(staged, aside)
    try:
        if exchange_names(aside, path):
            return True
    except OSError:
        aside.rename(staged)
        raise
    aside.rename(staged)
    return False


def _remove_or_keep(aside: Path, new: NewText) -> None:
    """Remove a replaced file, or keep it if a person wrote it or it cannot be read. Do nothing if there is none.

    A FIFO or other special file, which has no bytes to keep, is removed.
    """
    with contextlib.suppress(FileNotFoundError):  # there is none, or another run does the same
        try:
            is_foreign = not new.is_own(read_bytes(aside))
        except OSError:
            is_foreign = stat.S_IFMT(aside.lstat().st_mode) in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)
        if is_foreign:
            _keep(aside, new)
        else:
            aside.unlink()


def _keep_foreign(new: NewText) -> None:
    """Rename a file that a person wrote or changed, and any link. Raises OSError if a file cannot be read."""
    try:
        if new.is_own(read_bytes(new.path)):
            return
    except OSError:
        if not new.path.is_symlink():
            if not new.path.is_file():
                return  # a FIFO has no bytes to keep, and a folder cannot be replaced
            raise
    _keep(new.path, new)


def _keep(source: Path, new: NewText) -> None:
    """Rename the file at `source` to the first unused name `<path>.<k>`, and print that name. Raises OSError."""
    path = new.path
    k = 1
    while True:
        new_path = path.with_name(f"{path.name}.{k}")
        try:
            rename_noreplace(source, new_path, others_may_write_source=True)
        except FileExistsError:
            k += 1
        else:
            what = "is a link" if new_path.is_symlink() else "is not as qxbatch wrote it"
            print(f"{new.visible_path or path} {what}, so it was renamed to {new_path.name}.", file=sys.stderr)
            return


def _hidden_path(path: Path, kind: HiddenKind, tag: str) -> Path:
    return path.with_name(hidden_name(kind, tag, path.name))
