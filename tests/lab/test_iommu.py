"""IOMMUs that are on, off, and not there: each machine against all witnesses, its capture against itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.agree import none
from tests.lab.boot import Guest
from tests.lab.everywhere import everywhere
from tests.lab.look import Look
from tests.lab.machine import EDU0, GPU, HDA, NIC0, NIC1, NVME0, NVME1, RTL, VF0, VF1, Machine
from tests.lab.viability import hand_over

pytestmark = pytest.mark.lab

INTEL = Machine(iommu="intel", arguments="intel_iommu=on iommu=pt")
INTEL_OFF = Machine(iommu="intel", arguments="intel_iommu=off", cpu="qemu64")
NO_DMAR = Machine(iommu=None, arguments="intel_iommu=on", cpu="EPYC,-svm")
AMD = Machine(iommu="amd", arguments="amd_iommu=on iommu=pt", cpu="EPYC")
ARM = Machine(iommu="smmu", cpu="cortex-a57")
AMD_OFF = Machine(iommu="amd", arguments="amd_iommu=off", cpu="Skylake-Server")


def groups_of(look: Look, *addresses: str) -> list[tuple[str, ...]]:
    """The members of the groups of some functions."""
    members = {group["number"]: tuple(group["members"]) for group in look.area("iommu")["groups"]}
    return [members[look.function(address)["iommu_group"]] for address in addresses]


def processor(look: Look) -> tuple[bool, bool, bool]:
    """Whether the CPU has svm, has 1 GiB pages, and whether KVM has its device node."""
    flags = look.area("cpu")["flags"]
    return "svm" in flags, "pdpe1gb" in flags, look.guest.run("test", "-e", "/dev/kvm").status == 0


def shapes(look: Look) -> None:
    """The groups this bus has, whoever makes the IOMMU."""
    assert groups_of(look, NIC0, NIC1, GPU, EDU0) == [(NIC0,), (NIC1,), (GPU, HDA), ("0000:05:00.0", EDU0, RTL)]
    twins = [look.function(address) for address in (NIC0, NIC1)]
    assert twins[0]["device_id"] == twins[1]["device_id"] == "10d3"
    assert (look.function(NVME1)["numa_node"], look.function(NVME0)["numa_node"]) == (1, None)


def split(guest: Guest) -> None:
    """Two VFs of the NVMe drive, left without drivers: the emulated ones are not ready for the host's."""
    guest.sh(f"cd /sys/bus/pci/devices/{NVME0}; echo 0 >sriov_drivers_autoprobe; echo 2 >sriov_numvfs")


def virtual_functions(look: Look) -> None:
    """VFs made while the machine runs have groups of their own."""
    assert groups_of(look, VF0, VF1) == [(VF0,), (VF1,)]
    (physical,) = look.area("sriov")["physical_functions"]
    assert {name: physical[name] for name in ("address", "total_vfs", "num_vfs", "autoprobe", "vfs")} == {
        "address": NVME0,
        "total_vfs": 2,
        "num_vfs": 2,
        "autoprobe": False,
        "vfs": [VF0, VF1],
    }


@pytest.mark.machine(INTEL)
def test_intel(guest: Guest, tmp_path: Path) -> None:
    """Switched on by argument, identity domains, interrupt remapping; every verdict on groups against the kernel's."""
    split(guest)
    look = everywhere(guest, tmp_path)
    data = look.area("iommu")
    assert (data["enabled"], data["vendor"], data["reason"]) == (True, "intel", "on")
    assert (data["interrupt_remapping"], data["default_domain"]) == (True, "identity")
    assert processor(look) == (False, False, False)
    shapes(look)
    virtual_functions(look)
    none(hand_over(guest))


@pytest.mark.machine(AMD)
def test_amd(guest: Guest, tmp_path: Path) -> None:
    """The same on AMD, whose kernel knows no `amd_iommu=on` and is on all the same; KVM with nested virtualization."""
    split(guest)
    look = everywhere(guest, tmp_path)
    data = look.area("iommu")
    assert (data["enabled"], data["vendor"], data["reason"]) == (True, "amd", "on")
    assert processor(look) == (True, True, True)
    shapes(look)
    virtual_functions(look)
    none(hand_over(guest))


@pytest.mark.parametrize(
    ("vendor", "reason", "has"),
    [
        pytest.param("intel", "off-by-argument", (True, False, True), marks=pytest.mark.machine(INTEL_OFF), id="intel"),
        pytest.param(
            None, "guest-without-iommu", (False, True, False), marks=pytest.mark.machine(NO_DMAR), id="no_dmar"
        ),
        pytest.param("amd", "off-by-argument", (False, True, False), marks=pytest.mark.machine(AMD_OFF), id="amd"),
    ],
)
def test_off(guest: Guest, tmp_path: Path, vendor: str | None, reason: str, has: tuple[bool, bool, bool]) -> None:
    """Off, for three different causes: no group, whatever else the kernel was told."""
    look = everywhere(guest, tmp_path)
    data = look.area("iommu")
    assert (data["enabled"], data["groups"], data["vendor"], data["reason"]) == (False, [], vendor, reason)
    assert look.area("vfio")["groups"] == []
    assert processor(look) == has


@pytest.mark.machine(ARM)
def test_arm(guest: Guest, tmp_path: Path) -> None:
    """Described by a device tree: no ACPI, no DMI; what is behind the root ports is one group, for want of ACS."""
    look = everywhere(guest, tmp_path)
    data = look.area("iommu")
    assert (data["enabled"], data["vendor"], data["reason"], data["tables"]) == (True, "arm", "on", None)
    assert data["units"] == ["smmu3.0x0000000009050000"]
    (together,) = {look.function(address)["iommu_group"] for address in (NIC0, NIC1, NVME0)}
    assert {NIC0, NIC1, NVME0} <= set(look.groups[together])
    assert {pool["page_size"] for pool in look.area("hugepages")["pools"]} == {64 << 10, 2 << 20, 32 << 20, 1 << 30}
