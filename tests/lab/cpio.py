"""Files as an initramfs: the newc format of Documentation/driver-api/early-userspace/buffer-format.rst.

The kernel unpacks several archives put one after the other, so a machine's own files are appended to the common one.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import PurePosixPath

# path without leading slash -> mode with its type, content (a link's target)
Entry = tuple[str, int, bytes]


def file(path: str, content: bytes | str, mode: int = 0o644) -> Entry:
    """A regular file."""
    data = content.encode() if isinstance(content, str) else content
    return path.lstrip("/"), stat.S_IFREG | mode, data


def link(path: str, target: str) -> Entry:
    """A symbolic link."""
    return path.lstrip("/"), stat.S_IFLNK | 0o777, target.encode()


def folder(path: str, mode: int = 0o755) -> Entry:
    """A directory; those above a file need not be named."""
    return path.strip("/"), stat.S_IFDIR | mode, b""


def _with_parents(entries: Iterable[Entry]) -> list[Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        for parent in reversed(PurePosixPath(entry[0]).parents):
            if str(parent) != "." and str(parent) not in found:
                found[str(parent)] = folder(str(parent))
        found[entry[0]] = entry
    return list(found.values())


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def archive(entries: Iterable[Entry]) -> bytes:
    """The archive of `entries`, all owned by root, dated 1 (0 would make make-like tools wonder)."""
    parts = []
    for number, (path, mode, content) in enumerate([*_with_parents(entries), ("TRAILER!!!", 0, b"")], start=1):
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 1, len(content), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        parts += [_padded(header + name), _padded(content)]
    whole = b"".join(parts)
    return whole + b"\0" * (-len(whole) % 512)
