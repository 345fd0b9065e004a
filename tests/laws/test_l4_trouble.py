"""L4: any file may be missing, empty, unreadable, binary, huge, a directory. The survey ends; areas that did not read it are
as before; a file that could not be read is a Problem."""

from __future__ import annotations

import random

import pytest

from hostagent.host.archive import Node
from hostagent.report import AREAS, NodeReport
from tests.laws.machines import machines, of, surveyed_paths

BREAKS: dict[str, Node | None] = {
    "missing": None,
    "empty": ("file", b""),
    "unreadable": ("errno", b"EIO"),
    "forbidden": ("errno", b"EACCES"),
    "binary": ("file", bytes(range(256)) * 4),
    "huge": ("file", b"9" * 100_000),
    "words": ("file", b"\xc3\xbcber = , : / -1 0x \n\n= 3,\n18446744073709551616 1-0\n"),
    "directory": ("directory", b""),
}
# Surveys a case: what CI has time for, some fifty a machine and as many of its links and directories. Which are broken is drawn
# from a fixed seed.
FILES, OTHERS = 6, 16


def check(before: NodeReport, after: NodeReport, path: str, how: str, readers: dict[str, frozenset[str]]) -> None:
    """What must hold after one file was broken."""
    parent = path.rpartition("/")[0]
    for name in AREAS:
        probed = getattr(after, name)
        assert probed.data is not None, (path, how, probed.problems)
        if not {path, parent} & readers[name]:
            assert probed == getattr(before, name), (path, how, name)
    if how in ("unreadable", "forbidden"):
        said = {problem.path for name in AREAS for problem in getattr(after, name).problems}
        assert any(path in readers[name] for name in AREAS) <= bool(said), (path, how)


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("machine", machines())
def test_a_broken_file_costs_only_itself(machine: str, how: str) -> None:
    nodes = machines()[machine]
    before = of(nodes)
    readers = {name: surveyed_paths(nodes, name) for name in AREAS}
    files = sorted(path for path, (kind, _) in nodes.items() if kind == "file")
    chosen = random.Random(f"{machine} {how}").sample(files, min(FILES, len(files)))
    for path in chosen:
        broken = dict(nodes)
        if BREAKS[how] is None:
            del broken[path]
        else:
            broken[path] = BREAKS[how]  # type: ignore[assignment]
        check(before, of(broken), path, how, readers)


@pytest.mark.parametrize("machine", machines())
def test_a_broken_link_or_directory_costs_no_area(machine: str) -> None:
    nodes = machines()[machine]
    others = sorted(path for path, (kind, _) in nodes.items() if kind != "file" and "/" in path)
    for path in random.Random(machine).sample(others, min(OTHERS, len(others))):
        for node in (("link", path.rpartition("/")[2].encode()), ("file", b"x"), ("link", b"../../../..")):
            broken = {name: value for name, value in nodes.items() if not name.startswith(f"{path}/")}
            broken[path] = node
            report = of(broken)
            assert all(getattr(report, name).data is not None for name in AREAS), (path, node)


@pytest.mark.parametrize("nodes", [{"": ("directory", b""), "sys": ("directory", b"")}], ids=["empty"])
def test_an_empty_machine_is_a_machine(nodes: dict[str, Node]) -> None:
    report = of(nodes)
    for name in AREAS:
        assert getattr(report, name).data is not None
        assert getattr(report, name).problems == ()
