"""What the host uses of its network, and what may be used for all that is known: no such NIC is taken."""

from __future__ import annotations

import json

import pytest

from hostagent.areas.network import AREA
from hostagent.assess.node import Node
from hostagent.assess.protected import protections
from hostagent.assess.reasons import Evidence, Reason, Why
from hostagent.host.addresses import RECORD
from hostagent.schema import read_report
from hostagent.values.pci import PciAddress
from hostagent.values.plain import json_text
from tests.plan.machines import NIC, NIC_CLASS, Machine

ONE, TWO = PciAddress("0000:03:00.0"), PciAddress("0000:04:00.0")
DEVICES = "sys/devices/pci0000:00"


def idle(**attributes: str) -> Machine:
    """A NIC that is up, whose addresses and tables are known: it has none."""
    return (
        Machine()
        .function(ONE, NIC, NIC_CLASS, driver="e1000e", group=None, subsystem="0000:0000", **attributes)
        .nic("eth1", ONE)
    )


def why(machine: Machine) -> dict[str, list[tuple[str, str]]]:
    found = protections(Node("n", machine.report()))
    return {address: [(reason.code, reason.text) for reason in reasons] for address, reasons in found.items()}


def codes(machine: Machine) -> dict[str, list[str]]:
    return {address: [code for code, _ in reasons] for address, reasons in why(machine).items()}


def test_an_idle_nic_may_be_taken() -> None:
    """As NetworkManager sets it up: fe80:: alone."""
    assert why(idle()) == {}


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("eth1 - 254=default", "default route"),
        ("eth1 - 100=default", "default route in table 100"),
        ("eth1 - 254", "routes"),
        ("eth1 ipv4 100,255", "routes in table 100"),
        ("eth1 - 100,101", "routes in table 100, 101"),
        ("eth1 ipv4 255", "IPv4 address"),
        ("eth1 ipv4,ipv6 -", "IPv4 and IPv6 address"),
        ("eth1 - 255", "routes in the local table"),
    ],
)
def test_addresses_and_routes_of_any_table(line: str, use: str) -> None:
    assert why(idle().netlink(line)) == {ONE: [("network", f"it carries eth1: {use}")]}


def test_a_use_names_where_it_was_seen() -> None:
    (reason,) = protections(Node("n", idle().netlink("eth1 ipv4 100").report()))[ONE]
    assert reason.evidence == (Evidence(path=RECORD, said="routes in table 100 through eth1"),)
    (reason,) = protections(Node("n", idle().netlink("eth1 ipv4 255").report()))[ONE]
    assert reason.evidence == (Evidence(path=RECORD, said="IPv4 address on eth1"),)


@pytest.mark.parametrize("upper", ["eth1.7", "macvlan0", "ipvlan0", "macvtap0"])
def test_what_is_on_a_nic(upper: str) -> None:
    machine = idle().link(upper)
    machine.links[f"sys/devices/virtual/net/{upper}/lower_eth1"] = f"../../../{ONE}/net/eth1"
    assert why(machine) == {ONE: [("network", f"it carries eth1: below {upper}")]}


UNSETTLED = "it is not known whether eth1, which it carries, is in use; a new `hostagent probe -o json`"


@pytest.mark.parametrize(
    ("operstate", "suspected"),
    [("up", True), ("unknown", True), ("dormant", True), ("", True), (None, True), ("down", False)],
)
def test_an_up_link_of_which_nobody_asked_is_suspected(operstate: str | None, suspected: bool) -> None:  # noqa: FBT001
    machine = idle().unasked()
    path = f"{DEVICES}/{ONE}/net/eth1/operstate"
    machine = machine.without(path) if operstate is None else machine.put({path: f"{operstate}\n"})
    found = why(machine)
    assert [code for code, _ in found.get(ONE, [])] == (["unknown"] if suspected else [])
    assert all(text.startswith(UNSETTLED) for reasons in found.values() for _, text in reasons)


def test_a_link_in_use_is_refused_with_that_alone() -> None:
    machine = Machine().unasked().function(ONE, NIC, NIC_CLASS, driver="e1000e").nic("eth1", ONE, route=True)
    assert why(machine) == {ONE: [("network", "it carries eth1: default route")]}


def test_an_older_report_suspects_links_that_are_up() -> None:
    """Schema 1 had neither addresses nor tables."""
    document = json.loads(json_text(idle().report()))
    document["schema_version"] = 1
    del document["network"]["data"]["lost"]
    for link in document["network"]["data"]["links"]:
        del link["addresses"], link["tables"]
    found = protections(Node("n", read_report(json.dumps(document), "old")))
    assert [reason.code for reason in found[ONE]] == ["unknown"]


def test_a_link_that_netlink_did_not_name_is_suspected() -> None:
    machine = idle().unasked().put({RECORD: "lo ipv4 255\n"})
    assert codes(machine) == {ONE: ["unknown"]}


def lost(text: str, path: str) -> tuple[Reason, ...]:
    return (
        Reason(
            code=Why.UNKNOWN,
            text=f"it is not known which routes it carries: {text}",
            evidence=(Evidence(path=path, said="not read"),),
        ),
    )


@pytest.mark.parametrize(
    "record",
    ["error: [Errno 1] Operation not permitted\n", "", "eth1 ipv7 -\n", "eth1 - x\n", "eth1 -\n", ":0 - 254\nlo - -\n"],
)
def test_a_record_that_is_not_whole_leaves_every_nic_suspected(record: str) -> None:
    """The ones that are down, too: something was there to say it and did not."""
    machine = Machine().function(ONE, NIC, NIC_CLASS, driver="e1000e").nic("eth1", ONE, operstate="down")
    machine.function(TWO, NIC, NIC_CLASS)
    found = protections(Node("n", machine.unasked().put({RECORD: record}).report()))
    assert found == {ONE: lost(f"{RECORD} could not be read, or not whole", RECORD)}


def test_a_namespace_that_is_not_the_hosts_says_nothing() -> None:
    assert codes(idle().unasked().put({RECORD: ":elsewhere\n"})) == {ONE: ["unknown"]}


@pytest.mark.parametrize("blank", ["\u3000", "\u2028", "\x1c", "\x1f", "\x85", "\xa0"])
def test_what_python_takes_for_a_blank_is_part_of_a_name(blank: str) -> None:
    name = f"e{blank}1"
    machine = Machine().function(ONE, NIC, NIC_CLASS, driver="e1000e").nic(name, ONE, route=True)
    assert why(machine) == {ONE: [("network", f"it carries {name}: default route")]}
    machine = Machine().function(ONE, NIC, NIC_CLASS, driver="e1000e").nic(name, ONE).netlink(f"{name} ipv4 255")
    assert why(machine) == {ONE: [("network", f"it carries {name}: IPv4 address")]}


def test_a_route_through_a_link_that_is_not_here() -> None:
    machine = idle().put({"proc/1/net/route": "ens3\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"})
    text = (
        "it is not known which routes it carries: one leads through ens3, which is none of the links in sys/class/net"
    )
    assert why(machine) == {ONE: [("unknown", text)]}


def test_a_route_that_leads_nowhere_needs_no_link() -> None:
    machine = idle().put({"proc/1/net/route": "*\t0000000A\t00000000\t0001\t0\t0\t100\t000000FF\t0\t0\t0\n"})
    assert why(machine) == {}


@pytest.mark.parametrize("cls", ["020000", "020700", "028000"])
def test_a_nic_with_a_driver_and_no_link_is_in_another_namespace(cls: str) -> None:
    assert codes(Machine().function(ONE, NIC, cls, driver="ixgbe")) == {ONE: ["network-namespace"]}


@pytest.mark.parametrize("driver", [None, "vfio-pci", "mlx5_vfio_pci", "pci-stub", "uio_pci_generic", "igb_uio"])
def test_a_driver_that_makes_no_link(driver: str | None) -> None:
    assert codes(Machine().function(ONE, NIC, NIC_CLASS, driver=driver)) == {}


def test_a_vf_tells_of_its_physical_function() -> None:
    """sriov_numvfs is not there, and neither are links to the VFs."""
    machine = idle(sriov_totalvfs="8").function("0000:03:10.0", "8086:10ed", NIC_CLASS, driver="vfio-pci")
    machine.links[f"{DEVICES}/0000:03:10.0/physfn"] = f"../{ONE}"
    assert codes(machine) == {ONE: ["virtual-functions"]}


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"sriov_totalvfs": "8", "sriov_numvfs": "0"}, []),
        ({"sriov_totalvfs": "0"}, []),
        ({"sriov_totalvfs": "8"}, ["unknown"]),
        ({"sriov_totalvfs": "8", "sriov_numvfs": "many"}, ["unknown"]),
        ({"sriov_numvfs": "2"}, ["virtual-functions"]),
    ],
)
def test_how_many_virtual_functions_there_are(attributes: dict[str, str], code: list[str]) -> None:
    assert codes(idle(**attributes)).get(ONE, []) == code


def test_what_was_not_looked_at() -> None:
    """Only of a NIC that nothing else refuses."""

    def unseen(machine: Machine) -> list[str]:
        network = machine.report().network
        assert network is not None
        assert network.data is not None
        return list(AREA.unseen(network.data))

    assert unseen(idle()) == [
        "VLANs and macvlans that other network namespaces have on eth1: `ip -all netns exec ip -d link` lists them"
    ]
    assert unseen(idle().netlink("eth1 ipv4 254")) == []
    assert unseen(idle().unasked()) == []
