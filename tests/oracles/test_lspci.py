"""Every PCI function agrees with Debian's lspci, on every machine at hand.

lspci follows the links to driver and IOMMU group and loses them where the target is missing, as in most captures; the link's
last component is right.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hostagent.host import Host
from hostagent.host.pci import PciFunction, functions
from tests.roots import roots, unpacked

pytestmark = pytest.mark.skipif(shutil.which("lspci") is None, reason="lspci is missing: install pciutils")


CONFIG_TAGS = {"ProgIf", "SVendor", "SDevice"}
TAGS = ("Slot", "Class", "Vendor", "Device", "SVendor", "SDevice", "ProgIf", "Driver", "NUMANode", "IOMMUGroup")


def lspci(bus: Path) -> dict[str, dict[str, str]]:
    """address -> what `lspci -D -vmmnk` says of it, by tag."""
    if not (bus / "devices").is_dir():
        return {}
    command = ["lspci", "-A", "linux-sysfs", "-O", f"sysfs.path={bus}", "-D", "-vmmnk"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {}
    for block in done.stdout.strip().split("\n\n"):
        tags = dict(line.split(":\t", 1) for line in block.splitlines())
        if tags:
            found[tags["Slot"]] = tags
    return found


def ours(function: PciFunction, device: Path) -> dict[str, str]:
    """What lspci would say of a function, from what we say of it."""
    said = {
        "Slot": str(function.address),
        "Class": function.class_id[:4],
        "Vendor": function.vendor_id,
        "Device": function.device_id,
    }
    # lspci leaves out a subsystem of 0000 or ffff: the register is empty.
    if function.subsystem_vendor_id not in (None, "0000", "ffff"):
        said |= {"SVendor": str(function.subsystem_vendor_id), "SDevice": str(function.subsystem_device_id)}
    said["ProgIf"] = function.class_id[4:]
    if function.driver is not None and os.path.exists(device / "driver"):
        said["Driver"] = function.driver
    if function.numa_node is not None:
        said["NUMANode"] = str(function.numa_node)
    if function.iommu_group is not None and os.path.exists(device / "iommu_group"):
        said["IOMMUGroup"] = str(function.iommu_group)
    return said


@pytest.mark.parametrize("root", roots())
def test_every_function_agrees(root: str) -> None:
    place = unpacked(root)
    bus = place / "sys" / "bus" / "pci"
    expected = {slot: {tag: said[tag] for tag in TAGS if tag in said} for slot, said in lspci(bus).items()}
    found = {f.address: ours(f, bus / "devices" / f.address) for f in functions(Host(str(place)).reader())}
    for slot, said in found.items():
        # Where a capture has no config file lspci says nothing of these.
        for tag in CONFIG_TAGS - expected.get(slot, {}).keys():
            said.pop(tag, None)
    assert found == expected


@pytest.mark.parametrize("root", roots())
def test_a_dangling_driver_link_still_names_the_driver(root: str) -> None:
    place = unpacked(root)
    devices = place / "sys" / "bus" / "pci" / "devices"
    links = {f.address: devices / f.address / "driver" for f in functions(Host(str(place)).reader())}
    named = {address: link.readlink().name for address, link in links.items() if link.is_symlink()}
    found = {f.address: f.driver for f in functions(Host(str(place)).reader())}
    assert {address: found[address] for address in named} == named
