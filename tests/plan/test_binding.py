from __future__ import annotations

import pytest

from hostagent.assess.reasons import Evidence, Reason, Why
from hostagent.plan import plan
from hostagent.plan.model import (
    IDS,
    KERNEL_ARGUMENT,
    MODPROBE,
    UNIT,
    AddressUnit,
    Identity,
    Initramfs,
    KernelArgument,
    Refusal,
)
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.plan.machines import NIC, NIC_CLASS, NVME, NVME_CLASS, T4, T4_CLASS, Machine, worker
from tests.plan.profiles import DEBIAN, devices, planned

RHEL = "{name: rhel, version: 9}"
A, B = PciAddress("0000:04:00.0"), PciAddress("0000:05:00.0")


def two(identity: str, cls: str, driver: str | None, first: str = "0000:0000", second: str = "0000:0000") -> Machine:
    machine = Machine().function(A, identity, cls, driver=driver, group=4, subsystem=first)
    machine.function(B, identity, cls, driver=driver, group=5, subsystem=second)
    if cls == NIC_CLASS and driver is not None:
        machine.nic("eth0", A).nic("eth1", B)
    return machine


def softdeps(*machines: Machine, entry: str, platform: str = DEBIAN) -> list[str]:
    return [one.module for one in planned(devices(entry, platform=platform), *machines).vfio.softdeps]


def test_all_of_an_id_by_its_id() -> None:
    found = planned(devices("id: 10de:1eb8"), worker())
    assert (found.vfio.channel, found.vfio.ids, found.vfio.units) == (MODPROBE, ("10de:1eb8",), ())
    assert {(one.method, one.why, one.early, one.twins) for one in found.bindings} == {
        (IDS, "every 10de:1eb8 on every node is to be taken", False, ())
    }
    assert found.modules_load == ("vfio-pci",)
    assert found.initramfs == Initramfs(kind="generic", modules=())


def test_one_of_two_by_its_address() -> None:
    found = planned(devices("id: 10de:1eb8, count: 1"), worker())
    identity = Identity(
        vendor_id="10de",
        device_id="1eb8",
        subsystem_vendor_id="10de",
        subsystem_device_id="12a2",
        path="pci0000:04/00.0",
    )
    assert found.vfio.ids == ()
    assert found.vfio.units == (AddressUnit(address=A, identities=(identity,), nodes=("a",), disk=False),)
    (binding,) = found.bindings
    assert (binding.method, binding.why) == (UNIT, "0000:05:00.0 on a has the same ID 10de:1eb8 and stays")
    assert binding.twins == (B,)


def test_one_of_two_by_its_subsystem() -> None:
    machine = two(T4, T4_CLASS, None, "10de:12a2", "10de:12a3")
    found = planned(devices("address: 0000:04:00.0"), machine)
    assert found.vfio.ids == ("10de:1eb8:10de:12a2",)
    assert found.bindings[0].why == "its subsystem 10de:12a2 tells it from the 10de:1eb8 that stay"
    unknown = machine.put({f"sys/devices/pci0000:00/{B}/uevent": "PCI_CLASS=30200\nPCI_ID=10DE:1EB8\n"})
    assert planned(devices("address: 0000:04:00.0"), unknown).vfio.ids == ()


def test_an_id_that_stays_on_another_node() -> None:
    other = Machine().function("0000:09:00.0", T4, T4_CLASS, subsystem="10de:12a2")
    found = planned(devices("id: 10de:1eb8, nodes: [a]"), worker(), other)
    assert found.vfio.ids == ()
    assert {one.why for one in found.bindings} == {"0000:09:00.0 on b has the same ID 10de:1eb8 and stays"}
    assert found.refused == ()


def test_an_id_that_must_stay_on_another_node() -> None:
    other = Machine().function("0000:09:00.0", NVME, NVME_CLASS, driver="nvme").disk("nvme0n1", "0000:09:00.0", on="/")
    mine = Machine().function("0000:04:00.0", NVME, NVME_CLASS, driver="nvme")
    found = planned(devices("address: 0000:04:00.0", platform=DEBIAN), mine, other)
    assert (found.vfio.ids, [one.address for one in found.vfio.units]) == ((), [A])


@pytest.mark.parametrize(("platform", "method"), [("{name: fcos, version: 1.5.0}", UNIT), (DEBIAN, IDS), (RHEL, IDS)])
@pytest.mark.parametrize(
    ("identity", "cls"), [(NIC, NIC_CLASS), (NVME, NVME_CLASS), ("8086:15b7", "0c0330"), ("8086:37c9", "100000")]
)
def test_what_the_initramfs_binds_first(platform: str, method: str, identity: str, cls: str) -> None:
    identity = identity.replace("37c9", "4941")
    found = planned(devices("address: [0000:04:00.0, 0000:05:00.0]", platform=platform), two(identity, cls, "some"))
    assert {(one.method, one.early) for one in found.bindings} == {(method, method == UNIT)}


def test_initramfs_made_on_the_host_takes_vfio_in() -> None:
    modules = ("vfio", "vfio_iommu_type1", "vfio_pci")
    gpu = two(T4, T4_CLASS, "nouveau")
    assert planned(devices("id: 10de:1eb8", platform=DEBIAN), gpu).initramfs == Initramfs(
        kind="initramfs-tools", modules=modules
    )
    assert planned(devices("id: 10de:1eb8", platform=RHEL), gpu).initramfs == Initramfs(kind="dracut", modules=modules)
    assert planned(devices("id: 10de:1eb8, count: 1", platform=RHEL), gpu).initramfs.modules == ()


def test_a_driver_built_into_the_kernel_of_one_node() -> None:
    plain, fixed = two("8086:15b7", "0c0330", "xhci_hcd"), two("8086:15b7", "0c0330", "xhci_hcd").built_in("xhci_pci")
    found = planned(devices("id: 8086:15b7", platform=DEBIAN), plain, fixed)
    assert {(one.method, one.why) for one in found.bindings} == {
        (UNIT, "a driver in the kernel itself has 8086:15b7 before vfio-pci hears of the ID")
    }
    assert planned(devices("id: 8086:15b7", platform=DEBIAN), plain).vfio.ids == ("8086:15b7",)


def test_vfio_built_into_the_kernel() -> None:
    machine = two(NIC, NIC_CLASS, "e1000e").built_in("drivers/vfio/pci/vfio-pci")
    found = planned(devices("id: 8086:10d3", "id: 10de:1eb8, nodes: [b]"), machine, worker())
    assert found.vfio.channel == KERNEL_ARGUMENT
    assert found.vfio.built_in
    assert found.vfio.softdeps == ()
    assert found.modules_load == ()
    # NICs of b are not all to be taken; what is taken by ID is taken before any module could be loaded.
    assert found.vfio.ids == ("10de:1eb8",)
    assert KernelArgument(words=("vfio-pci.ids=10de:1eb8",), topic="vfio", why="vfio-pci is built into the kernel") in (
        found.kernel_arguments
    )
    alone = planned(devices("id: 8086:10d3"), machine)
    assert ({one.method for one in alone.bindings}, alone.vfio.ids) == ({IDS}, ("8086:10d3",))


def test_no_ids_where_a_function_could_not_be_read() -> None:
    machine = two(T4, T4_CLASS, None).put({"sys/devices/pci0000:00/0000:09:00.0/uevent": "PCI_CLASS=30200\n"})
    machine.links["sys/bus/pci/devices/0000:09:00.0"] = "../../../devices/pci0000:00/0000:09:00.0"
    found = planned(devices("id: 10de:1eb8"), two(T4, T4_CLASS, None), machine)
    assert {(one.method, one.why) for one in found.bindings} == {
        (UNIT, "a function of b could not be read, and may have the same ID")
    }


def test_no_ids_where_a_node_has_no_functions_to_see() -> None:
    blind = replaced(Machine().report(), pci=None)
    found = plan((("a", two(T4, T4_CLASS, None).report()), ("b", blind)), devices("id: 10de:1eb8"))
    assert found.vfio.ids == ()


def test_more_ids_than_the_parameter_holds() -> None:
    machine = Machine()
    for number in range(120):
        machine.function(f"0000:{number + 1:02x}:00.0", f"10de:{number:04x}", "120000")
    found = planned(devices("class: 12"), machine)
    assert len(",".join(found.vfio.ids)) <= 1023
    assert len(found.vfio.ids) == 102
    assert len(found.vfio.units) == 18
    assert found.bindings[-1].why == "vfio-pci's ids hold 1023 letters"


def test_softdeps_of_a_card() -> None:
    assert softdeps(worker(), entry="address: 0000:07:00.0") == [
        "i2c_nvidia_gpu", "nouveau", "nvidia", "nvidiafb", "snd_hda_intel", "xhci_pci",
    ]  # fmt: skip
    # On CoreOS the USB function is taken by address: no file there comes before its driver.
    on_coreos = softdeps(worker(), entry="address: 0000:07:00.0", platform="{name: openshift, version: 4.20}")
    assert on_coreos == ["i2c_nvidia_gpu", "nouveau", "nvidia", "nvidiafb", "snd_hda_intel"]


@pytest.mark.parametrize("name", ["-rf", "a" * 56])
def test_a_softdep_of_what_is_no_module_is_not_written_again(name: str) -> None:
    """`-rf` is not rewritten to `_rf`, which would be a name, and stays in the report as it was written."""
    text = f"softdep {name} pre: vfio-pci\nsoftdep strange_accel pre: vfio-pci\n"
    bound = two("1d17:9083", "120000", "vfio-pci").put({"etc/modprobe.d/vfio.conf": text})
    assert softdeps(bound, entry="id: 1d17:9083") == ["strange_accel"]


def test_softdeps_outlive_the_reboot() -> None:
    before = two("1d17:9083", "120000", "strange-accel")
    after = two("1d17:9083", "120000", "vfio-pci").put(
        {"etc/modprobe.d/vfio.conf": "softdep strange_accel pre: vfio-pci\nsoftdep other pre: else\n"}
    )
    assert softdeps(before, entry="id: 1d17:9083") == ["strange_accel"]
    assert softdeps(after, entry="id: 1d17:9083") == ["strange_accel"]
    free = two("1d17:9083", "120000", None)
    assert softdeps(free, entry="id: 1d17:9083") == []


def test_units_outlive_the_reboot() -> None:
    wishes = devices("id: 1d17:9083", platform=DEBIAN)
    before = planned(wishes, two("1d17:9083", "120000", "strange-accel").built_in("xhci_pci"))
    assert before.vfio.ids == ("1d17:9083",)
    fixed = two("8086:a0ed", "0c0330", "xhci_hcd").built_in("xhci_pci")
    after = two("8086:a0ed", "0c0330", "vfio-pci").built_in("xhci_pci")
    wishes = devices("id: 8086:a0ed", platform=DEBIAN)
    assert planned(wishes, fixed).vfio == planned(wishes, after).vfio
    # A driver that is no longer to be seen, and is known for no class: the override says that a unit took the device.
    odd = two("1d17:9083", "120000", "vfio-pci")
    odd.put({f"sys/devices/pci0000:00/{address}/driver_override": "vfio-pci\n" for address in (A, B)})
    wishes = devices("id: 1d17:9083", platform=DEBIAN)
    assert {one.method for one in planned(wishes, odd).bindings} == {UNIT}


def test_different_cards_at_one_address_on_two_nodes() -> None:
    one = Machine().function(A, T4, T4_CLASS, subsystem="10de:12a2").function(B, T4, T4_CLASS)
    other = Machine().function(A, NIC, NIC_CLASS, subsystem="8086:0001").function(B, NIC, NIC_CLASS)
    found = planned(devices("address: 0000:04:00.0"), one, other)
    (unit,) = found.vfio.units
    assert (unit.address, unit.nodes) == (A, ("b",))
    assert found.vfio.ids == ("10de:1eb8:10de:12a2",)
    twins = planned(
        devices("address: 0000:04:00.0", platform=DEBIAN), two(NIC, NIC_CLASS, None), two(T4, T4_CLASS, None)
    )
    assert [identity.device_id for identity in twins.vfio.units[0].identities] == ["1eb8", "10d3"]
    assert twins.vfio.units[0].nodes == ("a", "b")


def test_a_unit_that_would_take_what_stays_on_another_node() -> None:
    mine, other = two(T4, T4_CLASS, None), two(T4, T4_CLASS, None)
    found = planned(devices("address: 0000:04:00.0, nodes: [a]"), mine, other)
    text = "the unit that takes 0000:04:00.0 on a would take it here, where it stays"
    said = Evidence(path="sys/bus/pci/devices/0000:04:00.0/uevent", said="PCI_ID=10DE:1EB8")
    assert found.refused == (
        Refusal(
            node="b", entry="devices[0]", address=A, reason=Reason(code=Why.STAYS_HERE, text=text, evidence=(said,))
        ),
    )
    assert [node.node for node in found.fleet.unsafe] == ["b"]


def test_what_nothing_tells_from_its_twin_is_taken_by_no_unit() -> None:
    report = worker().report()
    assert report.pci is not None
    assert report.pci.data is not None
    old = replaced(report, pci=replaced(report.pci, data=replaced(report.pci.data, buses=None)))
    found = plan((("a", old),), devices("id: 10de:1eb8, count: 1"))
    (refusal,) = found.refused
    assert (refusal.address, refusal.reason.code) == (A, "twins")
    assert refusal.reason.text == (
        "a unit takes it by its address, which moves when cards are added, and nothing else tells it from"
        " 0000:05:00.0 on a, which stays"
    )
