"""Locks per packet and per session, so that several runs share one folder.

The kernel's lock (flock) is the truth where the file system has one: it ends with its process. Where it has none, a
file made with O_EXCL is the lock; its owner renews it, and one that was not renewed for two minutes belongs to a dead
run. Host and pid are written for the message only: in containers every run is pid 1 of some host.
"""

import contextlib
import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RENEW_SECONDS = 15.0
STALE_SECONDS = 120.0
WAIT_SECONDS = 0.02
SWEEPS = 3
LONGEST_WAIT = 600.0
_NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@dataclass
class Lock:
    """A held lock; `descriptor` is None for a heartbeat file."""

    path: Path
    descriptor: int | None
    file: tuple[int, int] = (0, 0)
    """Device and inode: a heartbeat that was taken over meanwhile is another file of the same name."""


class Locks:
    """The locks that one run holds in one folder."""

    def __init__(self, folder: Path, *, flock: bool = True) -> None:
        self.folder = folder
        self._flock = flock
        self._beating: dict[Path, Lock] = {}
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, name: str) -> Lock | None:
        """Take the lock of that name; None when another run holds it, and not just for the moment of a sweep.

        Raises OSError when the folder of locks cannot be written.
        """
        for _ in range(SWEEPS):
            lock = self._try(name)
            if lock is not None:
                return lock
            time.sleep(WAIT_SECONDS)
        return None

    def _try(self, name: str) -> Lock | None:
        import hashlib

        path = self.folder / f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.lock"
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # a run that ended removed the empty folder meanwhile
                return self._take(path, name)

    def _take(self, path: Path, name: str) -> Lock | None:
        if self._flock:
            try:
                return _take_flock(path, name)
            except _FlockUnsupportedError:
                self._flock = False
        return self._take_heartbeat(path.with_suffix(".beat"), name)

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        """Hold the lock of that name; wait while another one holds it, for it does so only for a moment.

        Raises OSError when the folder of locks cannot be written, TimeoutError when its holder is stopped.
        """
        until = time.monotonic() + LONGEST_WAIT
        while (lock := self.take(name)) is None:
            if time.monotonic() > until:
                raise TimeoutError(
                    errno.ETIMEDOUT, f"the lock {name!r} is held by a run that does not go on", str(self.folder)
                )
        try:
            yield
        finally:
            self.release(lock)

    def release(self, lock: Lock) -> None:
        """Give the lock up and remove its file."""
        with self._guard:
            self._beating.pop(lock.path, None)
        if _same_file(lock.descriptor, lock.path) if lock.descriptor is not None else self.holds(lock):
            with contextlib.suppress(OSError):  # a folder that was made read-only meanwhile: the next run sweeps
                lock.path.unlink()
        if lock.descriptor is not None:
            os.close(lock.descriptor)

    def holds(self, lock: Lock) -> bool:
        """Whether a lock is still ours: a heartbeat is lost when the machine slept longer than others wait."""
        return lock.descriptor is not None or _identity(lock.path) == lock.file

    def sweep(self) -> None:
        """Remove the files of locks that nobody holds any more: those of killed runs."""
        with contextlib.suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                with contextlib.suppress(OSError, _FlockUnsupportedError):
                    self._sweep(path)

    def _sweep(self, path: Path) -> None:
        if path.suffix == ".lock" and self._flock:
            lock = _take_flock(path, "")
            if lock is not None:
                self.release(lock)
        elif path.suffix != ".lock" and _is_stale(path):
            _remove_stale(path)

    def close(self) -> None:
        """Stop renewing. Locks still held are left to go stale."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _take_heartbeat(self, path: Path, name: str) -> Lock | None:
        for _ in range(2):
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                if not _is_stale(path):
                    return None
                _remove_stale(path)
                continue
            with os.fdopen(descriptor, "wb") as file:
                file.write(_owner(name))
            lock = Lock(path, None, _identity(path))
            with self._guard:
                self._beating[path] = lock
                if self._thread is None:
                    self._thread = threading.Thread(target=self._renew, name="heartbeat", daemon=True)
                    self._thread.start()
            return lock
        return None

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            with self._guard:
                locks = list(self._beating.values())
            for lock in locks:
                with contextlib.suppress(OSError):
                    if self.holds(lock):
                        os.utime(lock.path)


class _FlockUnsupportedError(Exception):
    pass


def _take_flock(path: Path, name: str) -> Lock | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            unused = os.fstat(descriptor).st_size == 0
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            if error.errno in _NO_FLOCK:
                if unused:
                    path.unlink(missing_ok=True)
                raise _FlockUnsupportedError from error
            raise
        if _same_file(descriptor, path):
            os.truncate(descriptor, 0)
            os.write(descriptor, _owner(name))
            return Lock(path, descriptor)
        os.close(descriptor)  # its last owner removed the file between our open and our lock


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)


def _is_stale(path: Path) -> bool:
    """Compare with the file system's own clock: that of this machine may differ, or jump."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            now = os.fstat(probe.fileno()).st_mtime
        return now - path.stat().st_mtime > STALE_SECONDS
    except FileNotFoundError:
        return True


def _remove_stale(path: Path) -> None:
    """Move the file aside first: of two runs that see it stale, one wins the rename."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
        aside.unlink()


def _owner(name: str) -> bytes:
    import socket

    return f"{name}\nheld by process {os.getpid()} on {socket.gethostname()}\n".encode("utf-8", "surrogateescape")
