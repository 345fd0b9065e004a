"""Machines held in memory, so that a law can break one file of one of them a thousand times a minute."""

from __future__ import annotations

import errno
import os
from functools import cache
from pathlib import Path

from hostagent.host import Host
from hostagent.host.archive import ArchiveTree, Node, _members, _rooted
from hostagent.host.capture import archive, recording
from hostagent.report import NodeReport, survey
from tests.roots import captures, fixtures

# Chosen to differ in kind: IOMMU groups and SR-IOV, NUMA and watchdogs, no PCI at all, hybrid CPU, odd trees.
_FAVOURITES = ("lab-intel-q35", "ghw__linux-amd64-415ee", "ghw__linux-s390x", "prometheus__procfs")


class Broken(ArchiveTree):
    """A tree of given nodes that notes the real path of everything asked of it.

    A node of kind `errno` fails with that errno, whoever reads it.
    """

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.root = "memory"
        self.asked: set[str] = set()
        self._links = {}
        self._real = {"": ""}
        self._children = {}
        self._nodes = nodes
        for name in nodes:
            head, _, last = name.rpartition("/")
            if name:
                self._children.setdefault(head, []).append(last)

    def _node(self, path: str) -> Node:
        self.asked.add(path)
        kind, content = super()._node(path)
        if kind == "errno":
            raise OSError(getattr(errno, content.decode()), os.strerror(getattr(errno, content.decode())), path)
        return kind, content


def host_of(nodes: dict[str, Node]) -> Host:
    """A host whose tree is in memory."""
    return Host("memory", thorough=True, tree=Broken(nodes))


def surveyed_paths(nodes: dict[str, Node], area: str) -> frozenset[str]:
    """Every real path that one area looks at, and every directory it lists."""
    tree = Broken(nodes)
    survey(Host("memory", thorough=True, tree=tree), frozenset({area}))
    return frozenset(tree.asked)


@cache
def machines() -> dict[str, dict[str, Node]]:
    """name -> nodes of what a survey reads of each fixture, and of a few captures where they are at hand."""
    found = {path.name: read_nodes(str(path)) for path in fixtures()}
    for path in captures():
        if path.name.startswith(_FAVOURITES):
            found[path.name.removesuffix(".tar.gz")] = _rooted(_members(str(path)))
    return {name: touched(nodes) for name, nodes in found.items()}


def read_nodes(root: str) -> dict[str, Node]:
    """The nodes of a directory root, as its capture holds them."""
    import tempfile

    host = recording(root)
    survey(host)
    with tempfile.TemporaryDirectory() as at:
        place = Path(at) / "capture.tar.gz"
        place.write_bytes(archive(host))
        host.close()
        return _rooted(_members(str(place)))


def touched(nodes: dict[str, Node]) -> dict[str, Node]:
    """Only what a survey looks at: breaking other files proves nothing."""
    tree = Broken(nodes)
    survey(Host("memory", thorough=True, tree=tree))
    keep = {""}
    for asked in tree.asked:
        path = asked
        while path and path not in keep:
            keep.add(path)
            path = path.rpartition("/")[0]
    for path, (kind, _) in nodes.items():
        if kind == "link" or path.rpartition("/")[0] in keep:
            keep.add(path)
    return {path: node for path, node in nodes.items() if path in keep}


def of(nodes: dict[str, Node]) -> NodeReport:
    """The survey of a machine in memory."""
    return survey(host_of(nodes))
