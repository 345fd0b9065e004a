r"""What is mounted in other mount namespaces than that of the host's first process: of containers, services, people.

proc/<pid>/mountinfo of every process is world-readable, unless proc is mounted with hidepid=. A namespace is told by the ID of
its first mount, which no other namespace has, so that of thousands of processes only the first line is read. Of each
namespace those lines count whose file system process 1 does not have mounted itself. They are recorded as
`proc/namespaces/mountinfo` in a capture; where nobody looked there is no such file.
"""

from __future__ import annotations

import os

from hostagent.host.blockdev import CLASS, directory
from hostagent.host.limits import TEXT_BYTES
from hostagent.host.mounts import MOUNTINFO, Mount, mountinfo_line, mounts
from hostagent.host.reader import Reader
from hostagent.host.regular import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMESPACES = "proc/namespaces/mountinfo"
# More namespaces than this are not looked at.
MOST = 256
_HEAD = 64
_FIRST = "1"
# A line of a mount of this type stands for all that were not looked at.
_REST = "more"
_TOO_MANY = f"0 0 0:0 / /proc rw - {_REST} none rw"


def mounts_elsewhere(reader: Reader) -> tuple[tuple[Mount, ...], bool | None]:
    """Mounts of file systems that process 1 has not mounted, and whether all namespaces were looked at; None: nobody looked."""
    return reader.once(_mounts_elsewhere)


def _mounts_elsewhere(reader: Reader) -> tuple[tuple[Mount, ...], bool | None]:
    host = reader.host
    if host.live and not reader.exists(MOUNTINFO[0]):
        return (), None
    own = {mount.number for mount in mounts(reader) if mount.root is not None}
    text = reader.recorded(NAMESPACES, lambda: _collected(f"{host.root.rstrip('/')}/proc", own), anywhere=True)
    if text is None:
        # Somebody else's tree, in which other processes may be.
        text = _written(reader, own)
    if text is None:
        return (), None
    found = []
    whole = True
    for line in text.split("\n"):
        mount = mountinfo_line(line)
        if mount is None and line:
            reader.malformed(NAMESPACES, "a mount", line)
        whole = whole and (mount is None or mount.filesystem != _REST)
        found += [] if mount is None else [mount]
    return tuple(found), whole


def _written(reader: Reader, own: set[str | None]) -> str | None:
    """The lines that count, of the processes that a tree has; None where it has no other than the first."""
    others = sorted((name for name in reader.names("proc") if name.isdecimal() and name != _FIRST), key=int)
    texts = [text for pid in others[:MOST] if (text := reader.raw(f"proc/{pid}/mountinfo")) is not None]
    if not texts:
        return None
    found = dict.fromkeys(
        line for text in texts for line in _counting(text, own, lambda name: directory(reader, name) is not None)
    )
    return "".join(f"{line}\n" for line in (*sorted(found), *([_TOO_MANY] if len(others) > MOST else [])))


def _collected(proc: str, own: set[str | None]) -> str:
    """The lines that count, of all namespaces, each once."""
    seen: set[bytes] = set()
    found: dict[str, None] = {}
    for pid in sorted((name for name in os.listdir(proc) if name.isdecimal()), key=int):
        head = _read(f"{proc}/{pid}/mountinfo", _HEAD).partition(b" ")[0]
        if not head or head in seen:
            continue
        if len(seen) > MOST:
            found[_TOO_MANY] = None
            break
        seen.add(head)
        if pid != _FIRST:
            found |= dict.fromkeys(_counting(_read(f"{proc}/{pid}/mountinfo", TEXT_BYTES), own, _is_block_device))
    return "".join(f"{line}\n" for line in sorted(found))


def _is_block_device(name: str) -> bool:
    return os.path.lexists(f"/{CLASS}/{name}")


def _counting(text: bytes, own: set[str | None], is_block_device: Callable[[str], bool]) -> Iterator[str]:
    """Lines of file systems not mounted by process 1, without what differs from mount to mount, and device nodes bound there."""
    for line in text.decode("utf-8", "replace").split("\n"):
        fields = line.split(" ")
        if len(fields) < 9 or "-" not in fields[6:-2]:
            continue
        dash = fields.index("-", 6)
        kind = fields[dash + 1]
        node = kind == "devtmpfs" and is_block_device(fields[3].strip("/").replace("/", "!") or "?")
        if node or (fields[2] not in own and (not fields[2].startswith("0:") or kind in _WITHOUT_NUMBER)):
            yield " ".join(["0", "0", *fields[2:5], "rw", *fields[dash:]])


# File systems of storage without a block device of their own; overlays are on what is mounted anyway.
_WITHOUT_NUMBER = frozenset(("btrfs", "bcachefs", "zfs", "virtiofs", "9p"))


def _read(path: str, most: int) -> bytes:
    """The first bytes of a file of proc; none where its process has ended or is not for us."""
    try:
        # /proc is procfs; below another root it may be anything, and nodes are not to be opened.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path.startswith("/proc/") else opened(path)[0]
    except OSError:
        return b""
    try:
        return _all(fd, most)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _all(fd: int, most: int) -> bytes:
    parts, size = [], 0
    while size < most and (data := os.read(fd, most - size)):
        parts.append(data)
        size += len(data)
        if most == _HEAD:
            break
    return b"".join(parts)
