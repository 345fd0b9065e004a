"""L14: nothing but a regular file is opened. A device node, FIFO or socket in place of any file that a survey reads is a Problem,
is not opened, and costs no area that did not read it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hostagent.host import Host
from hostagent.host.archive import Node
from hostagent.host.problem import NOT_REGULAR
from hostagent.report import AREAS, NodeReport, survey
from tests.laws.machines import Broken, machines, surveyed_paths
from tests.nodes import KINDS, Opened, makeable, put_node

# Surveys a machine: what CI has time for. Which files are replaced is drawn from a fixed seed.
FILES = 25


class _Reading(Broken):
    """Notes the real path of every file that is read, not only looked for."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        super().__init__(nodes)
        self.files: set[str] = set()

    def read(self, path: str) -> bytes:
        data = super().read(path)
        self.files.add(self._walk(path))
        return data


def _read_files(nodes: dict[str, Node]) -> list[str]:
    tree = _Reading(nodes)
    survey(Host("memory", thorough=True, tree=tree))
    return sorted(tree.files - {"hostagent-capture.json"})


def _written(root: Path, nodes: dict[str, Node]) -> Path:
    for path, (kind, content) in sorted(nodes.items()):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "directory":
            place.mkdir(exist_ok=True)
        elif kind == "link":
            os.symlink(content, place)
        else:
            place.write_bytes(content)
    return root


def _survey(root: Path) -> NodeReport:
    host = Host(str(root), thorough=True)
    try:
        return survey(host)
    finally:
        host.close()


def _refused(report: NodeReport) -> int:
    return sum(problem.kind == NOT_REGULAR for name in AREAS for problem in getattr(report, name).problems)


@pytest.mark.parametrize("machine", machines())
def test_a_node_in_place_of_a_file_is_not_opened(machine: str, tmp_path: Path) -> None:
    nodes, witness = machines()[machine], Opened()
    root = _written(tmp_path / "root", nodes)
    before = _survey(root)
    readers = {name: surveyed_paths(nodes, name) for name in AREAS}
    files, kinds = _read_files(nodes), [kind for kind in KINDS if makeable(kind)]
    for number, path in enumerate(random.Random(machine).sample(files, min(FILES, len(files)))):
        place, kind = root / path, kinds[number % len(kinds)]
        put_node(place, kind)
        witness.watch(place)
        after = _survey(root)
        assert witness.paths() == [], (path, kind)
        assert _refused(after), (path, kind)
        for name in AREAS:
            assert getattr(after, name).data is not None, (path, kind, name)
            if not {path, path.rpartition("/")[0]} & readers[name]:
                assert getattr(after, name) == getattr(before, name), (path, kind, name)
        place.unlink()
        place.write_bytes(nodes[path][1])
    witness.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_machine_of_nothing_but_nodes_is_surveyed_without_opening_one(kind: str, tmp_path: Path) -> None:
    if not makeable(kind):
        pytest.skip(f"{kind} cannot be made here, or not be opened")
    nodes, witness = machines()["lab-intel"], Opened()
    root = _written(tmp_path / "root", nodes)
    for path in _read_files(nodes):
        put_node(root / path, kind)
        witness.watch(root / path)
    after = _survey(root)
    assert witness.paths() == []
    assert _refused(after) > 50
    assert all(getattr(after, name).data is not None for name in AREAS)
    witness.close()


@pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace counts what inotify does not see: sockets and failures"
)
def test_no_system_call_opens_or_connects_to_a_node(tmp_path: Path) -> None:
    nodes = machines()["lab-intel"]
    root, log = _written(tmp_path / "root", nodes), tmp_path / "log"
    files, kinds = _read_files(nodes), [kind for kind in KINDS if makeable(kind)]
    for number, path in enumerate(files):
        put_node(root / path, kinds[number % len(kinds)])
    code = "import sys\nfrom hostagent.cli import main\nmain(['probe', '-o', 'json', '--root', sys.argv[1]])"
    traced = ["strace", "-f", "-y", "-e", "trace=open,openat,openat2,connect", "-o", str(log)]
    done = subprocess.run([*traced, sys.executable, "-c", code, str(root)], check=False, stdout=subprocess.DEVNULL)
    if done.returncode not in (0, 3):
        pytest.skip("strace may not trace here")
    lines = [line for line in log.read_text().splitlines() if str(root) in line or "/proc/self/fd/" in line]
    assert sum("O_PATH" in line for line in lines) > 50
    planted = [text for path in files for text in (f"{root}/{path}>", f'"{path}"')]
    assert [line for line in lines if "O_PATH" not in line and any(text in line for text in planted)] == []
