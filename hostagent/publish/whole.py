"""Writing a file so that readers see the old one or the new one, never half, whatever happens meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from hostagent.host.regular import refuse_nodes


def write_whole(path: str, data: bytes, *, mode: int) -> None:
    """Replace `path` by `data`: a hidden temporary file beside it, fsync, rename, fsync of the directory.

    The temporary name starts with a dot and does not keep the suffix: NFD skips the one, node_exporter the other. It is always
    the same, so that what a killed writer left is removed by the next, even if that runs as another user. Raises OSError and
    leaves nothing behind; a device node, FIFO or socket is not replaced.
    """
    replaced_whole(path, data, mode=mode, prepare=_as_it_is)


def replaced_whole(path: str, data: bytes, *, mode: int, prepare: Callable[[str], None]) -> None:
    """`write_whole`; `prepare` is called with the name of the new file before it takes its place."""
    directory, name = os.path.split(path)
    with suppress(FileNotFoundError):
        refuse_nodes(os.lstat(path).st_mode, path)
    temporary = os.path.join(directory, f".{name}.tmp")
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            prepare(temporary)
            left = memoryview(data)
            while left:
                left = left[os.write(fd, left) :]
            # fchmod, not the open mode: a umask of 0077 would hide the file from those it is written for.
            os.fchmod(fd, mode)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    _sync(directory)


def _as_it_is(_temporary: str) -> None:
    """Nothing is to be done to it."""


def _sync(directory: str) -> None:
    at = os.open(directory or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(at)
    finally:
        os.close(at)
