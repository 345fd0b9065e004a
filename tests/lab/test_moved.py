"""A card is added above two equal disks: the one that stays has the address of the one that a unit takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.boot import Guest
from tests.lab.look import Look
from tests.lab.machine import Machine
from tests.lab.prepare import drivers

pytestmark = [pytest.mark.lab, pytest.mark.thorough]

# In the ports rp6 and rp7; what is in rp5 comes before them, and a bridge takes a bus of its own.
DISKS = " ".join(
    f"-drive if=none,id=nv{port},format=raw,file.driver=null-co,file.size=64M,file.read-zeroes=on "
    f"-device nvme,bus=rp{port},id=twin{port},serial=TWIN{port},drive=nv{port},max_ioqpairs=2"
    for port in (6, 7)
)
CARD = "-device pcie-pci-bridge,bus=rp5,id=card"
FIRST, SECOND, MOVED = "0000:08:00.0", "0000:09:00.0", "0000:0a:00.0"
PROFILE = f"platform: {{name: debian, version: 12}}\ndevices:\n  - {{address: '{SECOND}'}}\n"
UNIT = "hostagent-vfio-0000-09-00.0.service"


def scripts(unit: str, name: str) -> list[str]:
    """What systemd hands to the shell for the lines of one name."""
    head = f"{name}=/bin/sh -c '"
    lines = [line for line in unit.splitlines() if line.startswith(head)]
    return [line.removeprefix(head).removesuffix("'").replace("$$", "$") for line in lines]


def test_the_disk_at_the_old_address_of_its_twin_stays(start: Callable[..., Guest], tmp_path: Path) -> None:
    guest = start(Machine(iommu="intel", extra=DISKS), disk=tmp_path / "disk")
    assert {address: driver for address, driver in drivers(Look(guest)).items() if address in (FIRST, SECOND)} == {
        FIRST: "nvme",
        SECOND: "nvme",
    }
    guest.write("/root/profile.yaml", PROFILE)
    guest.hostagent("render", "systemd", "--profile", "/root/profile.yaml", "-o", "/root/rendered")
    unit = guest.read(f"/root/rendered/etc/systemd/system/{UNIT}").decode()
    assert guest.run("sh", "-c", scripts(unit, "ExecCondition")[0]).status == 0
    guest.power_off()
    guest = start(Machine(iommu="intel", extra=f"{CARD} {DISKS}"), disk=tmp_path / "disk")
    before = drivers(Look(guest))
    assert FIRST not in before
    assert (before[SECOND], before[MOVED]) == ("nvme", "nvme")
    assert guest.run("sh", "-c", scripts(unit, "ExecCondition")[0]).status == 1
    guest.sh("modprobe vfio-pci")
    assert [guest.run("sh", "-c", script).status for script in scripts(unit, "ExecStart")] == [0]
    assert drivers(Look(guest)) == before
