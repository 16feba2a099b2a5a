"""The hash of a file, computed so that a signal ends it at once."""

import errno
import hashlib
import os
import stat
from pathlib import Path

_BLOCK = 1 << 20


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a regular file. Raises OSError.

    The file is read in blocks: between two of them, a signal can raise KeyboardInterrupt. A call of the core returns first.
    """
    digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        while count := file.readinto(block):
            digest.update(block[:count])
    return digest.hexdigest()
