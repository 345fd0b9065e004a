from __future__ import annotations

import pytest

from hostagent.assess.node import Node
from hostagent.assess.protected import protections
from hostagent.assess.reasons import MAPPED, Evidence, Reason, Why
from hostagent.report import AREAS
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.plan.machines import NIC, NIC_CLASS, NVME, NVME_CLASS, T4, T4_CLASS, Machine, worker

ONE = PciAddress("0000:03:00.0")


def why(machine: Machine) -> dict[str, tuple[Reason, ...]]:
    return dict(protections(Node("n", machine.report())).items())


def codes(machine: Machine) -> dict[str, list[str]]:
    return {address: [reason.code for reason in reasons] for address, reasons in why(machine).items()}


def test_a_worker() -> None:
    assert codes(worker()) == {
        "0000:00:00.0": ["bridge"],
        "0000:00:1f.0": ["bridge"],
        "0000:00:1f.3": ["platform", "group"],
        "0000:00:1f.4": ["group", "group"],
        "0000:01:00.0": ["network"],
        "0000:03:00.0": ["storage"],
        "0000:06:00.0": ["bmc", "console"],
    }


@pytest.mark.parametrize(
    ("identity", "cls", "code", "said"),
    [
        ("8086:7a50", "060400", "bridge", "PCI_CLASS=60400"),
        ("1022:1419", "080600", "platform", "PCI_CLASS=80600"),
        ("8086:0000", "080000", "platform", "PCI_CLASS=80000"),
        ("8086:0000", "080100", "platform", "PCI_CLASS=80100"),
        ("8086:0000", "080200", "platform", "PCI_CLASS=80200"),
        ("8086:0000", "080300", "platform", "PCI_CLASS=80300"),
        ("8086:a323", "0c0500", "platform", "PCI_CLASS=C0500"),
        ("103c:3308", "0c0701", "platform", "PCI_CLASS=C0701"),
        ("8086:2f34", "110100", "platform", "PCI_CLASS=110100"),
        ("1a03:2000", "030000", "bmc", "PCI_ID=1A03:2000"),
        ("102b:0538", "030000", "bmc", "PCI_ID=102B:0538"),
        ("8086:25ab", "088000", "watchdog", "PCI_ID=8086:25AB"),
        ("8086:37c8", "0b4000", "denylist", "PCI_ID=8086:37C8"),
    ],
)
def test_what_a_function_is(identity: str, cls: str, code: str, said: str) -> None:
    (reason,) = why(Machine().function(ONE, identity, cls))[ONE]
    assert reason.code == code
    assert reason.evidence == (Evidence(path=f"sys/bus/pci/devices/{ONE}/uevent", said=said),)


@pytest.mark.parametrize(("identity", "cls"), [(T4, T4_CLASS), ("102b:0525", "030000"), ("8086:a348", "040300")])
def test_what_may_go(identity: str, cls: str) -> None:
    assert codes(Machine().function(ONE, identity, cls, driver="some", boot_vga="0")) == {}


@pytest.mark.parametrize("on", ["/", "/boot", "/var/lib/kubelet", "/var/lib/containers", "/mnt/somewhere"])
def test_what_is_mounted(on: str) -> None:
    machine = Machine().function(ONE, NVME, NVME_CLASS, driver="nvme").disk("nvme0n1", ONE, on=on)
    (reason,) = why(machine)[ONE]
    assert reason == Reason(
        code=Why.STORAGE,
        text=f"it carries {on}, nvme0n1",
        evidence=(Evidence(path="proc/1/mountinfo", said=f"{on} on nvme0n1 on {ONE}"),),
    )


def test_swap() -> None:
    machine = Machine().function(ONE, NVME, NVME_CLASS, driver="nvme").disk("nvme0n1", ONE, swap=True)
    (reason,) = why(machine)[ONE]
    assert reason.evidence == (Evidence(path="proc/swaps", said=f"swap on nvme0n1 on {ONE}"),)


def test_a_disk_that_something_stands_on() -> None:
    machine = Machine().function(ONE, NVME, NVME_CLASS, driver="nvme").disk("nvme0n1", ONE)
    assert codes(machine) == {}
    machine.links[f"sys/devices/pci0000:00/{ONE}/nvme/nvme0/nvme0n1/holders/dm-0"] = "../../../../virtual/block/dm-0"
    (reason,) = why(machine)[ONE]
    assert reason.evidence == (Evidence(path="sys/block/nvme0n1/holders", said="dm-0"),)


def test_a_use_whose_way_down_is_lost() -> None:
    machine = Machine().function(ONE, NVME, NVME_CLASS, driver="nvme").disk("nvme0n1", ONE)
    machine.put({"proc/1/mountinfo": "24 1 0:30 / / rw - zfs rpool/ROOT rw\n"})
    (reason,) = why(machine)[ONE]
    why_lost = "zfs: sysfs does not say which devices a pool has"
    assert (reason.code, reason.text) == ("unknown", f"it may carry /: {why_lost}")
    assert reason.evidence == (Evidence(path="proc/1/mountinfo", said=why_lost),)


def test_without_mounts_every_driven_disk_controller_is_suspected() -> None:
    machine = Machine().function(ONE, NVME, NVME_CLASS, driver="nvme").function("0000:04:00.0", NVME, NVME_CLASS)
    machine.function("0000:05:00.0", NVME, NVME_CLASS, driver="vfio-pci").without("proc/1/mountinfo")
    unread = Evidence(path="proc/1/mountinfo", said="not all mounts are known")
    expected = Reason(code=Why.UNKNOWN, text="it may carry /: not all mounts are known", evidence=(unread,))
    assert why(machine) == {ONE: (expected,)}


def test_without_routes_every_nic_that_is_up_is_suspected() -> None:
    machine = Machine().function(ONE, NIC, NIC_CLASS, driver="e1000e").nic("eno1", ONE)
    machine.function("0000:04:00.0", NIC, NIC_CLASS, driver="e1000e").nic("eno2", "0000:04:00.0")
    machine.put({"sys/devices/pci0000:00/0000:04:00.0/net/eno2/operstate": "down\n"}).unasked().without(
        "proc/1/net/route"
    )
    assert codes(machine) == {ONE: ["unknown"]}


def test_what_is_not_known_is_said_once_of_each_function_of_a_group() -> None:
    machine = Machine().unasked().without("proc/1/net/route")
    for number in range(4):
        machine.function(f"0000:04:00.{number}", NIC, NIC_CLASS, driver="e1000e", group=7)
    found = why(machine)
    assert len(found) == 4
    assert {tuple(reason.code for reason in reasons) for reasons in found.values()} == {("unknown",)}


GUARDED = ["iommu", "vfio", "sriov", "watchdog", "firmware", "network", "storage"]


def test_the_areas_that_protect() -> None:
    assert [name for name, area in AREAS.items() if area.guard is not None] == GUARDED


@pytest.mark.parametrize("area", GUARDED)
def test_what_an_area_would_have_protected_is_refused_without_it(area: str) -> None:
    machine = Machine().function(ONE, NIC, NIC_CLASS, driver="e1000e").nic("eno1", ONE)
    machine.function("0000:04:00.0", NVME, NVME_CLASS, driver="nvme")
    machine.function("0000:05:00.0", "10de:1e84", "030000", driver="nouveau")
    machine.function("0000:06:00.0", "8086:1234", "088000", driver="a_timer")
    machine.function("0000:07:00.0", T4, T4_CLASS)
    assert why(machine) == {}
    meant: dict[str, list[str]] = {
        "storage": ["0000:04:00.0"],
        "network": [ONE],
        "watchdog": ["0000:06:00.0"],
        "firmware": ["0000:05:00.0", "0000:07:00.0"],
        "sriov": [ONE, "0000:04:00.0", "0000:05:00.0", "0000:06:00.0"],
    }
    blind = Node("n", replaced(machine.report(), **{area: None}))
    guard = AREAS[area].guard
    assert guard is not None
    reason = Reason(
        code=Why.UNKNOWN, text=f"it is not known {guard.unknown}", evidence=(Evidence(path=area, said="not read"),)
    )
    assert protections(blind) == dict.fromkeys(meant.get(area, [*map(str, blind.at)]), (reason,))


def test_default_route_through_a_bond() -> None:
    machine = Machine().link("bond0", route=True)
    machine.function(ONE, NIC, NIC_CLASS, driver="e1000e").nic("eno1", ONE, master="bond0")
    machine.function("0000:04:00.0", NIC, NIC_CLASS, driver="e1000e").nic("eno2", "0000:04:00.0")
    machine.put({"sys/devices/virtual/net/bond0/bonding/slaves": "eno1\n"})
    found = why(machine)
    assert list(found) == [ONE]
    assert found[ONE][0].code == "network"
    assert Evidence(path="sys/class/net/eno1/master", said="bond0") in found[ONE][0].evidence


def test_a_port_of_open_vswitch() -> None:
    machine = Machine().link("ovs-system").function(ONE, NIC, NIC_CLASS, driver="e1000e")
    machine.nic("eno1", ONE, master="ovs-system")
    assert why(machine)[ONE] == (
        Reason(
            code=Why.NETWORK,
            text="it carries eno1: port of ovs-system",
            evidence=(Evidence(path="sys/class/net/eno1/master", said="ovs-system"),),
        ),
    )


def test_a_physical_function_with_virtual_ones_and_one_in_a_pod() -> None:
    machine = Machine().function(ONE, NIC, NIC_CLASS, driver="igb", sriov_totalvfs="7", sriov_numvfs="2")
    machine.nic("eno1", ONE)
    for number in (1, 2):
        address = f"0000:03:00.{number}"
        machine.function(address, "8086:1520", NIC_CLASS, driver="igbvf")
        machine.links[f"sys/devices/pci0000:00/{address}/physfn"] = f"../{ONE}"
        machine.links[f"sys/devices/pci0000:00/{ONE}/virtfn{number - 1}"] = f"../{address}"
    machine.nic("eno1v0", "0000:03:00.1")
    found = why(machine)
    assert {address: [reason.code for reason in reasons] for address, reasons in found.items()} == {
        ONE: ["virtual-functions"],
        "0000:03:00.2": ["network-namespace"],
    }
    assert found[ONE][0].evidence == (Evidence(path=f"sys/bus/pci/devices/{ONE}/sriov_numvfs", said="2"),)


def test_the_first_framebuffer_and_not_the_second() -> None:
    machine = Machine().function(ONE, "10de:1e84", "030000", driver="nouveau", boot_vga="0")
    machine.function("0000:04:00.0", "10de:1e84", "030000", driver="nouveau", boot_vga="0")
    for number, address in enumerate((ONE, "0000:04:00.0")):
        base = f"sys/devices/pci0000:00/{address}/graphics/fb{number}"
        machine.put({f"{base}/name": "nouveaudrmfb\n"})
        machine.links[f"sys/class/graphics/fb{number}"] = f"../../{base.removeprefix('sys/')}"
    said = Evidence(path="sys/class/graphics/fb0/name", said="nouveaudrmfb")
    expected = Reason(code=Why.CONSOLE, text="the first framebuffer is on it", evidence=(said,))
    assert why(machine) == {ONE: (expected,)}


def test_memory_that_firmware_keeps() -> None:
    machine = Machine().function(ONE, NIC, NIC_CLASS, group=4).function("0000:04:00.0", T4, T4_CLASS, group=5)
    machine.put(
        {
            "sys/kernel/iommu_groups/4/reserved_regions": (
                "0x00000000000e8000 0x00000000000e8fff direct\n0x00000000fee00000 0x00000000feefffff msi\n"
            ),
            "sys/kernel/iommu_groups/5/reserved_regions": "0x00000000000e8000 0x00000000000e8fff direct-relaxable\n",
        }
    )
    path = "sys/kernel/iommu_groups/4/reserved_regions"
    said = Evidence(path=path, said="0x00000000000e8000 0x00000000000e8fff direct")
    expected = Reason(code=Why.RESERVED, text=MAPPED, evidence=(said,))
    assert why(machine) == {ONE: (expected,)}


def test_behind_a_volume_management_device() -> None:
    machine = Machine().function("0000:00:0e.0", "8086:9a0b", "010400", driver="vmd", group=8)
    machine.function("10000:e1:00.0", NVME, NVME_CLASS, driver="nvme", group=8)
    assert codes(machine) == {"0000:00:0e.0": ["vmd", "group"], "10000:e1:00.0": ["vmd", "group"]}
    assert codes(Machine().function("10000:e1:00.0", NVME, NVME_CLASS, driver="nvme")) == {}


def test_what_a_guest_holds_and_its_group() -> None:
    machine = Machine().function(ONE, T4, T4_CLASS, driver="vfio-pci", group=4)
    machine.function("0000:03:00.1", "10de:10f8", "040300", group=4).function(
        "0000:03:1f.0", "8086:0001", "060400", group=4
    )
    machine.put({"holders.json": '[["/dev/vfio/4", "qemu-kvm"]]'})
    found = why(machine)
    assert found[ONE][0].text == "a guest holds it: qemu-kvm has dev/vfio/4 open"
    assert found[PciAddress("0000:03:00.1")][0].text == "a guest holds its IOMMU group: qemu-kvm has dev/vfio/4 open"
    assert [reason.code for reasons in found.values() for reason in reasons] == ["guest", "guest", "bridge"]


def test_denylist_switched_off() -> None:
    machine = Machine().function(ONE, "8086:37c8", "0b4000")
    machine.put({"proc/modules": "vfio_pci 1 0 - Live 0x0\n", "sys/module/vfio_pci/parameters/disable_denylist": "Y\n"})
    assert codes(machine) == {}


def test_a_group_of_no_iommu_is_none() -> None:
    machine = Machine().function(ONE, T4, T4_CLASS, driver="vfio-pci", group=0)
    machine.function("0000:04:00.0", NVME, NVME_CLASS, driver="nvme", group=0).disk("nvme0n1", "0000:04:00.0", on="/")
    assert codes(machine) == {ONE: ["group"], "0000:04:00.0": ["storage"]}
    machine.put({"sys/kernel/iommu_groups/0/name": "vfio-noiommu\n"})
    assert codes(machine) == {"0000:04:00.0": ["storage"]}


def test_bridges_keep_a_group_only_with_a_driver_that_does_not_let_go() -> None:
    machine = Machine().function("0000:03:00.0", T4, T4_CLASS, group=4)
    machine.function("0000:00:01.0", "8086:1901", "060400", driver="pcieport", group=4)
    assert codes(machine) == {"0000:00:01.0": ["bridge"]}


def test_members_of_a_group_that_nobody_could_read() -> None:
    machine = Machine().function(ONE, T4, T4_CLASS, group=4)
    machine.links["sys/kernel/iommu_groups/4/devices/0000:03:00.7"] = "../../../../devices/pci0000:00/0000:03:00.7"
    machine.links["sys/kernel/iommu_groups/4/devices/ffe0000.ethernet"] = (
        "../../../../devices/platform/ffe0000.ethernet"
    )
    machine.links["sys/devices/platform/ffe0000.ethernet/driver"] = "../../../bus/platform/drivers/dwmac"
    path = "sys/kernel/iommu_groups/4/devices"
    assert why(machine)[ONE] == (
        Reason(
            code=Why.GROUP,
            text="it shares IOMMU group 4 with 0000:03:00.7, which could not be read",
            evidence=(Evidence(path=path, said="0000:03:00.7"),),
        ),
        Reason(
            code=Why.GROUP,
            text="it shares IOMMU group 4 with ffe0000.ethernet, which dwmac drives",
            evidence=(Evidence(path=path, said="ffe0000.ethernet"),),
        ),
    )


def test_a_watchdog_inside_another_device() -> None:
    machine = Machine().function(ONE, "8086:1c3a", "078000", driver="mei_me")
    base = f"sys/devices/pci0000:00/{ONE}/watchdog/watchdog0"
    machine.put({f"{base}/identity": "iamt_wdt\n"})
    machine.links |= {
        "sys/class/watchdog/watchdog0": f"../../{base.removeprefix('sys/')}",
        f"{base}/device": f"../../../{ONE}",
    }
    (reason,) = why(machine)[ONE]
    assert reason.code == "watchdog"
    assert reason.evidence == (Evidence(path="sys/class/watchdog/watchdog0/identity", said="iamt_wdt"),)
