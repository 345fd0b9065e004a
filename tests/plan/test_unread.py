"""Facts of single functions that could not be read: not to know is no permission."""

from __future__ import annotations

import pytest

from hostagent.assess.node import Node
from hostagent.assess.protected import protections
from hostagent.values.pci import PciAddress
from tests.plan.machines import NIC, NIC_CLASS, T4, T4_CLASS, Machine

ONE, TWO = PciAddress("0000:04:00.0"), PciAddress("0000:04:00.1")
REGIONS = "sys/kernel/iommu_groups/7/reserved_regions"


def codes(machine: Machine) -> dict[str, list[str]]:
    return {
        address: [reason.code for reason in reasons]
        for address, reasons in protections(Node("n", machine.report())).items()
    }


def unreadable(machine: Machine, path: str) -> Machine:
    machine.files.pop(path, None)
    machine.links[path] = path.rpartition("/")[2]
    return machine


def test_a_member_without_a_link_of_its_own() -> None:
    machine = Machine().function(ONE, T4, T4_CLASS, group=7)
    machine.function(TWO, NIC, NIC_CLASS, driver="e1000e", group=7).nic("eno1", TWO, route=True)
    machine.without(f"sys/devices/pci0000:00/{TWO}/iommu_group")
    assert codes(machine) == {ONE: ["group"], TWO: ["network"]}


@pytest.mark.parametrize("text", [None, "", "what is this\n"])
def test_reserved_regions(text: str | None) -> None:
    # Another group shows its regions: this kernel does.
    machine = Machine().function(ONE, T4, T4_CLASS, group=7).function("0000:05:00.0", T4, T4_CLASS, group=8)
    assert codes(machine) == {}
    if text is None:
        assert codes(machine.without(REGIONS)) == {ONE: ["unknown"]}
        assert codes(unreadable(machine, REGIONS)) == {ONE: ["unknown"]}
        machine.without("sys/kernel/iommu_groups/7/type", "sys/kernel/iommu_groups/8")
        # Linux before 4.11 has neither file; where one is there and unreadable, it is another kernel.
        assert codes(machine) == {ONE: ["unknown"]}
        assert codes(machine.without(REGIONS)) == {}
    else:
        assert codes(machine.put({REGIONS: text})) == ({} if not text else {ONE: ["unknown"]})


def test_boot_vga() -> None:
    machine = Machine().function(ONE, "10de:1e84", "030000", driver="nouveau").function(TWO, T4, T4_CLASS)
    path = f"sys/devices/pci0000:00/{ONE}/boot_vga"
    assert codes(machine) == {}
    assert codes(unreadable(machine, path)) == {ONE: ["unknown"]}
    machine.without(path)
    assert codes(machine) == {ONE: ["unknown"]}
    # Where firmware showed its console is known: it is no other's.
    machine.function("0000:05:00.0", "1002:0001", "030000", driver="amdgpu", boot_vga="1")
    assert codes(machine) == {"0000:05:00.0": ["console"]}


def test_a_driver_nobody_could_read_is_one() -> None:
    machine = Machine().function(ONE, "1415:c158", "070002").put({"sys/class/tty/console/active": "ttyS9\n"})
    assert codes(machine) == {}
    assert codes(unreadable(machine, f"sys/devices/pci0000:00/{ONE}/driver")) == {ONE: ["unknown"]}


@pytest.mark.parametrize(
    ("identity", "cls", "driver"),
    [
        ("8086:0d93", "050210", "cxl_pci"),
        ("8086:0d93", "050210", None),
        ("8086:0d93", "120000", "cxl_pci"),
        ("1af4:1058", "00ff00", "virtio-pci"),
        ("1af4:105b", "00ff00", "virtio-pci"),
    ],
)
def test_memory_may_serve_as_ram(identity: str, cls: str, driver: str | None) -> None:
    assert codes(Machine().function(ONE, identity, cls, driver=driver)) == {ONE: ["memory"]}


def test_no_memory_of_the_host() -> None:
    assert codes(Machine().function(ONE, "1af4:1045", "00ff00").function(TWO, "8086:a36f", "050000")) == {}


def test_the_g200_of_a_desktop_card_may_go() -> None:
    assert codes(Machine().function(ONE, "102b:0520", "030000", driver="mgag200")) == {}
