"""Network links: how they stand on one another, which PCI functions carry them, and which of them the host lives on.

Files, for each sys/class/net/<name> (Documentation/ABI/testing/sysfs-class-net):

    uevent       DEVTYPE=vlan           absent for NICs, tun, veth, macvlan, OVS and team links
    operstate    up
    mtu          1500
    master       -> ../bond0            the bond, bridge, team, VRF or OVS datapath it belongs to
    lower_eth0   -> ...                 what it stands on (VLAN, bond, macvlan ...)
    device       -> ../../../0000:3b:00.0    absent for links without hardware

the route tables (`hostagent.host.routes`), and what netlink says of addresses and of every table (`hostagent.host.addresses`).
`bonding_masters` is a plain file among the links. Open vSwitch gives its
ports the master `ovs-system`, and its internal ports, which carry the host's routes, no link to anything: they stand on all
ports of the datapath.
Hardware addresses are never read, IP addresses never reported.
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelOptions, Metric, Sample
from hostagent.host import Reader
from hostagent.host.addresses import LOCAL, MAIN, addresses
from hostagent.host.links import Link, all_known, links, lost
from hostagent.host.routes import Lost, routes
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# operstate of a link without carrier, or switched off: it has nothing to carry. One that does not say is up.
DOWN = "down"


@record
class Network:
    """Network links, and what the host uses of them."""

    routes_known: bool
    """Whether a route table could be read (proc/1/net, rtnetlink) and there are no more links than are looked at; where
    not, no link is known to be unused."""
    links: tuple[Link, ...]
    """Every link of the network namespace, by name; sys/class/net."""
    default_route_links: tuple[str, ...]
    """Names of links with an IPv4 or IPv6 default route."""
    lost: tuple[Lost, ...] | None
    """Routes through none of the links, and files that would tell and could not be read: where there are any, no NIC is
    known to be unused. Null only in what was a report of schema_version 1."""


def probe(reader: Reader) -> Network:
    """Every link of the network namespace."""
    found = links(reader)
    return Network(
        routes_known=(routes(reader).known or addresses(reader).known) and all_known(reader),
        links=found,
        default_route_links=tuple(link.name for link in found if link.carries_default_route),
        lost=lost(reader, found),
    )


def protected(network: Network) -> dict[PciAddress, tuple[str, ...]]:
    """Functions under links the host uses, each with the links and why: default route, routes, addresses, a master, an upper."""
    found: dict[PciAddress, list[str]] = {}
    for link in network.links:
        reason = use(link)
        for address in link.functions if reason else ():
            found.setdefault(address, []).append(f"{link.name}: {reason}")
    return {address: tuple(found[address]) for address in sorted(found, key=lambda one: one.order)}


def use(link: Link) -> str | None:
    """What the host uses a link for, the first of what is known; None where it is not known to."""
    if link.carries_default_route:
        return "default route" + _of_tables(link, default=True)
    if link.carries_routes:
        return "routes" + _of_tables(link, default=False)
    if link.addresses:
        return f"{' and '.join(_FAMILIES[family] for family in link.addresses)} address"
    if link.tables:
        return "routes in the local table"
    if link.master is not None:
        return f"port of {link.master}"
    return f"below {', '.join(link.uppers)}" if link.uppers else None


_FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def _of_tables(link: Link, *, default: bool) -> str:
    """`` in table 100``, where no such route is in the main one."""
    numbers = [table.number for table in link.tables or () if (table.default or not default) and table.number != LOCAL]
    if not numbers or MAIN in numbers:
        return ""
    return f" in table {', '.join(str(number) for number in numbers)}"


def unsettled(link: Link) -> bool:
    """Whether a link may be in use and nobody looked: it is up, and its addresses and tables were not read."""
    return (link.addresses is None or link.tables is None) and link.operstate != DOWN


def unseen(network: Network) -> Iterator[str]:
    """Links that other network namespaces have on a NIC which is up: the kernel shows them to nobody here."""
    quiet = (link for link in network.links if link.function is not None and use(link) is None)
    free = [link for link in quiet if link.operstate != DOWN and not unsettled(link)]
    if free:
        names = ", ".join(link.name for link in free)
        yield f"VLANs and macvlans that other network namespaces have on {names}: `ip -all netns exec ip -d link` lists them"


def labels(_network: Network, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """No labels: names of links are not for schedulers."""
    return iter(())


_PROTECTED = Metric(
    name="hostagent_network_protected_functions",
    help="PCI functions under links with routes or addresses, or in a bond, bridge, team, VRF, OVS datapath, or below a VLAN.",
    labels=(),
)
_LINKS = Metric(name="hostagent_network_links", help="Network links by kind.", labels=("kind",))


def samples(network: Network) -> Iterator[Sample]:
    """Counts."""
    yield Sample(metric=_PROTECTED, labels=(), value=len(protected(network)))
    kinds = [link.kind for link in network.links]
    for kind in sorted(set(kinds)):
        yield Sample(metric=_LINKS, labels=(kind,), value=kinds.count(kind))


AREA = Area(
    name="network",
    about="Network links, and the PCI functions they stand on",
    probe=probe,
    labels=labels,
    label_docs=(),
    samples=samples,
    metrics=(_PROTECTED, _LINKS),
    guard=Guard(unknown="which routes it carries", classes=("02",), driven=True, sources=()),
    unseen=unseen,
)
