"""Which functions storage keeps: those it is on, and where its way is lost those that it may be on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hostagent.assess.node import Node
from hostagent.assess.protected import protections
from hostagent.assess.reasons import Evidence, Reason
from hostagent.host.disks import Disk
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.plan.machines import NIC, NIC_CLASS, NVME, NVME_CLASS, Machine

DISK, HBA, FC, PORT, FREE = (PciAddress(f"0000:0{number}:00.0") for number in range(3, 8))


def machine() -> Machine:
    """An NVMe disk, a RAID adapter without disks, a Fibre Channel adapter, a NIC; all driven, and an NVMe that is not."""
    built = Machine()
    built.function(DISK, NVME, NVME_CLASS, driver="nvme").disk("nvme0n1", DISK)
    built.function(HBA, "1000:005d", "010400", driver="megaraid_sas")
    built.function(FC, "10df:f400", "0c0400", driver="lpfc")
    built.function(PORT, NIC, NIC_CLASS, driver="e1000e")
    built.function(FREE, NVME, NVME_CLASS)
    return built


def why(built: Machine) -> dict[PciAddress, tuple[Reason, ...]]:
    return protections(Node("n", built.report()))


def test_all_of_a_machine_that_is_known_may_go_but_what_it_lives_on() -> None:
    assert {address for address, reasons in why(machine()).items() if reasons[0].code != "network-namespace"} <= {PORT}


def mounted(built: Machine, line: str) -> Machine:
    built.files["proc/1/mountinfo"] += f"{line}\n"
    return built


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("25 24 8:1 / /srv rw - ext4 /dev/sda1 rw", "it may carry /srv: sda1 is not in sysfs"),
        (
            "25 24 0:40 / /tank rw - zfs tank rw",
            "it may carry /tank: zfs: sysfs does not say which devices a pool has",
        ),
    ],
)
def test_a_lost_way_keeps_every_driven_adapter_of_storage(line: str, text: str) -> None:
    found = why(mounted(machine(), line))
    for address in (DISK, HBA, FC):
        (reason,) = found[address]
        assert (reason.code, reason.text, reason.evidence[0].path) == ("unknown", text, "proc/1/mountinfo")
    assert FREE not in found


@pytest.mark.parametrize(("transport", "kept"), [("fc", FC), ("tcp", PORT), ("rdma", PORT)])
def test_nvme_over_a_fabric_keeps_the_adapters_of_that_fabric(transport: str, kept: PciAddress) -> None:
    built = machine()
    base = "sys/devices/virtual/nvme-fabrics/ctl/nvme9"
    built.put({f"{base}/transport": f"{transport}\n", f"{base}/nvme9n1/dev": "259:9\n"})
    built.links |= {
        "sys/class/nvme/nvme9": "../../devices/virtual/nvme-fabrics/ctl/nvme9",
        "sys/class/block/nvme9n1": "../../devices/virtual/nvme-fabrics/ctl/nvme9/nvme9n1",
        "sys/dev/block/259:9": "../../devices/virtual/nvme-fabrics/ctl/nvme9/nvme9n1",
    }
    found = why(mounted(built, "25 24 259:9 / /srv rw - ext4 /dev/nvme9n1 rw"))
    text = f"it may carry /srv: nvme9: NVMe over {transport}, and sysfs does not say through which adapter"
    assert text in [reason.text for reason in found[kept]]
    assert not {DISK, HBA} & found.keys()


def test_swap_that_is_not_known_keeps_every_driven_adapter() -> None:
    found = why(machine().without("proc/swaps"))
    assert {DISK, HBA, FC} <= found.keys()
    assert found[HBA][0].text == "it may carry swap: what is swapped to is not known"


def test_the_next_boot_is_named_by_file_and_line() -> None:
    built = machine().put({"etc/fstab": "# disks\n/dev/nvme0n1 /data xfs defaults 0 2\n"})
    (reason,) = why(built)[DISK]
    assert (reason.code, reason.text) == ("storage", "it carries /data")
    assert reason.evidence == (Evidence(path="etc/fstab:2", said=f"/data on nvme0n1 on {DISK}"),)


def test_a_disk_open_in_a_process() -> None:
    built = machine().put({"holders.json": '[["/dev/nvme0n1", "qemu-kvm"]]'})
    (reason,) = why(built)[DISK]
    assert reason.evidence == (Evidence(path="dev/nvme0n1", said="open in qemu-kvm"),)


def test_facts_that_an_older_report_does_not_have_refuse_nothing() -> None:
    report = machine().report()
    assert report.storage is not None
    assert report.storage.data is not None
    disks = tuple(replaced(disk, held_open=None) for disk in report.storage.data.disks)
    old = replaced(report.storage.data, swaps_known=None, namespaces_known=None, disks=disks)
    node = Node("n", replaced(report, storage=replaced(report.storage, data=old)))
    assert protections(node) == why(machine())


class _Counted(tuple[Disk, ...]):
    """Disks, and how often somebody went through them."""

    __slots__ = ()
    passes = 0

    def __iter__(self) -> Iterator[Disk]:
        type(self).passes += 1
        return super().__iter__()


def _passes(functions: int) -> int:
    built = mounted(machine(), "25 24 0:40 / /tank rw - zfs tank rw")
    for number in range(functions):
        built.function(PciAddress(f"0000:{number + 16:02x}:00.0"), "1000:005d", "010400", driver="megaraid_sas")
    report = built.report()
    assert report.storage is not None
    assert report.storage.data is not None
    _Counted.passes = 0
    storage = replaced(report.storage, data=replaced(report.storage.data, disks=_Counted(report.storage.data.disks)))
    assert len(protections(Node("n", replaced(report, storage=storage)))) > functions
    return _Counted.passes


def test_disks_are_gone_through_no_more_often_for_more_functions() -> None:
    assert 0 < _passes(1) == _passes(40)


@pytest.mark.parametrize("path", ["dev/disk", "etc/fstab", "usr/lib/systemd/system"])
def test_what_cannot_be_followed_on_the_way_keeps_every_driven_adapter_of_storage(path: str) -> None:
    built = machine()
    built.links[path] = path.rpartition("/")[2]
    built.files |= {} if path == "etc/fstab" else {"etc/fstab": "UUID=0a1b /data xfs defaults 0 2\n"}
    found = why(built)
    assert all("unknown" in {reason.code for reason in found[address]} for address in (DISK, HBA, FC))
    assert FREE not in found
