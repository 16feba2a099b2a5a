"""Locks for packets and sessions, so that several runs can share one folder.

A lock is a file that is named after the lock and describes its holder. The file appears complete under an unused name. The
holder also has the kernel's lock (flock) on it, if available, and renews its time.

- On one kernel (equal boot ids) the kernel's lock decides. It ends with its process, so the locks of a killed run are free.
- A kernel's lock may be local to its host (NFS with local_lock, Lustre with localflock), or missing. So a lock of another
  kernel is in use as long as its time changes. Clocks of hosts may differ: an old time counts only if it does not change
  while this run observes it (see `Beats`).

Host and process are recorded for people only: in containers every run is process 1 of some host.
"""

import contextlib
import errno
import fcntl
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from qxbatch.publish.durable import rename_new

TYPE_CHECKING = False
if TYPE_CHECKING:  # a run without locks of other hosts does not need it
    from qxbatch.publish.beats import Beats

RENEW_SECONDS = 15.0
WAIT_SECONDS = 0.02
SWEEPS = 3
LONGEST_WAIT = 600.0
ENDING_WAIT = 5.0
"""Seconds for which a run that ends still waits."""
_NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LONGEST_RECORD = 4096
_JOB = ", job "
"""In a record, between the holder and the job of the cluster in which it is."""

Flock = Callable[[int, int], None]


class Lock(NamedTuple):
    """A lock that is held as long as its file is the one that this run created."""

    path: Path
    descriptor: int
    record: bytes


class _LockFile:
    """The state of a lock file when it was checked."""

    def __init__(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        self.record = os.pread(descriptor, LONGEST_RECORD, 0)
        self._inode = status.st_ino
        self._mtime_ns = status.st_mtime_ns

    def is_same_as(self, other: "_LockFile") -> bool:
        """Return whether it is the same file and was not renewed. If a file system changes inodes, the record decides."""
        same_file = bool(self.record) or self._inode == other._inode
        return same_file and (self.record, self._mtime_ns) == (other.record, other._mtime_ns)


class Locks:
    """The locks that one run holds in one folder.

    `flock` is the kernel's call, None if unavailable; `boot` identifies this kernel. `tell` is called with a sentence
    before a wait of some seconds. `job` names the cluster job of the run; `has_ended` returns whether a job with such a name has
    ended. Its lock is then stale as soon as this run sees that it is not renewed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        flock: Flock | None = fcntl.flock,
        boot: str | None = None,
        tell: Callable[[str], None] | None = None,
        job: str = "",
        has_ended: Callable[[str], bool] | None = None,
    ) -> None:
        self.folder = folder
        self._job = job
        self._has_ended = has_ended
        self._flock = flock
        self._boot = boot
        self._notify = tell
        self._hurry = threading.Event()
        self._held: dict[Path, Lock] = {}
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, name: str) -> Lock | None:
        """Acquire the lock with that name; return None if another run holds it, except for the moment of a sweep.

        If a lock of another host looks stale, waits to see whether it is renewed.

        Raises OSError when the folder of locks cannot be written.
        """
        for _ in range(SWEEPS):
            lock = self._try(name)
            if lock is not None:
                return lock
            time.sleep(WAIT_SECONDS)
        return None

    def is_held_here(self, name: str) -> bool:
        """Return whether this process holds the lock with that name."""
        with self._guard:
            return self._path(name) in self._held

    def _path(self, name: str) -> Path:
        import hashlib

        return self.folder / f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.lock"

    def _try(self, name: str) -> Lock | None:
        path = self._path(name)
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(
                FileNotFoundError
            ):  # a run that ended removed the empty folder, or swept, meanwhile
                lock = self._create(path, name)
                if lock is not None or not self._freed(path, wait=True):
                    return lock

    def _create(self, path: Path, name: str) -> Lock | None:
        """Create the lock's file, complete and locked before it appears; return None if it exists."""
        new = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
        try:
            record, descriptor = self._write(new, name)
            try:
                rename_new(new, path)
            except BaseException:
                os.close(descriptor)
                raise
        except FileExistsError:
            new.unlink(missing_ok=True)
            return None
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise
        lock = Lock(path, descriptor, record)
        with self._guard:
            self._held[path] = lock
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, name="heartbeat", daemon=True)
                self._thread.start()
        return lock

    def _write(self, new: Path, name: str) -> tuple[bytes, int]:
        """Write a lock's file; return its content and a descriptor with the kernel's lock, if available."""
        kernel = self._flock
        with new.open("xb") as file:  # closed, so that a network file system stores it
            record = self._record(name, os.fstat(file.fileno()).st_dev)
            file.write(record)
        descriptor = os.open(new, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._try_flock(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        if self._flock is not kernel:  # the kernel has no locks here, and the record must say so
            os.close(descriptor)
            return self._write(new, name)
        return record, descriptor

    def _record(self, name: str, device: int) -> bytes:
        """Return the content of a lock's file. On an overlay its device differs from that of its folder."""
        import socket

        place = f"{self._kernel()} {device}" if self._flock else "none"
        holder = f"process {os.getpid()} on {socket.gethostname()}" + (f"{_JOB}{self._job}" if self._job else "")
        text = f"{place}\n{os.urandom(8).hex()}\n{holder}\n{name}\n"
        return text.encode("utf-8", "surrogateescape")[:LONGEST_RECORD]

    def _kernel(self) -> str:
        """Return this kernel's boot id; without one, an id that equals no other."""
        if self._boot is None:
            try:
                self._boot = BOOT_ID.read_text("ascii").strip()
            except (OSError, ValueError):
                self._boot = os.urandom(16).hex()
        return self._boot

    def _try_flock(self, descriptor: int) -> bool:
        """Lock an open file; return False if another process locked it. Without kernel locks, return True."""
        if self._flock is None:
            return True
        try:
            self._flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            self._flock = None
        return True

    def _freed(self, path: Path, *, wait: bool) -> bool:
        """Return whether a lock's file is missing, is no file, or belonged to a dead run; then it was removed."""
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                _remove_other(path)
                return True
            descriptor = _opened(path, os.O_RDWR)
        except (FileNotFoundError, _NoFileError):
            return True
        except PermissionError:  # another user's file: most file systems allow locking without write permission
            descriptor = _opened(path, os.O_RDONLY)
        try:
            if not self._try_flock(descriptor):
                return False
            lock_file = _LockFile(descriptor)
            if not self._is_ours(lock_file.record, descriptor):
                job_ended = wait and self._job_has_ended(lock_file.record)
                if not self._beats.is_stale(path, wait=wait, job_ended=job_ended):
                    return False
            return _removed(path, lock_file)
        finally:
            os.close(descriptor)

    def _is_ours(self, record: bytes, descriptor: int) -> bool:
        """Return whether the kernel that locked it is this one, which reports that it is no longer locked."""
        place = f"{self._kernel()} {os.fstat(descriptor).st_dev}"
        return self._flock is not None and record.startswith(f"{place}\n".encode())

    def _job_has_ended(self, record: bytes) -> bool:
        """Return whether the job that wrote a record has ended. A record of this job is from a previous run of it, which ended."""
        lines = record.decode("utf-8", "surrogateescape").splitlines()
        job = lines[2].partition(_JOB)[2] if self._has_ended is not None and len(lines) > 2 else ""  # noqa: PLR2004 - the holder
        return bool(job) and (job == self._job or (self._has_ended is not None and self._has_ended(job)))

    @cached_property
    def _beats(self) -> "Beats":
        from qxbatch.publish.beats import Beats

        return Beats(self.folder, self._notify, self._hurry)

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        """Hold the lock with that name; wait while another run holds it, which takes only a moment.

        Raises OSError when the folder of locks cannot be written, TimeoutError when its holder is stopped, and CancelledError
        when this run ends meanwhile.
        """
        began = time.monotonic()
        while (lock := self.take(name)) is None:
            seconds = time.monotonic() - began
            if self._hurry.is_set() and seconds > ENDING_WAIT:
                from qxbatch.core import CancelledError

                raise CancelledError
            if seconds > LONGEST_WAIT:
                raise TimeoutError(errno.ETIMEDOUT, f"the lock {name!r} is held by a stopped run", str(self.folder))
        try:
            yield
        finally:
            self.release(lock)

    def release(self, lock: Lock) -> None:
        """Release the lock and remove its file."""
        with self._guard:
            self._held.pop(lock.path, None)
        if self.holds(lock):
            with contextlib.suppress(OSError):  # the folder became read-only meanwhile: the next run sweeps
                lock.path.unlink()
        os.close(lock.descriptor)

    def holds(self, lock: Lock) -> bool:
        """Return whether this run still holds a lock: it is lost if the machine slept longer than runs on other hosts wait."""
        try:
            descriptor = _opened(lock.path, os.O_RDONLY)
        except OSError:
            return False
        try:
            return os.read(descriptor, LONGEST_RECORD) == lock.record
        finally:
            os.close(descriptor)

    def sweep(self) -> None:
        """Remove the files of locks without a holder: those of killed runs."""
        with contextlib.suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                with contextlib.suppress(OSError):
                    if _is_unwritten(path):
                        path.unlink()  # a run that was about to write it creates another one
                    else:
                        self._freed(path, wait=False)

    def interrupt(self) -> None:
        """Stop waiting for locks that may be stale: the run ends."""
        self._hurry.set()

    def close(self) -> None:
        """Stop renewing. Locks still held become stale."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            with self._guard:
                for lock in self._held.values():
                    with contextlib.suppress(OSError):
                        os.utime(lock.descriptor)


class _NoFileError(OSError):
    """Something else, perhaps a FIFO, was put in place of a lock."""


def _opened(path: Path, flags: int) -> int:
    """Open a lock's file; return its descriptor. Raises OSError; nothing else of that name, perhaps a FIFO, is waited for."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _NoFileError(errno.EINVAL, "is not a regular file", str(path))


def _is_unwritten(path: Path) -> bool:
    """Return whether a file is the temporary file of a lock whose run was killed before it wrote the lock."""
    return not path.name.endswith(".lock") and path.lstat().st_size == 0


def _remove_other(path: Path) -> None:
    """Remove what is no file at the path of a lock: a link, an empty folder, a FIFO. Raises OSError for a folder with content."""
    try:
        path.rmdir()
    except NotADirectoryError:
        aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
        path.rename(aside)
        if not stat.S_ISREG(aside.lstat().st_mode):
            aside.unlink()
            return
        with contextlib.suppress(FileExistsError):  # another run removed it and took the lock meanwhile
            rename_new(aside, path)


def _removed(path: Path, checked: _LockFile) -> bool:
    """Remove a lock's file if it is still the checked one: of two runs that checked it, one wins the rename."""
    aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return True
    try:
        descriptor = _opened(aside, os.O_RDONLY)
    except _NoFileError:
        aside.unlink()
        return True
    try:
        is_same_file = _LockFile(descriptor).is_same_as(checked)
    finally:
        os.close(descriptor)
    if is_same_file:
        aside.unlink()
        return True
    with contextlib.suppress(FileExistsError):  # its holder checks the lock before it publishes, and notices the loss
        rename_new(aside, path)
    return False
