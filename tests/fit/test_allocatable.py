"""Predicted allocatable: equal to what KubeVirt itself found, and what a guest can have of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hostagent.fit.allocatable import Allocatable, OfferedDevice, allocatable
from hostagent.fit.permitted import PermittedEntry
from hostagent.host import Host
from hostagent.report import survey
from hostagent.values.pci import PciAddress
from hostagent.values.plain import plain
from tests.plan.machines import T4, T4_CLASS, Machine
from tests.plant import plant

GOLDENS = Path(__file__).parent / "data" / "kubevirt-allocatable.jsonl.gz"
CASES = [json.loads(line) for line in gzip.decompress(GOLDENS.read_bytes()).decode().splitlines()]
RESOURCE = "nvidia.com/TU104GL_Tesla_T4"
PERMITTED = (PermittedEntry(selector=T4, resource=RESOURCE, external=False),)


def orders(selectors: dict[str, str]) -> list[tuple[PermittedEntry, ...]]:
    """The entries in the orders that matter. Of two selectors that differ in case KubeVirt heeds the last, and the goldens,
    whose selectors are sorted keys, do not say which that was."""
    listed = [
        PermittedEntry(selector=selector.lower(), resource=resource, external=False)
        for selector, resource in selectors.items()
    ]
    twins = len({entry.selector for entry in listed}) < len(listed)
    return [tuple(listed), tuple(reversed(listed))] if twins else [tuple(listed)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_equal_to_kubevirt(case: dict[str, Any], tmp_path: Path) -> None:
    plant(tmp_path, case["files"], case["links"])
    report = survey(Host(str(tmp_path), thorough=True))
    predicted = [allocatable(report, entries) for entries in orders(case["selectors"])]
    assert plain_sorted(case["kubevirt"]) in [ours(found) for found in predicted]
    for found in predicted:
        assert {one.resource for one in found} == set(case["selectors"].values())
        assert all(0 <= one.usable <= one.kubevirt for one in found)


def ours(found: tuple[Allocatable, ...]) -> dict[str, Any]:
    return plain_sorted(
        {
            one.resource: {
                "allocatable": one.kubevirt,
                "discovered": len(one.devices),
                "devices": [
                    {"address": str(at.address), "driver": at.driver, "id": at.id, "iommu_group": at.iommu_group}
                    for at in one.devices
                ],
            }
            for one in found
            if one.devices
        }
    )


def plain_sorted(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        name: one | {"devices": sorted(one["devices"], key=lambda device: str(device["address"]))}
        for name, one in resources.items()
    }


def test_few_goldens_are_ambiguous() -> None:
    assert [case["case"] for case in CASES if len(orders(case["selectors"])) > 1] == [9, 10, 12, 21, 38, 50, 51]


def test_the_goldens_hold_every_kind_of_device() -> None:
    devices = [device for case in CASES for one in case["kubevirt"].values() for device in one["devices"]]
    assert len(CASES) == 60
    assert {device["driver"] for device in devices} == {"vfio-pci", "nvidia"}
    assert any(one["allocatable"] < one["discovered"] for case in CASES for one in case["kubevirt"].values())


def offered(address: str, group: int, *, usable: bool = True) -> OfferedDevice:
    return OfferedDevice(address=PciAddress(address), id=T4, driver="vfio-pci", iommu_group=group, usable=usable)


def test_one_resource(tmp_path: Path) -> None:
    machine = Machine().function("0000:04:00.0", T4, T4_CLASS, driver="vfio-pci", group=1)
    machine.function("0000:05:00.0", T4, T4_CLASS, driver="nouveau", group=2)
    machine.function("0000:06:00.0", T4, T4_CLASS, group=3)
    machine.function("0000:07:00.0", T4, T4_CLASS, driver="vfio-pci")
    assert allocatable(machine.report(), PERMITTED) == (
        Allocatable(
            resource=RESOURCE,
            kubevirt=1,
            usable=1,
            devices=(offered("0000:04:00.0", 1),),
            why=(
                "0000:05:00.0: its driver is nouveau; KubeVirt takes vfio-pci only",
                "0000:06:00.0: it has no driver; KubeVirt takes vfio-pci only",
                "0000:07:00.0: it has no IOMMU group",
            ),
        ),
    )


def test_two_devices_in_one_group_count_once() -> None:
    machine = Machine().function("0000:04:00.0", T4, T4_CLASS, driver="vfio-pci", group=1)
    machine.function("0000:04:00.1", T4, T4_CLASS, driver="vfio-pci", group=1)
    found = allocatable(machine.report(), PERMITTED)[0]
    assert (found.kubevirt, found.usable, len(found.devices)) == (1, 1, 2)
    assert found.why == ("0000:04:00.0, 0000:04:00.1 share group 1: KubeVirt counts one, and hands out 0000:04:00.1",)


def test_a_group_that_is_not_viable_is_counted_and_unusable() -> None:
    machine = Machine().function("0000:04:00.0", T4, T4_CLASS, driver="vfio-pci", group=1)
    machine.function("0000:04:00.1", "10de:10f8", "040300", driver="snd_hda_intel", group=1)
    found = allocatable(machine.report(), PERMITTED)[0]
    assert found == Allocatable(
        resource=RESOURCE,
        kubevirt=1,
        usable=0,
        devices=(offered("0000:04:00.0", 1, usable=False),),
        why=("group 1 is not viable: 0000:04:00.1 is bound to snd_hda_intel",),
    )


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (
            {"sys/kernel/iommu_groups/1/reserved_regions": "0x00000000e8000000 0x00000000e8ffffff direct\n"},
            "group 1: firmware keeps memory mapped for it (a reserved region of type direct)",
        ),
        (
            {"sys/kernel/iommu_groups/1/name": "vfio-noiommu\n"},
            "group 1 is one of vfio's mode without an IOMMU, which no guest can use",
        ),
        (
            {"proc/interrupts": " 24:  0  PCI-MSI-0000:04:00.0  0-edge  vfio\n"},
            "interrupts are not remapped: VFIO gives no device away",
        ),
    ],
    ids=("rmrr", "noiommu", "remapping"),
)
def test_what_keeps_a_guest_from_starting(files: dict[str, str], why: str) -> None:
    machine = Machine().function("0000:04:00.0", T4, T4_CLASS, driver="vfio-pci", group=1).put(files)
    found = allocatable(machine.report(), PERMITTED)[0]
    assert (found.kubevirt, found.usable, found.why) == (1, 0, (why,))


def test_unsafe_interrupts_are_the_administrators_choice() -> None:
    machine = Machine().function("0000:04:00.0", T4, T4_CLASS, driver="vfio-pci", group=1)
    machine.put({"proc/interrupts": " 24:  0  PCI-MSI-0000:04:00.0  0-edge  vfio\n"})
    machine.put({"sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts": "Y\n"})
    assert allocatable(machine.report(), PERMITTED)[0].usable == 1


def test_a_vgpu_of_nvidias_driver_is_usable() -> None:
    machine = Machine().function("0000:41:00.4", "10de:2235", "030200", driver="nvidia", group=9)
    base = "sys/devices/pci0000:00/0000:41:00.4/nvidia/current_vgpu_type"
    permitted = (PermittedEntry(selector="10de:2235", resource="nvidia.com/A40", external=False),)
    assert allocatable(machine.report(), permitted)[0].kubevirt == 0
    found = allocatable(machine.put({base: "557\n"}).report(), permitted)[0]
    assert (found.kubevirt, found.usable, found.why) == (1, 1, ())


def test_a_group_two_resources_share() -> None:
    machine = Machine().function("0000:04:00.0", T4, T4_CLASS, driver="vfio-pci", group=1)
    machine.function("0000:04:00.1", "10de:10f8", "040300", driver="vfio-pci", group=1)
    both = (*PERMITTED, PermittedEntry(selector="10de:10f8", resource="nvidia.com/audio", external=False))
    assert [(one.resource, one.kubevirt, one.why) for one in allocatable(machine.report(), both)] == [
        (RESOURCE, 1, ("group 1 is counted for nvidia.com/audio too, and only one guest can have it",)),
        ("nvidia.com/audio", 1, (f"group 1 is counted for {RESOURCE} too, and only one guest can have it",)),
    ]


def test_entries_that_find_nothing() -> None:
    machine = Machine().function("0000:04:00.0", T4, T4_CLASS, driver="vfio-pci", group=1)
    asked = (
        PermittedEntry(selector=T4, resource="a.com/first", external=False),
        PermittedEntry(selector=T4, resource="b.com/last", external=False),
        PermittedEntry(selector="1234:5678", resource="c.com/none", external=False),
        PermittedEntry(selector=T4, resource="d.com/plugin", external=True),
    )
    assert [(one.resource, one.kubevirt, one.why) for one in allocatable(machine.report(), asked)] == [
        ("a.com/first", 0, (f"{T4}: a later entry gives it to b.com/last",)),
        ("b.com/last", 1, ()),
        ("c.com/none", 0, ("1234:5678: no such device",)),
        ("d.com/plugin", 0, (f"{T4}: another provider hands it out; KubeVirt looks for no device",)),
    ]


def test_a_report_without_areas_offers_nothing(tmp_path: Path) -> None:
    report = survey(Host(str(plant(tmp_path, {}))), frozenset())
    assert plain(allocatable(report, PERMITTED)) == [
        {"resource": RESOURCE, "kubevirt": 0, "usable": 0, "devices": [], "why": [f"{T4}: no such device"]}
    ]
