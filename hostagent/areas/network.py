"""Network links: how they stand on one another, which PCI functions carry them, and which of them the host lives on.

Files, for each sys/class/net/<name> (Documentation/ABI/testing/sysfs-class-net):

    uevent       DEVTYPE=vlan           absent for NICs, tun, veth, macvlan, OVS and team links
    operstate    up
    mtu          1500
    master       -> ../bond0            the bond, bridge, team, VRF or OVS datapath it belongs to
    lower_eth0   -> ...                 what it stands on (VLAN, bond, macvlan ...)
    device       -> ../../../0000:3b:00.0    absent for links without hardware

and the route tables (`hostagent.host.routes`). `bonding_masters` is a plain file among the links. Open vSwitch gives its
ports the master `ovs-system`, and its internal ports, which carry the host's routes, no link to anything: they stand on all
ports of the datapath.
Hardware addresses and IP addresses are never read or reported.
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelOptions, Metric, Sample, nothing_unseen
from hostagent.host import Reader
from hostagent.host.links import Link, all_known, links
from hostagent.host.routes import routes
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@record
class Network:
    """Links in order of name; `default_route_links` are those with an IPv4 or IPv6 default route.

    `routes_known`: whether a route table could be read; where not, no link is known to be unused.
    """

    routes_known: bool
    links: tuple[Link, ...]
    default_route_links: tuple[str, ...]


def probe(reader: Reader) -> Network:
    """Every link of the network namespace."""
    found = links(reader)
    return Network(
        routes_known=routes(reader).known and all_known(reader),
        links=found,
        default_route_links=tuple(link.name for link in found if link.carries_default_route),
    )


def protected(network: Network) -> dict[PciAddress, tuple[str, ...]]:
    """Functions under links the host uses, each with the links and why: default route, routes, or a master."""
    found: dict[PciAddress, list[str]] = {}
    for link in network.links:
        reason = _reason(link)
        for address in link.functions if reason else ():
            found.setdefault(address, []).append(f"{link.name}: {reason}")
    return {address: tuple(found[address]) for address in sorted(found, key=lambda one: one.order)}


def _reason(link: Link) -> str | None:
    if link.carries_default_route:
        return "default route"
    if link.carries_routes:
        return "routes"
    return f"port of {link.master}" if link.master is not None else None


def labels(_network: Network, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """No labels: names of links are not for schedulers."""
    return iter(())


_PROTECTED = Metric(
    name="hostagent_network_protected_functions",
    help="PCI functions under links that carry routes or belong to a bond, bridge, team, VRF or OVS datapath.",
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
    guard=Guard(unknown="which routes it carries", classes=("02",), driven=True),
    unseen=nothing_unseen,
)
