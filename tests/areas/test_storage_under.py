"""A file system under another at one mount point is in use, though nobody sees it."""

from __future__ import annotations

from pathlib import Path

from hostagent.areas.storage import probe, protected
from hostagent.values.pci import PciAddress
from tests.areas.blocks import NVME0, NVME1, Machine
from tests.plant import reader


def test_both_disks_at_one_mount_point_are_in_use(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme0n1", NVME0, "259:0")
    machine.device("nvme1n1", NVME1, "259:1")
    machine.mounted("259:0 / /srv ext4 /dev/nvme0n1", "259:1 / /srv xfs /dev/nvme1n1")
    storage = probe(reader(machine.plant(tmp_path)))
    assert [(use.what, use.device) for use in storage.uses] == [("/srv", "259:0"), ("/srv", "259:1")]
    assert [disk.in_use for disk in storage.disks] == [True, True]
    assert {PciAddress("0000:01:00.0"), PciAddress("0000:02:00.0")} == set(protected(storage))
