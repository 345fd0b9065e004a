"""What carries the links that the host uses."""

from __future__ import annotations

from hostagent.areas import network as area
from hostagent.plan.model import Evidence
from hostagent.plan.node import Node, data
from hostagent.plan.protected.codes import NETWORK, because
from hostagent.plan.protected.unknown import suspected
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.plan.protected.codes import Found


def network(node: Node) -> Found:
    """Carriers of links in use; where routes are not known, every function that could be one."""
    found = data(node.report.network)
    if found is None:
        return
    if not found.routes_known:
        # A link that is down has nothing to carry.
        down = {link.function for link in found.links if link.operstate == "down"}
        yield from (one for one in suspected(node, area.AREA, "proc/net/route") if one[0] not in down)
    under: dict[PciAddress, list[Evidence]] = {}
    for link in found.links:
        for address in link.functions:
            under.setdefault(address, []).extend(_evidence(link.name, found))
    for address, reasons in area.protected(found).items():
        yield address, because(NETWORK, f"it carries {'; '.join(reasons)}", *under.get(address, ()))


def _evidence(name: str, found: area.Network) -> Iterator[Evidence]:
    link = next(link for link in found.links if link.name == name)
    if link.carries_default_route:
        yield Evidence(path="proc/net/route", said=f"default route through {name}")
    elif link.carries_routes:
        yield Evidence(path="proc/net/route", said=f"routes through {name}")
    if link.master is not None:
        yield Evidence(path=f"sys/class/net/{name}/master", said=link.master)
