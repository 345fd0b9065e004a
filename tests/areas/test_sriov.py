"""SR-IOV: physical functions, their virtual ones, and what netlink says of those."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hostagent.area import LabelOptions
from hostagent.areas.sriov import AREA, PhysicalFunction, Sriov, VirtualFunction, probe
from hostagent.host import Host
from hostagent.host.netlink import RECORD, VfPolicy
from hostagent.values.pci import PciAddress
from tests.plant import pci_function, plant, reader
from tests.roots import CAPTURES

OPTIONS = LabelOptions(pci_classes=(), cpu_features=())
DEVICES = "sys/bus/pci/devices"


def _physical(address: str, *, total: int, used: int, offset: int, stride: int, **more: str) -> dict[str, str]:
    return pci_function(
        address, sriov_totalvfs=str(total), sriov_numvfs=str(used), sriov_offset=str(offset), sriov_stride=str(stride),
        sriov_drivers_autoprobe="1", sriov_vf_device="10ca", **more,
    )  # fmt: skip


def _virtual(address: str, physical: str, index: int) -> VirtualFunction:
    return VirtualFunction(
        address=PciAddress(address), physical_function=PciAddress(physical), index=index, policy=None
    )


# igb: two ports on one bus, the VFs of both interleaved from device 16 on the same bus.
FILES = (
    _physical("0000:03:00.0", total=8, used=3, offset=128, stride=2)
    | _physical("0000:03:00.1", total=8, used=1, offset=128, stride=2)
    | pci_function("0000:03:10.0", id="8086:10CA")
    | pci_function("0000:03:10.1", id="8086:10CA")
    | pci_function("0000:03:10.2", id="8086:10CA")
    | pci_function("0000:03:10.4", id="8086:10CA")
    | pci_function("0000:00:1c.0", cls="60400", sriov_totalvfs="7")
    | pci_function("0000:04:00.0", id="8086:1533")
)
LINKS = {
    f"{DEVICES}/0000:03:00.0/virtfn0": "../0000:03:10.0",
    f"{DEVICES}/0000:03:00.0/virtfn1": "../0000:03:10.2",
    f"{DEVICES}/0000:03:00.0/virtfn2": "../0000:03:10.4",
    f"{DEVICES}/0000:03:00.1/virtfn0": "../0000:03:10.1",
}
EXPECTED = Sriov(
    physical_functions=(
        PhysicalFunction(
            address=PciAddress("0000:03:00.0"),
            total_vfs=8,
            num_vfs=3,
            autoprobe=True,
            vf_device_id="10ca",
            vfs=(PciAddress("0000:03:10.0"), PciAddress("0000:03:10.2"), PciAddress("0000:03:10.4")),
        ),
        PhysicalFunction(
            address=PciAddress("0000:03:00.1"),
            total_vfs=8,
            num_vfs=1,
            autoprobe=True,
            vf_device_id="10ca",
            vfs=(PciAddress("0000:03:10.1"),),
        ),
    ),
    virtual_functions=(
        _virtual("0000:03:10.0", "0000:03:00.0", 0),
        _virtual("0000:03:10.2", "0000:03:00.0", 1),
        _virtual("0000:03:10.4", "0000:03:00.0", 2),
        _virtual("0000:03:10.1", "0000:03:00.1", 0),
    ),
)


@pytest.mark.parametrize("thorough", [True, False, None])
def test_links_and_the_kernels_arithmetic_agree(tmp_path: Path, *, thorough: bool | None) -> None:
    assert probe(Host(str(plant(tmp_path, FILES, LINKS)), thorough=thorough).reader()) == EXPECTED


def test_labels_and_samples() -> None:
    assert dict(AREA.labels(EXPECTED, OPTIONS)) == {"sriov.capable": "true", "sriov.vfs": "4"}
    assert [(sample.metric.name, sample.labels, sample.value) for sample in AREA.samples(EXPECTED)] == [
        ("hostagent_sriov_vfs_limit", ("0000:03:00.0",), 8),
        ("hostagent_sriov_vfs", ("0000:03:00.0",), 3),
        ("hostagent_sriov_vfs_limit", ("0000:03:00.1",), 8),
        ("hostagent_sriov_vfs", ("0000:03:00.1",), 1),
    ]


def test_an_empty_machine(tmp_path: Path) -> None:
    empty = probe(reader(plant(tmp_path, {})))
    assert empty == Sriov(physical_functions=(), virtual_functions=())
    assert dict(AREA.labels(empty, OPTIONS)) == {"sriov.capable": "false", "sriov.vfs": "0"}
    assert list(AREA.samples(empty)) == []


@pytest.mark.parametrize("thorough", [True, False])
def test_firmware_that_leaves_room_for_none(tmp_path: Path, *, thorough: bool) -> None:
    """total 0: the capability is there, and numvfs cannot be raised. An old kernel has neither autoprobe nor vf_device."""
    files = pci_function("0000:03:00.0", sriov_totalvfs="0", sriov_numvfs="0")
    found = probe(Host(str(plant(tmp_path, files)), thorough=thorough).reader())
    assert found.physical_functions == (
        PhysicalFunction(
            address=PciAddress("0000:03:00.0"), total_vfs=0, num_vfs=0, autoprobe=None, vf_device_id=None, vfs=()
        ),
    )
    assert dict(AREA.labels(found, OPTIONS))["sriov.capable"] == "false"


def test_vfs_may_start_on_the_next_bus(tmp_path: Path) -> None:
    files = _physical("10000:03:1f.7", total=2, used=2, offset=2, stride=1)
    (physical,) = probe(Host(str(plant(tmp_path, files)), thorough=False).reader()).physical_functions
    assert physical.vfs == ("10000:04:00.1", "10000:04:00.2")


def test_arithmetic_that_leaves_the_domain_is_a_problem_and_links_decide(tmp_path: Path) -> None:
    files = _physical("0000:ff:1f.7", total=2, used=1, offset=1, stride=1)
    look = Host(
        str(plant(tmp_path, files, {f"{DEVICES}/0000:ff:1f.7/virtfn0": "../0000:fe:00.1"})), thorough=False
    ).reader()
    assert probe(look).physical_functions[0].vfs == ("0000:fe:00.1",)
    assert [(problem.path, problem.kind) for problem in look.problems] == [
        (f"{DEVICES}/0000:ff:1f.7/sriov_offset", "malformed")
    ]


def test_a_kernel_without_offset_is_asked_for_links(tmp_path: Path) -> None:
    files = pci_function("0000:03:00.0", sriov_totalvfs="8", sriov_numvfs="2")
    root = plant(tmp_path, files, {f"{DEVICES}/0000:03:00.0/virtfn0": "../0000:03:10.0"})
    (physical,) = probe(Host(str(root), thorough=False).reader()).physical_functions
    # The second is going away while we look.
    assert (physical.num_vfs, physical.vfs) == (2, ("0000:03:10.0",))


@pytest.mark.parametrize("text", ["many", "-1", "100000", "٣"])
def test_odd_counts(tmp_path: Path, text: str) -> None:
    look = reader(plant(tmp_path, pci_function("0000:03:00.0", sriov_totalvfs=text)))
    assert probe(look).physical_functions == ()
    assert [(problem.path, problem.kind) for problem in look.problems] == [
        (f"{DEVICES}/0000:03:00.0/sriov_totalvfs", "malformed")
    ]


def test_on_large_machines_kin_of_a_function_without_are_not_asked(tmp_path: Path) -> None:
    """0000:04:00.1 has the ID and the bus of 0000:04:00.0, which cannot: nobody looks. Another bus is asked again."""
    files = pci_function("0000:04:00.0") | _physical("0000:04:00.1", total=4, used=0, offset=1, stride=1)
    files |= _physical("0000:05:00.0", total=4, used=0, offset=1, stride=1)
    root = str(plant(tmp_path, files))
    few, all_of_them = (Host(root, thorough=thorough).reader() for thorough in (False, True))
    assert [physical.address for physical in probe(few).physical_functions] == ["0000:05:00.0"]
    assert [physical.address for physical in probe(all_of_them).physical_functions] == ["0000:04:00.1", "0000:05:00.0"]


def test_policies_find_their_vfs(tmp_path: Path) -> None:
    said = {"administered_mac": True, "vlan": 100, "trust": False, "spoof_check": True, "link_state": "auto"}
    text = json.dumps(
        {"links": [{"name": "ens1f0", "vfs": [said | {"index": 1}, said | {"index": 9}]}, {"name": "x", "vfs": []}]}
    )
    root = plant(tmp_path, FILES | {RECORD: text, f"{DEVICES}/0000:03:00.0/net/ens1f0/mtu": "1500\n"}, LINKS)
    policies = {virtual.address: virtual.policy for virtual in probe(reader(root)).virtual_functions}
    assert policies == {
        "0000:03:10.0": None,
        "0000:03:10.1": None,
        "0000:03:10.2": VfPolicy(administered_mac=True, vlan=100, trust=False, spoof_check=True, link_state="auto"),
        "0000:03:10.4": None,
    }


def test_netlink_is_not_asked_where_no_owner_of_vfs_has_a_link(tmp_path: Path) -> None:
    """NVMe drives and accelerators have VFs and no link."""
    look = reader(plant(tmp_path, FILES | {RECORD: "not json"}, LINKS))
    assert probe(look) == EXPECTED
    assert look.problems == []


def test_netlink_is_not_asked_where_no_link_has_vfs(tmp_path: Path) -> None:
    files = _physical("0000:03:00.0", total=8, used=0, offset=128, stride=2)
    look = reader(plant(tmp_path, files | {RECORD: "not json", f"{DEVICES}/0000:03:00.0/net/e/mtu": "1500\n"}))
    assert probe(look).virtual_functions == ()
    assert look.problems == []


@pytest.mark.parametrize("name", ["lab-intel-q35", "lab-amd", "hwloc__32intel64-2p8co2t+8ve"])
def test_captures(name: str) -> None:
    archive = CAPTURES / f"{name}.tar.gz"
    if not archive.exists():
        pytest.skip(f"no {archive}")
    found = probe(reader(archive))
    seen = [(physical.address, physical.total_vfs, physical.num_vfs) for physical in found.physical_functions]
    expected = (
        [("0000:03:00.0", 2, 0)] if name.startswith("lab") else [("0000:60:00.0", 64, 0), ("0000:60:00.1", 64, 0)]
    )
    assert seen == expected
