"""A file that one process writes to: flock(2) on the file itself, whose lock moves to the new one with every rename.

No lock file is left behind by kill -9: the kernel lets go of a lock with its process. Whoever would write asks
first whether the file that is there is locked. The new file is locked before it takes the old one's place, so at no moment is
there one without a lock; two that begin at once are kept apart by a lock on the directory, held for as long as one write takes.

Where locks do not work (some NFS and FUSE mounts) the file is written all the same, and `locks` is False. Readers need no lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hostagent.publish.whole import replaced_whole

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF}
DIRECTORY_SECONDS, PAUSE_SECONDS = 2.0, 0.02


class OwnedFile:
    """One path, ours from the first write on, until `release` or the end of the process."""

    def __init__(self, path: str) -> None:
        """Nothing is locked yet."""
        self.path = path
        self.locks = True
        self._fd: int | None = None

    def write(self, data: bytes, *, mode: int) -> None:
        """Replace the file as a whole. Raises OSError, EBUSY where another process owns it."""
        with self._alone():
            if not self._is_ours() and self._is_anothers():
                raise OSError(errno.EBUSY, "another agent writes to it")
            before = self._fd
            try:
                replaced_whole(self.path, data, mode=mode, prepare=self._lock)
            except OSError:
                if self._fd != before:
                    self.release()
                self._fd = before
                raise
            if before is not None:
                os.close(before)

    def release(self) -> None:
        """Let others have it."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _lock(self, temporary: str) -> None:
        # Not by the descriptor that writes: one that stays would keep the file system from being remounted read-only.
        self._fd = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
        self.locks = _try(self._fd, fcntl.LOCK_EX) is not None

    def _is_ours(self) -> bool:
        if self._fd is None:
            return False
        found = os.fstat(self._fd)
        with suppress(OSError):
            there = os.lstat(self.path)
            return (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino)
        return False

    def _is_anothers(self) -> bool:
        try:
            if not stat.S_ISREG(os.lstat(self.path).st_mode):  # a device node is never opened
                return False
            fd = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return _try(fd, fcntl.LOCK_SH) is False
        finally:
            os.close(fd)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """With the directory locked. A process that holds it for long is no agent, and is waited for another time."""
        fd = os.open(os.path.dirname(self.path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            patience = time.monotonic() + DIRECTORY_SECONDS
            while _try(fd, fcntl.LOCK_EX) is False:
                if time.monotonic() > patience:
                    raise OSError(errno.EBUSY, "another process keeps its directory locked")
                time.sleep(PAUSE_SECONDS)
            yield
        finally:
            os.close(fd)


def _try(fd: int, kind: int) -> bool | None:
    """Whether the lock is ours now; None where there are no locks."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _WITHOUT_LOCKS:
            return None
        raise
    return True
