"""Names of IDs, which a daemon looks up once for a list and not once for a survey."""

from __future__ import annotations

import os
from pathlib import Path

from hostagent.areas import pci
from hostagent.host import Host
from hostagent.host.reader import Left
from tests.plant import pci_function, plant

BOOK = "usr/share/misc/pci.ids"


def _named(root: Path, left: Left | None) -> tuple[list[str | None], bool]:
    """Names of the devices, and whether the list was read for them."""
    host = Host(str(root), left=left)
    found = pci.probe(host.reader())
    return [name.device for name in found.names], isinstance(host.memory.get(("read", BOOK)), bytes)


def test_a_list_is_read_once_for_all_surveys_until_it_changes(tmp_path: Path) -> None:
    root = plant(tmp_path, {BOOK: "8086  Intel\n\t10d3  82574L\n\t1533  I210\n"} | pci_function("0000:00:01.0"))
    left: Left = {}
    assert _named(root, left) == (["82574L"], True)
    assert _named(root, left) == (["82574L"], False)
    plant(root, pci_function("0000:00:02.0", id="8086:1533"))
    assert _named(root, left) == (["82574L", "I210"], True)
    assert _named(root, left) == (["82574L", "I210"], False)
    plant(root, {f"{BOOK}.new": "8086  Intel\n\t10d3  Gigabit\n"})
    os.rename(root / f"{BOOK}.new", root / BOOK)
    assert _named(root, left) == (["Gigabit", None], True)
    (root / BOOK).unlink()
    assert _named(root, left) == ([], False)


def test_without_a_daemon_nothing_is_left_behind(tmp_path: Path) -> None:
    root = plant(tmp_path, {BOOK: "8086  Intel\n\t10d3  82574L\n"} | pci_function("0000:00:01.0"))
    assert _named(root, None) == _named(root, None) == (["82574L"], True)
