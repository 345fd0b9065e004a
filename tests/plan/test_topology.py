"""Places that do not move, and the groups to be expected while no IOMMU shows any."""

from __future__ import annotations

import pytest

from hostagent.assess.node import Node
from hostagent.assess.topology import Topology
from hostagent.host import Host
from hostagent.render.files import RenderError
from hostagent.render.targets import Wishes, rendered
from hostagent.report import NodeReport, survey
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.plan.machines import NIC, NIC_CLASS, NVME, NVME_CLASS, Machine
from tests.plan.profiles import DEBIAN, devices, planned
from tests.roots import FIXTURES

PLAIN = Wishes(split=False, namespace=None, resource=None, owned=frozenset())
PORT, BRIDGE = "0000:00:02.3", "0000:06:00.0"


def behind(machine: Machine, address: str, *bridges: str) -> None:
    """Put a function that is at the root behind bridges."""
    way = "/".join((*bridges, address))
    for found in (machine.files, machine.links):
        for path in [path for path in found if path.startswith(f"sys/devices/pci0000:00/{address}")]:
            found[path.replace(address, way, 1)] = found.pop(path)
    for path, target in machine.links.items():
        machine.links[path] = target.replace(f"pci0000:00/{address}", f"pci0000:00/{way}")


def machine(*, on: bool, bus: bool = True) -> Machine:
    """Two NICs on a conventional bus, one with the default route; an NVMe alone behind its own port."""
    found = Machine()
    groups = {PORT: 4, BRIDGE: 5, "0000:00:02.4": 6, "0000:07:01.0": 5, "0000:07:02.0": 5, "0000:08:00.0": 7}

    def add(address: str, identity: str, cls: str, driver: str | None, *bridges: str, **attributes: str) -> None:
        found.function(address, identity, cls, driver=driver, group=groups[address] if on else None, **attributes)
        if bus:
            behind(found, address, *bridges)

    express = {"max_link_speed": "16.0 GT/s PCIe"}
    add(PORT, "1b36:000c", "060400", "pcieport", **express)
    add("0000:00:02.4", "1b36:000c", "060400", "pcieport", **express)
    add(BRIDGE, "1b36:000e", "060400", None, PORT, **express)
    found.function("0000:07:01.0", NIC, NIC_CLASS, driver="e1000", group=5 if on else None)
    found.nic("eth0", "0000:07:01.0", route=True)
    found.function("0000:07:02.0", "8086:100e", NIC_CLASS, driver="e1000", group=5 if on else None)
    found.nic("eth1", "0000:07:02.0", operstate="down")
    if bus:
        behind(found, "0000:07:01.0", PORT, BRIDGE)
        behind(found, "0000:07:02.0", PORT, BRIDGE)
    add("0000:08:00.0", NVME, NVME_CLASS, "nvme", "0000:00:02.4", **express)
    return found if on else found.without("sys/class/iommu")


def names(node: Node, address: str) -> list[str]:
    return [other.address for other in node.expected(node.at[PciAddress(address)])]


def test_a_conventional_bus_is_one_group() -> None:
    node = Node("n", machine(on=False).report())
    assert names(node, "0000:07:02.0") == [BRIDGE, "0000:07:01.0"]
    assert names(node, "0000:08:00.0") == []
    assert node.topology.path(PciAddress("0000:07:02.0")) == "pci0000:00/02.3/00.0/02.0"


def test_an_older_report_tells_it_by_the_numbers() -> None:
    report = machine(on=False).report()
    assert report.pci is not None
    assert report.pci.data is not None
    old = replaced(report, pci=replaced(report.pci, data=replaced(report.pci.data, buses=None)))
    node = Node("n", old)
    assert names(node, "0000:07:02.0") == ["0000:07:01.0"]
    assert names(node, "0000:08:00.0") == []
    assert node.topology.path(PciAddress("0000:07:02.0")) is None


@pytest.mark.parametrize("target", ["modprobe", "systemd", "kubevirt"])
def test_first_the_iommu_then_the_devices_with_one_profile(target: str) -> None:
    wishes = devices("address: 0000:07:02.0, resourceName: a.com/b", platform=DEBIAN)
    off = planned(wishes, machine(on=False))
    with pytest.raises(RenderError, match=r"switch the IOMMU on first .*render kargs"):
        rendered(off, (target,), PLAIN)
    (file,) = rendered(off, ("kargs",), PLAIN)
    assert "intel_iommu=on" in file.text
    # Once the groups are known, it is refused by what they are.
    after = planned(wishes, machine(on=True))
    with pytest.raises(RenderError, match=r"it shares IOMMU group 5 with 0000:07:01\.0, and it carries eth0"):
        rendered(after, (target,), PLAIN)
    with pytest.raises(RenderError):
        rendered(after, ("kargs",), PLAIN)


def test_what_is_alone_may_go_before_and_after() -> None:
    wishes = devices("address: 0000:08:00.0", platform=DEBIAN)
    for on in (False, True):
        found = planned(wishes, machine(on=on))
        assert found.refused == ()
        assert [one.address for one in found.bindings] == ["0000:08:00.0"]


def test_companions_false_leaves_what_is_expected() -> None:
    wishes = devices("address: 0000:07:01.0, companions: false", platform=DEBIAN)
    idle = machine(on=False).put({"proc/1/net/route": "Iface\tDestination\tGateway\tFlags\n"})
    (refusal,) = planned(wishes, idle).refused
    assert refusal.reason.code == "expected-group"
    assert "0000:07:02.0 is expected in its IOMMU group, and companions: false leaves it" in refusal.reason.text


def test_a_count_that_only_expected_groups_keep_short() -> None:
    (refusal,) = planned(devices("id: 8086:100e, count: 1", platform=DEBIAN), machine(on=False)).refused
    assert refusal.reason.code == "expected-group"
    (refusal,) = planned(devices("id: 8086:100e, count: 2", platform=DEBIAN), machine(on=False)).refused
    assert refusal.reason.code == "too-few"


@pytest.mark.parametrize("name", ["lab-intel", "lab-hugepages", "lab-amd-vfio"])
def test_groups_of_real_machines_are_within_what_is_expected(name: str) -> None:
    report = survey(Host(str(FIXTURES / name), thorough=True))
    for group in grouped(report):
        assert group, name


def grouped(report: NodeReport) -> list[bool]:
    """For each group of two or more ends, whether it is within one that would be expected."""
    node = Node("n", report)
    assert report.pci is not None
    sriov = report.sriov.data if report.sriov is not None else None
    virtual = frozenset(one.address for one in sriov.virtual_functions) if sriov is not None else frozenset()
    topology = Topology(report.pci.data, virtual)
    found = []
    for number in node.groups:
        ends = [node.at[one] for one in node.members(number) if one in node.at]
        ends = [one for one in ends if not one.class_id.startswith("06")]
        if len(ends) > 1:
            found.append(len({topology.expected_group(one.address) for one in ends}) == 1)
    return found
