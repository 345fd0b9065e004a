"""Law L4 for machines that no capture at hand has: whatever one file of them becomes, the probe ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hostagent.areas import firmware, kernel, kubelet, network, storage, watchdog
from hostagent.host import Reader
from tests.areas import test_firmware, test_kubelet, test_network, test_storage, test_watchdog
from tests.areas.blocks import Machine
from tests.plant import plant, reader

BREAKS: dict[str, Callable[[str], object]] = {
    "missing": lambda _: None,
    "empty": lambda path: Path(path).write_bytes(b""),
    "binary": lambda path: Path(path).write_bytes(b"\xff\xfe\x00\x80" * 4),
    "words": lambda path: Path(path).write_text(
        "these are - some words: = [ \\ ] and\n- numbers 0:0 1 2 3 4 5 6 7 8 9\n"
    ),
    "loop": lambda path: os.symlink(os.path.basename(path), path),
    "directory": os.mkdir,
}


def bonds(root: Path) -> Path:
    machine = test_network.Machine()
    machine.link("eth0", test_network.NIC0, "", "master -> bond0", "upper_bond0 -> bond0")
    machine.link("bond0", None, "bond", "lower_eth0 -> eth0")
    machine.routed("bond0 00000000 0003 00000000")
    machine.routed6(f"{test_network.NONE} 00 00000003 bond0")
    return plant(root, machine.files, machine.links)


def live(root: Path) -> Path:
    machine = Machine()
    machine.device("sr0", "pci0000:00/0000:00:1f.2/ata2/host1/target1:0:0/1:0:0:0/block", "11:0")
    loop = machine.device("loop0", "virtual/block", "7:0")
    machine.files[f"{loop}/loop/backing_file"] = "/run/live/squashfs.img\n"
    machine.mounted("0:30 / / overlay none", "11:0 / /run/live iso9660 /dev/sr0", "7:0 / /opt squashfs /dev/loop0")
    machine.swapping("/swapfile", "/dev/sr0")
    return machine.plant(root)


MACHINES: dict[str, tuple[Callable[[Reader], object], Callable[[Path], Path]]] = {
    "lvm": (storage.probe, lambda root: test_storage.lvm_on_md_on_multipath().plant(root)),
    "btrfs": (storage.probe, lambda root: test_storage.hidden_names().plant(root)),
    "live": (storage.probe, live),
    "bonds": (network.probe, bonds),
    "watchdogs": (watchdog.probe, test_watchdog.two_of_a_q35),
    "server": (firmware.probe, lambda root: plant(root, *test_firmware.server())),
    "worker": (kubelet.probe, test_kubelet.worker),
    "kernel": (
        kernel.probe,
        lambda root: plant(
            root,
            {
                "proc/sys/kernel/osrelease": "6.12.0-amd64",
                "proc/sys/kernel/tainted": "1",
                "proc/cmdline": "quiet",
                "proc/modules": "kvm 1 1 - Live 0x0\n",
                "lib/modules/6.12.0-amd64/modules.dep": "kernel/a/nvme.ko.xz:\n",
                "sys/kernel/security/lockdown": "[none] integrity",
                "etc/os-release": "ID=debian\n",
            },
        ),
    ),
}


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("machine", MACHINES)
def test_whatever_one_file_becomes(tmp_path: Path, machine: str, how: str) -> None:
    probe, planted = MACHINES[machine]
    root = planted(tmp_path / "root")
    whole = probe(reader(root))
    kept = tmp_path / "kept"
    paths = sorted(str(path) for path in root.rglob("*") if path.is_symlink() or path.is_file())
    assert paths
    for path in paths:
        os.rename(path, kept)
        BREAKS[how](path)
        seen = reader(root)
        assert type(probe(seen)) is type(whole)
        assert all(not problem.path.startswith("/") and problem.detail for problem in seen.problems)
        if how == "directory":
            os.rmdir(path)
        elif how != "missing":
            os.unlink(path)
        os.rename(kept, path)
    assert probe(reader(root)) == whole
