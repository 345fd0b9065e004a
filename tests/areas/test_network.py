from __future__ import annotations

import gzip
from pathlib import Path

import psutil
import pytest

from hostagent.area import LabelOptions
from hostagent.areas.network import Network, labels, probe, protected, samples
from hostagent.host import Host, Problem
from hostagent.host.links import Link
from hostagent.host.problem import MALFORMED
from hostagent.host.routes import Lost
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.areas.captured import before_and_after
from tests.plant import plant, reader

ROUTE = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
NONE, LOCAL = "0" * 32, "fe80" + "0" * 28


class Machine:
    """Links added up one by one; `route` and `route6` are the tables of process 1."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.links: dict[str, str] = {}

    def link(self, name: str, place: str | None = None, devtype: str = "", *entries: str, **attributes: str) -> None:
        """A link on the PCI function(s) `place`, or virtual; `entries` are links in its directory, `name -> other`."""
        path = f"sys/devices/{f'{place}/net' if place else 'virtual/net'}/{name}"
        number = str(len(self.links) + 2)
        lines = ([f"DEVTYPE={devtype}"] if devtype else []) + [f"INTERFACE={name}", f"IFINDEX={number}"]
        given = {"ifindex": number, "iflink": number, "operstate": "up", "mtu": "1500"} | attributes
        self.files |= {f"{path}/{key}": f"{value}\n" for key, value in given.items()}
        self.files[f"{path}/uevent"] = "\n".join(lines) + "\n"
        self.links[f"sys/class/net/{name}"] = f"../../{path.removeprefix('sys/')}"
        if place:
            self.links[f"{path}/device"] = "../.."
        for entry in entries:
            key, _, other = entry.partition(" -> ")
            self.links[f"{path}/{key}"] = f"../{other}" if place is None else f"../../../../virtual/net/{other}"

    def routed(self, *lines: str) -> None:
        """IPv4 routes: `eth0 00000000 0003 00000000` (link, destination, flags, mask)."""
        text = self.files.get("proc/1/net/route", ROUTE)
        for line in lines:
            link, destination, flags, mask = line.split()
            text += f"{link}\t{destination}\t010200C0\t{flags}\t0\t0\t0\t{mask}\t0\t0\t0\n"
        self.files["proc/1/net/route"] = text

    def routed6(self, *lines: str) -> None:
        """IPv6 routes: `00...00 00 00000003 eth0` (destination, length, flags, link)."""
        text = self.files.get("proc/1/net/ipv6_route", "")
        for line in lines:
            destination, length, flags, link = line.split()
            text += f"{destination} {length} {NONE} 00 {NONE} 00000400 00000001 00000000 {flags} {link:>8}\n"
        self.files["proc/1/net/ipv6_route"] = text

    def look(self, root: Path) -> Network:
        seen = reader(plant(root, self.files, self.links))
        network = probe(seen)
        assert seen.problems == []
        return network


def addresses(*texts: str) -> tuple[PciAddress, ...]:
    return tuple(PciAddress(text) for text in texts)


def nic(name: str, function: str, **changes: object) -> Link:
    """A NIC nothing uses."""
    link = Link(
        name=name,
        kind="physical",
        operstate="up",
        mtu=1500,
        master=None,
        lowers=(),
        uppers=(),
        function=PciAddress(function),
        functions=addresses(function),
        carries_default_route=False,
        carries_routes=False,
        addresses=None,
        tables=None,
    )
    return replaced(link, **changes)


def virtual(name: str, kind: str, **changes: object) -> Link:
    link = replaced(nic(name, "0000:00:00.0"), kind=kind, function=None, functions=())
    return replaced(link, **changes)


NIC0, NIC1 = "pci0000:00/0000:00:1c.0/0000:3b:00.0", "pci0000:00/0000:00:1c.0/0000:3b:00.1"


def test_a_bond_over_vlan_under_a_bridge(tmp_path: Path) -> None:
    machine = Machine()
    machine.files["sys/class/net/bonding_masters"] = "bond0\n"
    machine.link("eth0", NIC0, "", "master -> bond0", "upper_bond0 -> bond0")
    machine.link("eth1", NIC1, "", "master -> bond0", "upper_bond0 -> bond0")
    machine.link("bond0", None, "bond", "lower_eth0 -> eth0", "lower_eth1 -> eth1", "upper_bond0.7 -> bond0.7")
    machine.link("bond0.7", None, "vlan", "lower_bond0 -> bond0", "upper_br0 -> br0", "master -> br0", mtu="9000")
    machine.link("br0", None, "bridge", "lower_bond0.7 -> bond0.7")
    machine.link("lo")
    machine.routed("br0 00000000 0003 00000000", "br0 000200C0 0001 00FFFFFF")
    machine.routed6(f"{NONE} 00 00200200 lo", f"{LOCAL} 40 00000001 eth0")
    both = addresses("0000:3b:00.0", "0000:3b:00.1")
    network = machine.look(tmp_path)
    assert network == Network(
        routes_known=True,
        links=(
            virtual("bond0", "bond", lowers=("eth0", "eth1"), uppers=("bond0.7",), functions=both),
            virtual("bond0.7", "vlan", mtu=9000, master="br0", lowers=("bond0",), uppers=("br0",), functions=both),
            virtual(
                "br0", "bridge", lowers=("bond0.7",), functions=both, carries_default_route=True, carries_routes=True
            ),
            nic("eth0", "0000:3b:00.0", master="bond0", uppers=("bond0",)),
            nic("eth1", "0000:3b:00.1", master="bond0", uppers=("bond0",)),
            virtual("lo", "loopback"),
        ),
        default_route_links=("br0",),
        lost=(),
    )
    assert protected(network) == {
        both[0]: ("bond0: below bond0.7", "bond0.7: port of br0", "br0: default route", "eth0: port of bond0"),
        both[1]: ("bond0: below bond0.7", "bond0.7: port of br0", "br0: default route", "eth1: port of bond0"),
    }


def test_ovs_uplinks_carry_what_its_internal_ports_do(tmp_path: Path) -> None:
    """OVN-Kubernetes: br-ex has the node's address and default route, and no link to the NIC."""
    machine = Machine()
    machine.link("ens1", NIC0, "", "master -> ovs-system", "upper_ovs-system -> ovs-system")
    machine.link("ens2", NIC1)
    machine.link("ovs-system", None, "", "lower_ens1 -> ens1")
    machine.link("br-ex")
    machine.link("br-int")
    machine.link("genev_sys_6081", None, "geneve", "master -> ovs-system")
    machine.link("3f2a1", None, "", "master -> ovs-system", iflink="2")
    machine.routed("br-ex 00000000 0003 00000000")
    uplink = addresses("0000:3b:00.0")
    ports = ("3f2a1", "ens1", "genev_sys_6081")
    network = machine.look(tmp_path)
    assert network.links == (
        virtual("3f2a1", "veth", master="ovs-system", uppers=("br-ex", "ovs-system")),
        virtual("br-ex", "virtual", lowers=ports, functions=uplink, carries_default_route=True, carries_routes=True),
        virtual("br-int", "virtual"),
        nic("ens1", "0000:3b:00.0", master="ovs-system", uppers=("br-ex", "ovs-system")),
        nic("ens2", "0000:3b:00.1"),
        virtual("genev_sys_6081", "geneve", master="ovs-system", uppers=("br-ex", "ovs-system")),
        virtual("ovs-system", "ovs", lowers=ports, functions=uplink),
    )
    assert protected(network) == {uplink[0]: ("br-ex: default route", "ens1: port of ovs-system")}


def test_teams_macvlans_tuns_and_veths(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("eth0", NIC0, "", "master -> team0")
    machine.link("team0", None, "", "lower_eth0 -> eth0")
    machine.link("mac0", None, "", "lower_eth1 -> eth1", iflink="2")
    machine.link("eth1", NIC1)
    machine.link("tap0", tun_flags="0x1002")
    machine.link("veth0", iflink="77")
    machine.link("wl0", "pci0000:00/0000:04:00.0", "wlan")
    machine.link("usb0", "platform/soc/usb1/1-1/1-1:1.0")
    machine.link("dummy0")
    network = machine.look(tmp_path)
    assert {link.name: (link.kind, link.functions) for link in network.links} == {
        "dummy0": ("virtual", ()),
        "eth0": ("physical", addresses("0000:3b:00.0")),
        "eth1": ("physical", addresses("0000:3b:00.1")),
        "mac0": ("macvlan", addresses("0000:3b:00.1")),
        "tap0": ("tun", ()),
        "team0": ("team", addresses("0000:3b:00.0")),
        "usb0": ("physical", ()),
        "veth0": ("veth", ()),
        "wl0": ("wlan", addresses("0000:04:00.0")),
    }
    assert network.routes_known is False


def test_older_bonds_and_bridges_without_lower_links(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("eth0", NIC0)
    machine.link("eth1", NIC1)
    machine.link("bond0")
    machine.link("br0")
    machine.files |= {
        "sys/devices/virtual/net/bond0/bonding/slaves": "eth0 eth1\n",
        "sys/devices/virtual/net/br0/bridge/bridge_id": "8000\n",
        "sys/devices/virtual/net/br0/brif/bond0/port_no": "0x1\n",
    }
    assert [(link.name, link.kind, link.lowers, link.uppers) for link in machine.look(tmp_path).links] == [
        ("bond0", "bond", ("eth0", "eth1"), ("br0",)),
        ("br0", "bridge", ("bond0",), ()),
        ("eth0", "physical", (), ("bond0",)),
        ("eth1", "physical", (), ("bond0",)),
    ]


def test_a_vf_that_carries_routes_protects_its_physical_function(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("eth0v0", "pci0000:00/0000:00:1c.0/0000:3b:02.0")
    machine.links["sys/bus/pci/devices/0000:3b:02.0/physfn"] = "../0000:3b:00.0"
    machine.routed("eth0v0 0002A8C0 0001 00FFFFFF")
    network = machine.look(tmp_path)
    assert network.links == (
        nic(
            "eth0v0",
            "0000:3b:02.0",
            functions=addresses("0000:3b:00.0", "0000:3b:02.0"),
            carries_routes=True,
        ),
    )
    assert protected(network) == {
        PciAddress("0000:3b:00.0"): ("eth0v0: routes",),
        PciAddress("0000:3b:02.0"): ("eth0v0: routes",),
    }


def test_virtio_and_vmd_take_the_last_address_and_keep_the_others(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("eth0", "pci0000:00/0000:00:03.0/virtio2")
    machine.link("eth1", "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0")
    assert [(link.function, link.functions) for link in machine.look(tmp_path).links] == [
        (PciAddress("0000:00:03.0"), addresses("0000:00:03.0")),
        (PciAddress("10000:e1:00.0"), addresses("0000:00:0e.0", "10000:e1:00.0")),
    ]


@pytest.mark.parametrize(
    ("lines", "lines6", "default", "routes"),
    [
        (("eth0 00000000 0003 00000000",), (), True, True),
        (("eth0 00000000 0001 00000000",), (), True, True),  # a default route to the link itself
        (("eth0 00000000 0003 00000080",), (), False, True),  # 0.0.0.0/1, half of a VPN's default
        (("eth0 00000000 0200 00000000",), (), False, False),  # unreachable
        (("eth0 00000000 0002 00000000",), (), False, False),  # not up
        ((), (f"{NONE} 00 00000003 eth0",), True, True),
        ((), (f"{NONE} 00 00200200 eth0",), False, False),
        ((), (f"{NONE} 60 00000001 eth0",), False, True),  # ::/96
        ((), (f"{LOCAL} 40 00000001 eth0",), False, False),
        ((), (f"ff00{'0' * 28} 08 00000001 eth0",), False, False),
        ((), (f"20010db8{'0' * 24} 40 00000001 eth0",), False, True),
        ((), (f"{NONE} 00 00000003 eth9",), False, False),
    ],
)
def test_routes(
    tmp_path: Path,
    lines: tuple[str, ...],
    lines6: tuple[str, ...],
    default: bool,  # noqa: FBT001
    routes: bool,  # noqa: FBT001
) -> None:
    machine = Machine()
    machine.link("eth0", NIC0)
    machine.routed(*lines)
    machine.routed6(*lines6)
    (link,) = machine.look(tmp_path).links
    assert (link.carries_default_route, link.carries_routes) == (default, routes)


def test_the_tables_of_process_1_come_before_ours(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("eth0", NIC0)
    machine.link("eth1", NIC1)
    machine.routed("eth0 00000000 0003 00000000")
    machine.files["proc/net/route"] = ROUTE + "eth1\t00000000\t0\t0003\t0\t0\t0\t00000000\n"
    machine.files["proc/net/ipv6_route"] = f"{NONE} 00 {NONE} 00 {NONE} 400 1 0 00000003 eth1\n"
    # Each table by itself: process 1 shows only one here.
    assert machine.look(tmp_path).default_route_links == ("eth0", "eth1")


@pytest.mark.parametrize(
    ("namespace", "known"),
    [
        ((), True),  # another tool's capture: no such file
        (("lo", "eth0", "eth1"), True),
        (("lo", "eth0", "eth1", "veth0"), True),
        (("lo",), False),  # PrivateNetwork= up to systemd 252: sysfs shows the host's links all the same
        (("lo", "eth0"), False),  # a container's own eth0
    ],
)
def test_our_own_tables_count_where_our_namespace_is_the_hosts(
    tmp_path: Path,
    namespace: tuple[str, ...],
    known: bool,  # noqa: FBT001
) -> None:
    machine = Machine()
    machine.link("eth0", NIC0)
    machine.link("eth1", NIC1)
    machine.files["proc/net/route"] = ROUTE + "eth1\t00000000\t0\t0003\t0\t0\t0\t00000000\n"
    if namespace:
        lines = [f"{name:>6}: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n" for name in namespace]
        machine.files["proc/net/dev"] = "Inter-|   Receive\n face |bytes    packets\n" + "".join(lines)
    seen = machine.look(tmp_path)
    assert (seen.routes_known, seen.default_route_links) == (known, ("eth1",) if known else ())


def test_a_namespace_that_sees_the_loopback_alone_knows_nothing(tmp_path: Path) -> None:
    machine = Machine()  # from systemd 253 on, a service with PrivateNetwork= has a sysfs of its own namespace
    machine.files["proc/net/route"] = ROUTE
    machine.files["proc/net/dev"] = "Inter-|   Receive\n face |bytes    packets\n    lo: 0 0\n tunl0: 0 0\n"
    machine.files["sys/class/net/tunl0/mtu"] = "1480\n"  # net.core.fb_tunnels_only_for_init_net is 0
    assert not machine.look(tmp_path).routes_known


def test_routes_that_are_none_are_reported_without_addresses(tmp_path: Path) -> None:
    seen = reader(plant(tmp_path, {"proc/net/route": ROUTE + "eth0 C0A80001\n", "proc/net/ipv6_route": "fd00 0 x\n"}))
    lost = tuple(Lost(path=f"proc/net/{name}", link=None) for name in ("route", "ipv6_route"))
    assert probe(seen) == Network(routes_known=True, links=(), default_route_links=(), lost=lost)
    assert seen.problems == [
        Problem(path="proc/net/route", kind=MALFORMED, detail="expected a route, saw '2 fields'"),
        Problem(path="proc/net/ipv6_route", kind=MALFORMED, detail="expected a route, saw '3 fields'"),
    ]


def test_loops_of_links_end(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("a", None, "vlan", "lower_b -> b", "lower_a -> a", "master -> a")
    machine.link("b", None, "vlan", "lower_a -> a")
    assert [(link.name, link.lowers, link.functions) for link in machine.look(tmp_path).links] == [
        ("a", ("b",), ()),
        ("b", ("a",), ()),
    ]


def test_directories_without_links_and_attributes(tmp_path: Path) -> None:
    files = {"sys/class/net/eth0/operstate": "", "sys/class/net/none": "text\n"}
    links = {"sys/class/net/eth0/device": "../../../devices/pci0000:00/0000:00:1f.6/", "sys/class/net/gone": "../../x"}
    assert probe(reader(plant(tmp_path, files, links))).links == (
        nic("eth0", "0000:00:1f.6", operstate=None, mtu=None),
        virtual("gone", "virtual", operstate=None, mtu=None),
    )


def test_hardware_addresses_are_not_read(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("eth0", NIC0, address="52:54:00:12:34:56", broadcast="ff:ff:ff:ff:ff:ff", phys_port_id="525400123456")
    host = Host(str(plant(tmp_path, machine.files, machine.links)))
    probe(host.reader())
    read = {path.rpartition("/")[2] for operation, path in host.memory if operation == "read"}
    assert read & {"address", "broadcast", "phys_port_id", "phys_switch_id", "ifalias", "if_inet6"} == set()


def test_a_capture_says_the_same_without_addresses(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("eth0", NIC0, "", "master -> bond0", address="52:54:00:12:34:56")
    machine.link("eth1", NIC1)
    machine.link("bond0", None, "bond", "lower_eth0 -> eth0")
    machine.files["sys/class/net/bonding_masters"] = "bond0\n"
    machine.routed("bond0 00000000 0003 00000000", "bond0 0002A8C0 0001 00FFFFFF")
    machine.routed6(
        f"{LOCAL} 40 00000001 eth0",
        "fe8000000000000050540012fffe3456 80 00200001 eth1",
        f"20010db8{'0' * 24} 40 00000001 bond0",
        f"{NONE} 00 00200200 lo",
    )
    root = plant(tmp_path / "root", machine.files, machine.links)
    before, after = before_and_after(probe, root, tmp_path / "capture.tar.gz")
    assert after == before
    assert [(link.name, link.carries_routes) for link in before[0].links] == [
        ("bond0", True),
        ("eth0", False),
        ("eth1", False),
    ]
    packed = gzip.decompress((tmp_path / "capture.tar.gz").read_bytes()).lower()
    assert [word for word in (b"0002a8c0", b"010200c0", b"20010db8", b"3456", b"52:54") if word in packed] == []


def test_samples_count_and_there_are_no_labels(tmp_path: Path) -> None:
    machine = Machine()
    machine.link("eth0", NIC0)
    machine.link("eth1", NIC1)
    machine.link("lo")
    machine.routed("eth0 00000000 0003 00000000")
    network = machine.look(tmp_path)
    assert [(sample.metric.name, sample.labels, sample.value) for sample in samples(network)] == [
        ("hostagent_network_protected_functions", (), 1),
        ("hostagent_network_links", ("loopback",), 1),
        ("hostagent_network_links", ("physical",), 2),
    ]
    assert list(labels(network, LabelOptions(pci_classes=(), cpu_features=()))) == []


def test_the_live_machine_has_the_links_psutil_sees() -> None:
    network = probe(Host().reader())
    assert [link.name for link in network.links] == sorted(psutil.net_if_stats())
    assert {link.name: link.mtu for link in network.links} == {
        name: stats.mtu for name, stats in psutil.net_if_stats().items()
    }
