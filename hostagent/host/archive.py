"""A capture archive as a tree in memory: nothing of it is ever written to disk.

An archive comes from another machine, perhaps from nobody we know. It is refused whole, with one line saying why, when
it holds absolute names, `..`, device nodes, FIFOs, hard links or links that lead out of it, or when it is larger than any
machine's sysfs. Two kinds of link that other capture tools really write are let through, because no probe follows them:
`driver` and `subsystem` links below sys/ that climb too far (their last component is the fact), and the links of
/proc/<pid>/ (`cwd`, `exe`, `root`, `fd/N`), which are left out.
"""

from __future__ import annotations

import errno
import os

from hostagent.host.kept_tree import KeptTree
from hostagent.host.tree import LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import tarfile
    from typing import Protocol

    class _Readable(Protocol):
        def read(self, size: int, /) -> bytes: ...


# The largest known capture (a DGX with everything read) unpacks to 1 MB in 7,500 members; one of 4,096 functions would to
# 2 MB in 50,000, and 77 MB of tar around them.
MAX_BYTES = 64 << 20
MAX_MEMBERS = 200_000
MAX_STREAM = 160 << 20
# Names the kernel would take, and no deeper than any sysfs: every directory on the way is remembered.
MAX_NAME, MAX_DEPTH = 4096, 64
_TEXT_LINKS = ("driver", "subsystem")
_DIRECTORY, _FILE, _LINK = "directory", "file", "link"
Node = tuple[str, bytes]


class ArchiveError(Exception):
    """The archive is refused; the message names the member and what is wrong with it."""


class _Limited:
    """A stream that gives up after MAX_STREAM bytes: a decompression bomb ends here."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self._left = MAX_STREAM

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError(f"unpacks to more than {MAX_STREAM >> 20} MiB")
        return data


class ArchiveTree(KeptTree):
    """The machine in a tar.gz, at its top or one directory down."""

    def __init__(self, path: str) -> None:
        self.root = path
        self._fd = -1  # there is no directory
        self._links: dict[str, frozenset[str] | None] = {}
        self._real: dict[str, str] = {"": ""}
        self._children: dict[str, list[str]] = {}
        self._nodes = _rooted(_members(path))
        for name in self._nodes:
            head, _, last = name.rpartition("/")
            if name:
                self._children.setdefault(head, []).append(last)

    def close(self) -> None:
        """Nothing is open: the archive was read whole."""

    def _links_in(self, directory: str) -> frozenset[str]:
        known = self._links.get(directory)
        if known is None:
            prefix = f"{directory}/" if directory else ""
            known = frozenset(n for n in self._children.get(directory, ()) if self._nodes[prefix + n][0] == _LINK)
            self._links[directory] = known
        return known

    def _node(self, path: str) -> Node:
        node = self._nodes.get("" if path == "." else path)
        if node is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return node

    def _expect(self, path: str, kind: str, wrong: int) -> bytes:
        found, content = self._node(path)
        if found != kind:
            raise OSError(wrong, os.strerror(wrong), path)
        return content

    def _target(self, path: str) -> str:
        return self._expect(path, _LINK, errno.EINVAL).decode("utf-8", "surrogateescape")

    def read(self, path: str) -> bytes:
        return self._expect(self._walk(path), _FILE, errno.EISDIR)

    def aside(self, path: str) -> bytes:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def names(self, path: str) -> list[str]:
        real = self._walk(path)
        self._expect(real, _DIRECTORY, errno.ENOTDIR)
        return list(self._children.get(real, ()))

    def link(self, path: str) -> str:
        return self._target(self._beside(path))

    def status(self, path: str) -> object:
        return self._node(self._beside(path))


def _members(path: str) -> dict[str, Node]:
    """Every member by its clean name, its missing parents added."""
    import gzip
    import tarfile
    import zlib

    nodes: dict[str, Node] = {"": (_DIRECTORY, b"")}
    try:
        with (
            gzip.open(path) as stream,
            tarfile.open(fileobj=_Limited(stream), mode="r|", tarinfo=_whole_headers()) as archive,  # type: ignore[call-overload]
        ):
            _fill(nodes, archive)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError, OverflowError) as error:
        raise ArchiveError(f"not a complete tar.gz ({error})") from error
    except OSError as error:
        raise ArchiveError(error.strerror or str(error)) from error
    return nodes


def _whole_headers() -> type[tarfile.TarInfo]:
    """Headers of which a damaged one is no end: tarfile takes what it cannot read after the first for the end of the archive."""
    import tarfile

    class Header(tarfile.TarInfo):
        @classmethod
        def fromtarfile(cls, archive: tarfile.TarFile) -> Header:
            try:
                return super().fromtarfile(archive)
            except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # two blocks of zeros
                raise
            except tarfile.HeaderError as error:
                raise ArchiveError(f"not a complete tar.gz ({error})") from error

    return Header


def _fill(nodes: dict[str, Node], archive: tarfile.TarFile) -> None:
    count = size = 0
    while (member := archive.next()) is not None:
        # tarfile keeps every header for a way back, and global pax headers in each of them.
        archive.members.clear()  # type: ignore[attr-defined]
        archive.pax_headers = {}
        count, size = count + 1, size + member.size
        if count > MAX_MEMBERS:
            raise ArchiveError(f"more than {MAX_MEMBERS} members")
        _add(nodes, archive, member)
        if size > MAX_BYTES:
            raise ArchiveError(f"unpacks to more than {MAX_BYTES >> 20} MiB")


def _shown(name: str) -> str:
    """A name of a stranger for one line of a terminal."""
    short = name if len(name) <= 80 else f"{name[:77]}..."
    return short if short.isprintable() else repr(short)


def _add(nodes: dict[str, Node], archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    name = _clean(member.name)
    if member.isdir():
        node = (_DIRECTORY, b"")
    elif member.issym():
        if not _kept(name, member.linkname):
            return
        node = (_LINK, member.linkname.encode("utf-8", "surrogateescape"))
    elif member.isreg():
        if member.size > LIMIT:
            raise ArchiveError(f"{_shown(name)}: {member.size} bytes, expected at most {LIMIT}")
        content = archive.extractfile(member)
        node = (_FILE, content.read() if content else b"")
    else:
        raise ArchiveError(f"{_shown(name)}: expected files, directories and symbolic links only")
    _parents(nodes, name)
    if nodes.get(name, node)[0] != node[0]:
        raise ArchiveError(f"{_shown(name)}: given twice, as {nodes[name][0]} and as {node[0]}")
    nodes[name] = node


def _parents(nodes: dict[str, Node], name: str) -> None:
    parent = name.rpartition("/")[0]
    while parent and parent not in nodes:
        nodes[parent] = (_DIRECTORY, b"")
        parent = parent.rpartition("/")[0]
    if nodes[parent][0] != _DIRECTORY:
        raise ArchiveError(f"{_shown(name)}: inside {_shown(parent)}, which is a {nodes[parent][0]}")


def _clean(name: str) -> str:
    parts = [part for part in name[: MAX_NAME + 1].split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise ArchiveError(f"{_shown(name)}: expected a name inside the archive")
    if len(name) > MAX_NAME or len(parts) > MAX_DEPTH:
        raise ArchiveError(f"{_shown(name)}: expected at most {MAX_NAME} letters and {MAX_DEPTH} directories")
    return "/".join(parts)


def _kept(name: str, target: str) -> bool:
    """Whether a link is part of the tree; raises ArchiveError where it leads out of it."""
    parts = name.split("/")
    depth = len(parts) - 1
    out = target.startswith("/")
    for part in target.split("/"):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        out = out or depth < 0
    if not out:
        return True
    if "sys" in parts[:2] and parts[-1] in _TEXT_LINKS:
        return True
    if _process_link(parts):
        return False
    raise ArchiveError(f"{_shown(name)}: a link to {_shown(target)}, which leads out of the archive")


def _process_link(parts: list[str]) -> bool:
    """proc/<pid>/cwd and the like, at the top or one directory down."""
    for start in (0, 1):
        if parts[start : start + 1] == ["proc"] and len(parts) > start + 2 and parts[start + 1].isdecimal():
            return parts[start + 2] in ("cwd", "exe", "root", "fd", "task")
    return False


def _rooted(nodes: dict[str, Node]) -> dict[str, Node]:
    """The nodes below the directory that holds sys or proc: the top, or the only one there is."""
    if "sys" in nodes or "proc" in nodes:
        return nodes
    tops = [name for name in nodes if name and "/" not in name and nodes[name][0] == _DIRECTORY]
    for top in tops:
        if f"{top}/sys" in nodes or f"{top}/proc" in nodes:
            inside = {name[len(top) + 1 :]: node for name, node in nodes.items() if name.startswith(f"{top}/")}
            return {"": (_DIRECTORY, b"")} | inside
    raise ArchiveError("holds neither sys nor proc, at its top or one directory down")
