"""Opening regular files and nothing else: to open a device node may act on the machine, to open a FIFO is to be its reader.

    /dev/watchdog (c 10 130)    armed by open(2): the machine resets unless somebody pings it from then on

A path is opened with O_PATH first, which runs no driver and wakes no writer (open(2)); what that descriptor is, fstat says; and
only a regular file is opened for reading, through the descriptor (/proc/self/fd/N), so that nobody can put something else in
its place meanwhile. Where our own /proc is not there, a file cannot be read without that danger, and is not.
"""

from __future__ import annotations

import errno
import os
import stat

from hostagent.host.limits import CHUNK, PAGE

_HANDLE = os.O_PATH | os.O_CLOEXEC
# O_NONBLOCK: mandatory locks and leases of a regular file must not hang the survey either.
_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_NODES = (
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)


class NotRegularError(OSError):
    """Where a file is expected stands what is not opened to be read; `strerror` names it."""


class TooLargeError(Exception):
    """A file that does not end within the bytes allowed."""


def opened(path: str, *, at: int | None = None, follow: bool = True) -> tuple[int, int]:
    """A descriptor to read a regular file from, and its size. `path` is below the directory `at`, where given.

    Raises NotRegularError, and OSError as open(2) would: EISDIR for a directory, ELOOP for a link that is not to be followed.
    """
    handle = os.open(path, _HANDLE if follow else _HANDLE | os.O_NOFOLLOW, dir_fd=at)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            refuse_nodes(found.st_mode, path)
            number = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.ELOOP
            raise OSError(number, os.strerror(number), path)
        try:
            return os.open(f"/proc/self/fd/{handle}", _READING), found.st_size
        except FileNotFoundError as error:
            if os.path.exists("/proc/self/fd"):
                raise
            # Not absence of the file, which would be an answer.
            raise OSError(errno.ENOSYS, "no /proc/self/fd to open it through", path) from error
    finally:
        os.close(handle)


def refuse_nodes(mode: int, path: str) -> None:
    """Raise NotRegularError where what has this mode is a device node, a FIFO or a socket."""
    for of_kind, name in _NODES:
        if of_kind(mode):
            raise NotRegularError(errno.EINVAL, f"not a regular file: {name}", path)


def slurp(fd: int, first: int, limit: int) -> bytes:
    """All bytes of an open file, `first` of them in one piece. A short piece of a page is the whole of a sysfs attribute."""
    data = os.read(fd, first)
    if first == PAGE and len(data) < PAGE:
        return data
    parts, size = [data], len(data)
    while data:
        data = os.read(fd, CHUNK)
        parts.append(data)
        size += len(data)
        if size > limit:
            raise TooLargeError
    return b"".join(parts)


def content(path: str, limit: int) -> bytes:
    """The bytes of a regular file that a person or a configuration names. Raises OSError, or TooLargeError past `limit`."""
    fd, _ = opened(path)
    try:
        return slurp(fd, CHUNK, limit)
    finally:
        os.close(fd)
