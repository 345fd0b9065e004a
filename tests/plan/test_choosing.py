from __future__ import annotations

import pytest

from hostagent.assess.reasons import Evidence, Reason, Why
from hostagent.plan import NodesError, plan, ready
from hostagent.plan.model import Note, PermittedDevice, Refusal, Unmatched
from hostagent.profile import Profile
from hostagent.values.pci import PciAddress
from tests.plan.machines import NIC, NIC_CLASS, NVME, NVME_CLASS, T4, T4_CLASS, Machine, worker
from tests.plan.profiles import devices, noted, planned, profile


def taken(wishes: Profile, *machines: Machine) -> list[tuple[str, str, str | None]]:
    return [(one.node, one.address, one.entry) for one in planned(wishes, *machines).bindings]


@pytest.mark.parametrize(
    ("entry", "addresses"),
    [
        ("id: 10de:1eb8", ["0000:04:00.0", "0000:05:00.0"]),
        ("id: 10de:1eb8, subsystem: 10de:12a2", ["0000:04:00.0", "0000:05:00.0"]),
        ("id: 10de:1eb8, count: 1", ["0000:04:00.0"]),
        ("address: 0000:05:00.0", ["0000:05:00.0"]),
        ("address: [0000:04:00.0, 0000:05:00.0]", ["0000:04:00.0", "0000:05:00.0"]),
        ("class: 0302", ["0000:04:00.0", "0000:05:00.0"]),
        ("id: 10de:1eb8, address: 0000:05:00.0, class: 03", ["0000:05:00.0"]),
        # The first of two equal NICs carries the default route: the one asked for is the other.
        ("id: 8086:10d3, count: 1", ["0000:02:00.0"]),
    ],
)
def test_selectors(entry: str, addresses: list[str]) -> None:
    found = planned(devices(entry), worker())
    assert [one.address for one in found.bindings] == addresses
    assert (found.refused, found.unmatched) == ((), ())
    assert ready(found)


def test_the_parts_of_a_card_come_along() -> None:
    assert taken(devices("address: 0000:07:00.0"), worker()) == [
        ("a", "0000:07:00.0", "devices[0]"),
        ("a", "0000:07:00.1", None),
        ("a", "0000:07:00.2", None),
        ("a", "0000:07:00.3", None),
    ]


def test_the_parts_of_a_card_come_along_before_there_are_groups() -> None:
    machine = Machine().function("0000:07:00.0", "10de:1e84", "030000").function("0000:07:00.1", "10de:10f8", "040300")
    machine.function("0000:07:00.2", "10de:1ad8", "0c0330").function("0000:07:00.4", NIC, NIC_CLASS)
    found = planned(devices("address: 0000:07:00.0"), machine)
    assert [one.address for one in found.bindings] == [f"0000:07:00.{number}" for number in (0, 1, 2, 4)]
    text = (
        "it has no IOMMU groups yet: of each slot and each conventional PCI bus one is expected, and what else has to"
        " come along shows after the reboot that switches the IOMMU on"
    )
    assert noted(found) == (Note(code="groups-unknown", node="a", subject="iommu", text=text),)


def test_a_part_that_must_stay_keeps_its_card_before_there_are_groups() -> None:
    machine = Machine().function("0000:07:00.0", "10de:1e84", "030000").function("0000:07:00.2", "8086:25ab", "0c0330")
    found = planned(devices("address: 0000:07:00.0"), machine)
    assert found.bindings == ()
    assert [one.reason.text for one in found.refused] == [
        (
            "it is expected to share an IOMMU group with 0000:07:00.2, and it is a watchdog, made to reset a hung host; "
            "switch the IOMMU on first (`hostagent render kargs`, then reboot): then the groups are known"
        )
    ]


def test_the_rest_of_a_group_comes_along() -> None:
    machine = Machine().function("0000:05:00.0", "8086:244e", "060401", group=7)
    machine.function("0000:06:01.0", "1274:5000", "040100", driver="snd_ens1370", group=7)
    machine.function("0000:06:02.0", NIC, NIC_CLASS, driver="8139cp", group=7).nic("eth0", "0000:06:02.0")
    wishes = devices("address: 0000:06:01.0")
    assert taken(wishes, machine) == [("a", "0000:06:01.0", "devices[0]"), ("a", "0000:06:02.0", None)]
    machine.nic("eth0", "0000:06:02.0", route=True)
    found = planned(wishes, machine)
    assert found.bindings == ()
    assert found.refused == (
        Refusal(
            node="a",
            entry="devices[0]",
            address=PciAddress("0000:06:01.0"),
            reason=Reason(
                code=Why.GROUP,
                text="it shares IOMMU group 7 with 0000:06:02.0, and it carries eth0: default route",
                evidence=(
                    Evidence(path="sys/bus/pci/devices/0000:06:02.0/iommu_group", said="7"),
                    Evidence(path="proc/net/route", said="default route through eth0"),
                ),
            ),
        ),
    )


def test_companions_may_be_left_only_without_a_driver() -> None:
    machine = (
        Machine().function("0000:06:01.0", T4, T4_CLASS, group=7).function("0000:06:02.0", NIC, NIC_CLASS, group=7)
    )
    wishes = devices("address: 0000:06:01.0, companions: false")
    assert taken(wishes, machine) == [("a", "0000:06:01.0", "devices[0]")]
    machine.function("0000:06:02.0", NIC, NIC_CLASS, driver="8139cp", group=7).nic("eth0", "0000:06:02.0")
    assert planned(wishes, machine).refused == (
        Refusal(
            node="a",
            entry="devices[0]",
            address=PciAddress("0000:06:01.0"),
            reason=Reason(
                code=Why.COMPANIONS,
                text=(
                    "its IOMMU group is not viable without 0000:06:02.0, which companions: false leaves with the host"
                ),
                evidence=(
                    Evidence(path="sys/bus/pci/devices/0000:06:01.0/iommu_group", said="7"),
                    Evidence(path="sys/bus/pci/devices/0000:06:02.0/driver", said="8139cp"),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("entry", "address", "code", "text"),
    [
        ("class: 0108", "0000:03:00.0", "storage", "it carries /, nvme0n1"),
        ("address: 0000:01:00.0", "0000:01:00.0", "network", "it carries eno1: default route"),
        ("address: 0000:00:00.0", "0000:00:00.0", "bridge", "it is a bridge"),
    ],
)
def test_refused_with_the_mount_or_route_named(entry: str, address: str, code: str, text: str) -> None:
    found = planned(devices(entry), worker())
    assert [(one.address, one.reason.code, one.reason.text) for one in found.refused] == [(address, code, text)]
    assert found.bindings == ()
    assert [node.node for node in found.fleet.unsafe] == ["a"]
    assert not ready(found)


def test_all_of_an_id_of_which_one_must_stay() -> None:
    found = planned(devices("id: 8086:10d3"), worker())
    assert [one.address for one in found.bindings] == ["0000:02:00.0"]
    assert [one.address for one in found.refused] == ["0000:01:00.0"]


def test_more_than_there_are() -> None:
    found = planned(devices("id: 8086:10d3, count: 2"), worker())
    assert [(one.entry, one.address, one.reason) for one in found.refused] == [
        (
            "devices[0]",
            None,
            Reason(
                code=Why.TOO_FEW,
                text="2 asked for, 2 there, 1 free to be taken; 0000:01:00.0: it carries eno1: default route",
                evidence=(Evidence(path="proc/net/route", said="default route through eno1"),),
            ),
        )
    ]


def test_what_no_node_has() -> None:
    found = planned(
        devices("id: 10de:ffff", "address: [0000:04:00.0, 0000:44:00.0]", "id: 10de:1eb8, nodes: [z, y]"), worker()
    )
    assert found.unmatched == (
        Unmatched(entry="devices[0]", expected="10de:ffff on a node given, and found none"),
        Unmatched(entry="devices[1]", expected="0000:44:00.0 on a node given, and found none that fits"),
        Unmatched(entry="devices[2]", expected="10de:1eb8 on z or y, and found none"),
    )
    assert not ready(found)


def test_nodes_by_name_and_nodes_without() -> None:
    both = worker(), worker()
    assert [one[:2] for one in taken(devices("id: 10de:1eb8, count: 1, nodes: [b]"), *both)] == [("b", "0000:04:00.0")]
    found = planned(devices("id: 10de:1eb8"), worker(), Machine())
    assert noted(found) == (Note(code="not-here", node="b", subject="devices[0]", text="it has no 10de:1eb8"),)
    assert ready(found)


def test_a_node_of_which_there_is_no_report() -> None:
    found = planned(devices("id: 10de:1eb8, nodes: [a, worker-7]"), worker())
    text = "there is no report of node worker-7"
    assert noted(found) == (Note(code="node-not-given", node=None, subject="devices[0]", text=text),)
    assert ready(found)


def test_a_virtual_function_has_to_be_made_first() -> None:
    machine = Machine().function("0000:03:00.0", NVME, NVME_CLASS, driver="nvme", sriov_totalvfs="2", sriov_numvfs="1")
    machine.function("0000:03:00.1", NVME, NVME_CLASS, group=30)
    machine.links["sys/devices/pci0000:00/0000:03:00.1/physfn"] = "../0000:03:00.0"
    machine.links["sys/devices/pci0000:00/0000:03:00.0/virtfn0"] = "../0000:03:00.1"
    found = planned(devices("address: 0000:03:00.1"), machine)
    text = "it is a virtual function: 0000:03:00.0 has to make it at every boot"
    assert noted(found) == (Note(code="virtual-function", node="a", subject="0000:03:00.1", text=text),)


def test_what_a_guest_has_on_vfio_stays_where_it_is_wanted() -> None:
    machine = Machine().function("0000:04:00.0", T4, T4_CLASS, driver="vfio-pci", group=4)
    machine.function("0000:04:00.1", "10de:10f8", "040300", group=4).put({"holders.json": '[["/dev/vfio/4", "qemu"]]'})
    assert taken(devices("address: 0000:04:00.0, companions: false"), machine) == [("a", "0000:04:00.0", "devices[0]")]
    (refusal,) = planned(devices("address: 0000:04:00.1, companions: false"), machine).refused
    assert refusal.reason.code == "guest"


def test_one_function_by_two_entries() -> None:
    once = devices("id: 10de:1eb8, resourceName: a.b/c", "address: 0000:04:00.0, resourceName: a.b/c")
    assert ready(planned(once, worker()))
    twice = devices("id: 10de:1eb8, resourceName: a.b/c", "address: 0000:04:00.0")
    (refusal,) = planned(twice, worker()).refused
    assert (refusal.entry, refusal.reason.text) == ("devices[1]", "devices[0] already takes it as a.b/c")


def test_what_kubevirt_offers() -> None:
    found = planned(devices("address: 0000:04:00.0, resourceName: a.b/c", "address: 0000:05:00.0"), worker())
    assert found.permitted == (PermittedDevice(selector="10de:1eb8", resource_name="a.b/c", external=False),)
    text = "KubeVirt will offer it as a.b/c too: it has that ID and will be on vfio-pci"
    assert noted(found) == (Note(code="offered-too", node="a", subject="0000:05:00.0", text=text),)
    split = devices("address: 0000:04:00.0, resourceName: a.b/c", "address: 0000:05:00.0, resourceName: a.b/d")
    (refusal,) = planned(split, worker()).refused
    assert (refusal.address, refusal.reason.code) == ("0000:05:00.0", "two-names")
    several = devices("class: 0302, resourceName: a.b/c, externalResourceProvider: true", "id: 10de:1e84")
    assert planned(several, worker()).permitted == (
        PermittedDevice(selector="10de:1eb8", resource_name="a.b/c", external=True),
    )


def test_one_report_of_each_node() -> None:
    report = Machine().report()
    with pytest.raises(NodesError, match="two reports of a: expected one of each node"):
        plan((("a", report), ("b", report), ("a", report)), profile())


def test_nothing_asked_is_nothing_done() -> None:
    found = planned(profile(), worker())
    assert (found.kernel_arguments, found.bindings, found.modules_load, found.module_options) == ((), (), (), ())
    assert ready(found)
    assert [one.address for one in found.protected] == [
        "0000:00:00.0", "0000:00:1f.0", "0000:00:1f.3", "0000:00:1f.4", "0000:01:00.0", "0000:03:00.0", "0000:06:00.0",
    ]  # fmt: skip
