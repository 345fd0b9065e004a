"""What carries the links that the host uses, and what may carry one where that is not known."""

from __future__ import annotations

from hostagent.areas import network as area
from hostagent.assess.node import Node, data
from hostagent.assess.protected.unknown import meant, suspected
from hostagent.assess.reasons import Evidence, Why, because
from hostagent.host.addresses import RECORD
from hostagent.host.routes import NET
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.assess.reasons import Found, Reason
    from hostagent.host.links import Link
    from hostagent.host.routes import Lost

_SETTLES = (
    "a new `hostagent probe -o json` on the node, in the host's network namespace, reads addresses and route tables"
)


def network(node: Node) -> Found:
    """Carriers of links in use, each with that reason alone; of the others, those that may be in use for all that is known."""
    found = data(node.report.network)
    if found is None:
        return
    under: dict[PciAddress, list[Evidence]] = {}
    for link in found.links:
        for address in link.functions:
            under.setdefault(address, []).extend(_evidence(link))
    used = area.protected(found)
    for address, reasons in used.items():
        yield address, because(Why.NETWORK, f"it carries {'; '.join(reasons)}", *under.get(address, ()))
    told = set(used)
    for address, reason in _possible(node, found):
        if address not in told:
            told.add(address)
            yield address, reason


def _evidence(link: Link) -> Iterator[Evidence]:
    name, use = link.name, area.use(link)
    # The main table is in /proc; others, and addresses, are netlink's to tell.
    elsewhere = use is not None and ("table" in use or use.endswith("address"))
    if use is not None and (elsewhere or link.carries_default_route or link.carries_routes):
        yield Evidence(
            path=RECORD if elsewhere else "proc/net/route",
            said=f"{use} {'on' if use.endswith('address') else 'through'} {name}",
        )
    if link.master is not None:
        yield Evidence(path=f"{NET}/{name}/master", said=link.master)
    elif use is not None and link.uppers:
        yield from (Evidence(path=f"{NET}/{upper}", said=f"{upper} on {name}") for upper in link.uppers)


def _possible(node: Node, found: area.Network) -> Found:
    """What may carry something of the host's: where a use was seen and not its way, and where nobody looked."""
    for lost in found.lost or ():
        reason = _lost(lost)
        yield from ((function.address, reason) for function in meant(node, area.AREA))
        yield from ((address, reason) for link in found.links for address in link.functions)
    if not found.routes_known:
        down = {link.function for link in found.links if link.operstate == area.DOWN}
        yield from (one for one in suspected(node, area.AREA, "proc/net/route") if one[0] not in down)
    for link in found.links:
        if area.unsettled(link):
            text = f"it is not known whether {link.name}, which it carries, is in use; {_SETTLES}"
            said = Evidence(path=f"{NET}/{link.name}/operstate", said=link.operstate or "nothing")
            yield from ((address, because(Why.UNKNOWN, text, said)) for address in link.functions)


def _lost(lost: Lost) -> Reason:
    if lost.link is not None:
        text = f"it is not known which routes it carries: one leads through {lost.link}, which is none of the links in {NET}"
        return because(Why.UNKNOWN, text, Evidence(path=lost.path, said=f"a route through {lost.link}"))
    text = f"it is not known which routes it carries: {lost.path} could not be read, or not whole"
    return because(Why.UNKNOWN, text, Evidence(path=lost.path, said="not read"))
