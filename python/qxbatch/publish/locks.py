"""Locks for packets and sessions, so that several runs can share one folder.

A lock is a file. The file's name is a hash of the lock's name, and its content, the record, describes the holder. The file is
written under a temporary name and then renamed, so it is complete when it appears. The holder also has the kernel's lock (flock) on
it, if available, and renews its modification time every 15 s.

- If the holder runs on the same kernel (equal boot ids) and sees the file on the same device, the kernel's lock decides. It ends
  with its process, so the locks of a killed run are free at once.
- Otherwise the kernel's lock may not be visible here (NFS with local_lock, Lustre with localflock), or there is none. Then the
  lock is in use as long as its modification time is renewed (qxbatch.publish.heartbeats).

Host and process are recorded only for people who read the file. In containers every run is process 1 of some host.
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

from qxbatch.publish.durable import make_folder, rename_noreplace
from qxbatch.publish.lock_holder import last_holder_clause
from qxbatch.publish.lock_remains import is_unwritten, remove_non_file
from qxbatch.publish.plain_files import refuse_link
from qxbatch.textfile import naming_path

TYPE_CHECKING = False
if TYPE_CHECKING:  # a run without locks of other hosts does not need it
    from qxbatch.publish.heartbeats import Heartbeats

RENEW_SECONDS = 15.0
"""Seconds between two renewals of a lock."""
RETRY_SECONDS = 0.02
"""Seconds between two tries to take a lock that another run checks at this moment."""
TRIES = 3
"""Number of times that `take` tries while another run checks the lock."""
LONGEST_WAIT_SECONDS = 600.0
"""Seconds after which `acquired` does not call `take` again."""
ENDING_WAIT_SECONDS = 5.0
"""The same if the run is to end."""
_NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Errors if the file system has no locks of the kernel."""
_LOST = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EACCES)
"""Errors that show that the lock's file was removed, or that another run has a file of that name, perhaps of another user."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LONGEST_RECORD = 4096
"""Bytes; a longer record is cut."""
_JOB = ", job "
"""In a record, between the holder's process and the name of its cluster job."""

Flock = Callable[[int, int], None]


class Lock(NamedTuple):
    """A lock that this run took. The run holds it as long as the lock's file contains this record."""

    path: Path
    descriptor: int
    record: bytes


class _LockFile:
    """The state of a lock's file when it was checked."""

    def __init__(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        self.record = os.pread(descriptor, LONGEST_RECORD, 0)
        self._inode = status.st_ino
        self._mtime_ns = status.st_mtime_ns

    def is_same_as(self, other: "_LockFile") -> bool:
        """Return whether both are the same lock, which was not renewed between the two checks.

        A lock is identified by its record, since some file systems change inodes; a file without a record by its inode.
        """
        same_file = bool(self.record) or self._inode == other._inode
        return same_file and (self.record, self._mtime_ns) == (other.record, other._mtime_ns)


class Locks:
    """The locks that one run holds in one folder.

    - `flock`: the call of the kernel; None if it has none. `boot`: identifies this kernel; by default its boot id.
    - `notify`: is called once, with a sentence, before the first wait that shows whether a lock of another host is stale.
    - `job`: names the cluster job of the run. `has_ended`: returns whether the job of that name has ended. If so, its locks are
      stale as soon as this run has seen that they are not renewed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        flock: Flock | None = fcntl.flock,
        boot: str | None = None,
        notify: Callable[[str], None] | None = None,
        job: str = "",
        has_ended: Callable[[str], bool] | None = None,
    ) -> None:
        self.folder = folder
        self._job = job
        self._has_ended = has_ended
        self._flock = flock
        self._boot = boot
        self._notify = notify
        self._stop_waiting = threading.Event()
        self._held_locks: dict[Path, Lock] = {}
        self._guard = threading.Lock()
        self._stop_renewing = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="heartbeat", daemon=True)

    def take(self, name: str) -> Lock | None:
        """Acquire the lock with that name; return None if another run, or another thread of this one, holds it.

        If a lock of another host looks stale, waits to see whether it is renewed. Raises OSError when the folder of locks cannot
        be written.
        """
        for _ in range(TRIES):  # a run that sweeps holds the kernel's lock for a moment
            lock = self._try(name)
            if lock is not None:
                return lock
            time.sleep(RETRY_SECONDS)
        return None

    def is_held_here(self, name: str) -> bool:
        """Return whether this process holds the lock with that name."""
        with self._guard:
            return self._path(name) in self._held_locks

    def _path(self, name: str) -> Path:
        import hashlib

        return self.folder / f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.lock"

    def _try(self, name: str) -> Lock | None:
        """Try to take the lock, after a stale one is removed; return None if another run holds or checks it."""
        path = self._path(name)
        while True:
            make_folder(self.folder)
            with contextlib.suppress(FileNotFoundError):  # another run removed the empty folder, or swept, meanwhile
                lock = self._create(path, name)
                if lock is not None or not self._try_free(path, wait=True):
                    return lock

    def _create(self, path: Path, name: str) -> Lock | None:
        """Create the lock's file, complete and locked before it appears; return None if it exists."""
        with self._guard:
            if self._thread.ident is None:  # not started
                self._thread.start()
        new = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
        try:
            record, descriptor = self._write(new, name)
            try:
                rename_noreplace(new, path)
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
            self._held_locks[path] = lock
        return lock

    def _write(self, new: Path, name: str) -> tuple[bytes, int]:
        """Write a lock's file; return its content and a descriptor with the kernel's lock, if available."""
        kernel = self._flock
        with naming_path(new), new.open("xb") as file:  # closed, so that a network file system stores it
            record = self._record(name, os.fstat(file.fileno()).st_dev)
            file.write(record)
        descriptor = os.open(new, os.O_RDWR | os.O_CLOEXEC)
        try:
            is_locked = self._try_flock(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        # A run that sweeps can hold the kernel's lock at this moment. Or the kernel has no locks here; the record must say so.
        if not is_locked or self._flock is not kernel:
            os.close(descriptor)
            new.unlink(missing_ok=True)
            return self._write(new, name)
        return record, descriptor

    def _record(self, name: str, device: int) -> bytes:
        """Return the content of a lock's file. `device` is the file's `st_dev`: on an overlay, its folder has another."""
        import socket

        kernel_and_device = f"{self._kernel()} {device}" if self._flock else "none"
        holder = f"process {os.getpid()} on {socket.gethostname()}" + (f"{_JOB}{self._job}" if self._job else "")
        text = f"{kernel_and_device}\n{os.urandom(8).hex()}\n{holder}\n{name}\n"
        return text.encode("utf-8", "surrogateescape")[:LONGEST_RECORD]

    def _kernel(self) -> str:
        """Return this kernel's boot id; if it cannot be read, a random one."""
        if self._boot is None:
            try:
                self._boot = BOOT_ID.read_text("ascii").strip()
            except (OSError, ValueError):
                self._boot = os.urandom(16).hex()
        return self._boot

    def _try_flock(self, descriptor: int) -> bool:
        """Take the kernel's lock on an open file; return False if another process has it. Without such locks, return True."""
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

    def _try_free(self, path: Path, *, wait: bool) -> bool:
        """Remove the lock of a dead run, or what is not a file, from the path of a lock; return whether the path is free now.

        With `wait`, a lock of another host that may be stale is observed until that is known. Raises OSError.
        """
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                remove_non_file(path)
                return True
            descriptor = _open_lock_file(path, os.O_RDWR)
        except (FileNotFoundError, _NoFileError):
            return True
        except PermissionError:  # another user's file: most file systems allow locking without write permission
            descriptor = _open_lock_file(path, os.O_RDONLY)
        try:
            if not self._try_flock(descriptor):
                return False
            lock_file = _LockFile(descriptor)
            if not _is_at(path, lock_file):  # it was released, and the path has the lock of another run now
                return False
            if not self._is_of_this_kernel(lock_file.record, descriptor):
                job_ended = wait and self._job_has_ended(lock_file.record)
                if not self._heartbeats.is_stale(path, wait=wait, job_ended=job_ended):
                    return False
            return _try_remove(path, lock_file)
        finally:
            os.close(descriptor)

    def _is_of_this_kernel(self, record: bytes, descriptor: int) -> bool:
        """Return whether a lock was taken on this kernel, so that the kernel's lock decides whether it is held."""
        kernel_and_device = f"{self._kernel()} {os.fstat(descriptor).st_dev}"
        return self._flock is not None and record.startswith(f"{kernel_and_device}\n".encode())

    def _job_has_ended(self, record: bytes) -> bool:
        """Return whether the run that wrote a record is of a job that has ended, or of this run's own job, which was requeued."""
        lines = record.decode("utf-8", "surrogateescape").splitlines()
        job = lines[2].partition(_JOB)[2] if self._has_ended is not None and len(lines) > 2 else ""  # noqa: PLR2004 - the holder
        return bool(job) and (job == self._job or (self._has_ended is not None and self._has_ended(job)))

    @cached_property
    def _heartbeats(self) -> "Heartbeats":
        from qxbatch.publish.heartbeats import Heartbeats

        return Heartbeats(self.folder, self._notify, self._stop_waiting)

    @contextmanager
    def acquired(self, name: str) -> Iterator[None]:
        """Hold a lock for the `with` block; first wait for it. Only for locks that every run holds just for a moment.

        Raises OSError when the folder of locks cannot be written, TimeoutError after LONGEST_WAIT_SECONDS, and CancelledError
        after ENDING_WAIT_SECONDS if `interrupt` was called.
        """
        began = time.monotonic()
        while (lock := self.take(name)) is None:
            seconds = time.monotonic() - began
            if self._stop_waiting.is_set() and seconds > ENDING_WAIT_SECONDS:
                from qxbatch.core import CancelledError

                raise CancelledError
            if seconds > LONGEST_WAIT_SECONDS:
                raise self._timeout(name)
        try:
            yield
        finally:
            self.release(lock)

    def _timeout(self, name: str) -> TimeoutError:
        text = f"the lock {name!r} was not free for {LONGEST_WAIT_SECONDS:g} s{last_holder_clause(self._path(name))}"
        return TimeoutError(errno.ETIMEDOUT, text, str(self.folder))

    def release(self, lock: Lock) -> None:
        """Release the lock and remove its file."""
        with self._guard:
            self._held_locks.pop(lock.path, None)
        with contextlib.suppress(
            OSError
        ):  # the folder became read-only, or too many files are open: the next run sweeps
            if self.holds(lock):
                lock.path.unlink()
        os.close(lock.descriptor)

    def holds(self, lock: Lock) -> bool:
        """Return whether this run still holds a lock. It loses a lock that it does not renew for longer than other hosts wait.

        Raises OSError if that cannot be seen now, as with too many open files.
        """
        try:
            descriptor = _open_lock_file(lock.path, os.O_RDONLY)
        except _NoFileError:
            return False
        except OSError as error:
            if error.errno not in _LOST:
                raise
            return False
        try:
            return os.read(descriptor, LONGEST_RECORD) == lock.record
        finally:
            os.close(descriptor)

    def sweep(self) -> None:
        """Remove the files of locks that killed runs left, as far as that is known without waiting.

        Does nothing if the folder, or the one that contains it, is a link, which may lead out of the study.
        """
        with contextlib.suppress(OSError):
            refuse_link(self.folder.parent)
            refuse_link(self.folder)
            for path in sorted(self.folder.iterdir()):
                with contextlib.suppress(OSError):
                    if is_unwritten(path):
                        path.unlink()  # a live run that is about to write it creates another one
                    else:
                        self._try_free(path, wait=False)

    def interrupt(self) -> None:
        """End the waits for locks, because this run is to end; `acquired` continues until it has waited for ENDING_WAIT_SECONDS."""
        self._stop_waiting.set()

    def close(self) -> None:
        """Stop renewing. Locks that are still held become stale for other hosts."""
        self._stop_renewing.set()
        if self._thread.ident is not None:  # it was started
            self._thread.join()

    def _renew(self) -> None:
        while not self._stop_renewing.wait(RENEW_SECONDS):
            with self._guard:
                for lock in self._held_locks.values():
                    with contextlib.suppress(OSError):
                        os.utime(lock.descriptor)


class _NoFileError(OSError):
    """The path of a lock is not a regular file, but for example a FIFO."""


def _open_lock_file(path: Path, flags: int) -> int:
    """Open a lock's file; return its descriptor. Raises OSError, and _NoFileError at once if it is not a regular file."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _NoFileError(errno.EINVAL, "is not a regular file", str(path))


def _is_at(path: Path, lock_file: _LockFile) -> bool:
    """Return whether the path still has the lock that was opened there. Raises OSError."""
    descriptor = _open_lock_file(path, os.O_RDONLY)
    try:
        return _LockFile(descriptor).is_same_as(lock_file)
    finally:
        os.close(descriptor)


def _try_remove(path: Path, lock_file: _LockFile) -> bool:
    """Remove a lock's file if it is still the checked one; return whether the path is free.

    Two runs may have checked the same file: only one of them can rename it.
    """
    aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return True
    try:
        is_checked = _is_at(aside, lock_file)
    except _NoFileError:
        is_checked = True
    if is_checked:
        aside.unlink()
        return True
    with contextlib.suppress(FileExistsError):  # the holder checks its lock before it publishes, and notices the loss
        rename_noreplace(aside, path)
    return False
