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
from hostagent.host.limits import ARCHIVE_BYTES as MAX_BYTES
from hostagent.host.limits import ARCHIVE_DEPTH as MAX_DEPTH
from hostagent.host.limits import ARCHIVE_MEMBERS as MAX_MEMBERS
from hostagent.host.limits import ARCHIVE_NAME_BYTES as MAX_NAME
from hostagent.host.tar import DIRECTORY, FILE, LINK, ArchiveError, members, shown

_TEXT_LINKS = ("driver", "subsystem")
Node = tuple[str, bytes]


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
            known = frozenset(n for n in self._children.get(directory, ()) if self._nodes[prefix + n][0] == LINK)
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
        return self._expect(path, LINK, errno.EINVAL).decode("utf-8", "surrogateescape")

    def read(self, path: str) -> bytes:
        return self._expect(self._walk(path), FILE, errno.EISDIR)

    def aside(self, path: str) -> bytes:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def names(self, path: str) -> list[str]:
        real = self._walk(path)
        self._expect(real, DIRECTORY, errno.ENOTDIR)
        return list(self._children.get(real, ()))

    def link(self, path: str) -> str:
        return self._target(self._beside(path))

    def status(self, path: str) -> object:
        return self._node(self._beside(path))


def _members(path: str) -> dict[str, Node]:
    """Every member by its clean name, its missing parents added. Names count as bytes, parents as members."""
    nodes: dict[str, Node] = {"": (DIRECTORY, b"")}
    size = 0
    for count, (raw, kind, content) in enumerate(members(path), 1):
        name = _clean(raw)
        if kind != LINK or _kept(name, content.decode("utf-8", "surrogateescape")):
            size += _add(nodes, name, (kind, content))
        if size > MAX_BYTES:
            raise ArchiveError(f"unpacks to more than {MAX_BYTES >> 20} MiB")
        if max(count, len(nodes)) > MAX_MEMBERS:
            raise ArchiveError(f"more than {MAX_MEMBERS} members")
    return nodes


def _add(nodes: dict[str, Node], name: str, node: Node) -> int:
    """Put a member and its missing parents in; the bytes that took."""
    size = len(name) + len(node[1])
    parent = name.rpartition("/")[0]
    while parent and parent not in nodes:
        nodes[parent] = (DIRECTORY, b"")
        size += len(parent)
        parent = parent.rpartition("/")[0]
    if nodes[parent][0] != DIRECTORY:
        raise ArchiveError(f"{shown(name)}: inside {shown(parent)}, which is a {nodes[parent][0]}")
    if nodes.get(name, node)[0] != node[0]:
        raise ArchiveError(f"{shown(name)}: given twice, as {nodes[name][0]} and as {node[0]}")
    nodes[name] = node
    return size


def _clean(name: str) -> str:
    # Before anything is made of it: the prefixes of a name grow with the square of its depth.
    if len(name.encode("utf-8", "surrogateescape")) > MAX_NAME or name.count("/") >= MAX_DEPTH:
        raise ArchiveError(f"{shown(name)}: expected a name of at most {MAX_NAME} bytes and {MAX_DEPTH} components")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise ArchiveError(f"{shown(name)}: expected a name inside the archive")
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
    raise ArchiveError(f"{shown(name)}: a link to {shown(target)}, which leads out of the archive")


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
    tops = [name for name in nodes if name and "/" not in name and nodes[name][0] == DIRECTORY]
    for top in tops:
        if f"{top}/sys" in nodes or f"{top}/proc" in nodes:
            inside = {name[len(top) + 1 :]: node for name, node in nodes.items() if name.startswith(f"{top}/")}
            return {"": (DIRECTORY, b"")} | inside
    raise ArchiveError("holds neither sys nor proc, at its top or one directory down")
