"""What is planted where a file is expected: device nodes, FIFOs and sockets; and a witness of what was opened."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from pathlib import Path

import pytest

# /dev/full and a loop device's number: opening the first succeeds, and reads zeros without end.
KINDS = {
    "a character device": (stat.S_IFCHR, os.makedev(1, 7)),
    "a block device": (stat.S_IFBLK, os.makedev(7, 0)),
    "a FIFO": (stat.S_IFIFO, 0),
    "a socket": (stat.S_IFSOCK, 0),
}
_IN_OPEN, _IN_NONBLOCK = 0x20, os.O_NONBLOCK
_EVENT = struct.Struct("iIII")


def makeable(kind: str) -> bool:
    """Whether nodes of this kind can be made here: device nodes are root's, and not everywhere root's either."""
    place = Path(f"/tmp/hostagent-test-{os.getpid()}")
    try:
        os.mknod(place, KINDS[kind][0] | 0o600, KINDS[kind][1])
        if kind == "a character device":
            # A file system mounted nodev makes nodes that nobody can open.
            os.close(os.open(place, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    finally:
        place.unlink(missing_ok=True)
    return True


def nodes() -> list[object]:
    """Parameters: each kind, skipped where it cannot be made."""
    return [
        pytest.param(kind, id=kind.split()[-1], marks=[] if makeable(kind) else pytest.mark.skip(reason="mknod"))
        for kind in KINDS
    ]


def put_node(path: Path, kind: str) -> None:
    """A node of this kind in place of whatever is at `path`."""
    path.unlink(missing_ok=True)
    os.mknod(path, KINDS[kind][0] | 0o666, KINDS[kind][1])


class Opened:
    """Counts opens of paths by whomever, as the kernel tells them (inotify(7), IN_OPEN). O_PATH is no open."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(_IN_NONBLOCK)
        assert self._fd >= 0, os.strerror(ctypes.get_errno())
        self._paths: dict[int, Path] = {}

    def watch(self, path: Path) -> None:
        """Tell of this one too."""
        watch = self._libc.inotify_add_watch(self._fd, os.fsencode(path), _IN_OPEN)
        assert watch >= 0, os.strerror(ctypes.get_errno())
        self._paths[watch] = path

    def paths(self) -> list[Path]:
        """What was opened since the last question."""
        found = []
        try:
            while data := os.read(self._fd, 1 << 16):
                at = 0
                while at < len(data):
                    watch, mask, _, length = _EVENT.unpack_from(data, at)
                    at += _EVENT.size + length
                    found += [self._paths[watch]] if mask & _IN_OPEN else []
        except BlockingIOError:
            pass
        return found

    def close(self) -> None:
        """End of watching."""
        os.close(self._fd)
