"""Small machines for tests: a mapping of paths to text becomes a tree under a directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hostagent.host import Host, Reader


def plant(
    root: Path,
    files: Mapping[str, str | bytes],
    links: Mapping[str, str] | None = None,
    directories: tuple[str, ...] = (),
) -> Path:
    """Write `files`, `links` (path -> target text) and empty `directories` under `root`; returns `root`."""
    for directory in ("sys", *directories):
        (root / directory).mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    for path, target in (links or {}).items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, place)
    return root


def unreadable(root: Path, path: str) -> None:
    """Make `path` unreadable even to root: a link to itself is ELOOP."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink() or place.exists():
        place.unlink()
    os.symlink(place.name, place)


def reader(root: Path) -> Reader:
    """A reader of the tree at `root`, every attribute read."""
    return Host(str(root), thorough=True).reader()


def pci_function(address: str, *, root: str = "sys", **attributes: str) -> dict[str, str]:
    """The files of one PCI function as real directories: uevent from `id`, `cls`, `subsys`, `driver`; others by name."""
    given = dict(attributes)
    lines = [f"DRIVER={given.pop('driver')}"] if "driver" in given else []
    lines += [f"PCI_CLASS={given.pop('cls', '20000')}", f"PCI_ID={given.pop('id', '8086:10D3')}"]
    lines += [f"PCI_SUBSYS_ID={given.pop('subsys', '8086:0000')}", f"PCI_SLOT_NAME={address}"]
    base = f"{root}/bus/pci/devices/{address}"
    return {f"{base}/uevent": "\n".join(lines) + "\n", f"{base}/numa_node": "-1\n"} | {
        f"{base}/{name}": f"{value}\n" for name, value in given.items()
    }
