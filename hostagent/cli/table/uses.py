"""What the host itself stands on: taking one of these functions away takes the default route or the root disk with it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from hostagent.areas.network import Network
from hostagent.areas.storage import OTHER, Storage
from hostagent.assess import Assessment
from hostagent.cli.table.words import CARE, NAME, QUIET, Columns, found, heading, joined, text
from hostagent.host.links import Link
from hostagent.report import NodeReport
from hostagent.values.pci import PciAddress
from hostagent.values.words import counted


def marks(report: NodeReport) -> dict[PciAddress, tuple[str, ...]]:
    """Function to what of the host it carries, in the order of the section."""
    carried: dict[PciAddress, list[str]] = {}
    for what, _, addresses in _rows(report):
        for address in addresses:
            carried.setdefault(address, []).append(what)
    return {address: tuple(dict.fromkeys(whats)) for address, whats in carried.items()}


def section(report: NodeReport, judged: Assessment) -> Iterator[RenderableType]:
    """One line for each use."""
    rows = [
        (text(what), joined((Text(address, style=NAME) for address in addresses), " "), text(through))
        for what, through, addresses in _rows(report)
    ]
    unknown = [
        name
        for name, area in (("routes", report.network), ("mounts", report.storage))
        if name in judged.unknown_uses and area is not None
    ]
    if rows or unknown:
        remark = (
            Text(f"{' and '.join(unknown)} not known: take no function for unused", style=CARE) if unknown else None
        )
        yield heading("The host stands on", remark)
    if rows:
        yield Columns(("what", "PCI functions", "through"), rows)


def _rows(report: NodeReport) -> list[tuple[str, str, tuple[PciAddress, ...]]]:
    """(what, through what, functions)."""
    network, storage = found(report.network), found(report.storage)
    rows = _routes(network) if network is not None else []
    return rows + (_storage(storage) if storage is not None else [])


def _routes(network: Network) -> list[tuple[str, str, tuple[PciAddress, ...]]]:
    links = {link.name: link for link in network.links}
    rows = []
    for link in network.links:
        if link.carries_default_route:
            rows.append(("default route", _below(link, links), link.functions))
        elif link.carries_routes and link.functions:
            rows.append(("route", _below(link, links), link.functions))
    return sorted(rows, key=lambda row: row[0])


def _below(link: Link, links: dict[str, Link]) -> str:
    """`br0 (bridge) on bond0 (bond) on eth0, eth1`."""
    steps, level, seen = [], [link.name], {link.name}
    while level:
        steps.append(", ".join(_with_kind(links[name]) if name in links else name for name in level))
        below = [name for upper in level if upper in links for name in links[upper].lowers if name not in seen]
        level = list(dict.fromkeys(below))
        seen.update(level)
    return " on ".join(steps)


def _with_kind(link: Link) -> str:
    return link.name if link.kind == "physical" else f"{link.name} ({link.kind})"


def _storage(storage: Storage) -> list[tuple[str, str, tuple[PciAddress, ...]]]:
    rows = []
    remote = unknown = 0
    for use in storage.uses:
        carriers = use.carriers
        if carriers.network and not carriers.functions and not carriers.unresolved:
            remote += 1
            continue
        if use.kind == OTHER and not carriers.functions:
            unknown += 1
            continue
        steps = " on ".join(carriers.chain) or use.source
        through = " ".join(part for part in (use.filesystem, steps) if part)
        notes = ("over the network",) if carriers.network else ()
        remarks = "; ".join((*notes, *carriers.unresolved))
        rows.append((use.what, f"{through} ({remarks})" if remarks else through, carriers.functions))
    more = ((remote, "the network"), (unknown, "what is not on PCI or not to be seen"))
    return rows + [(counted(number, "more mount"), through, ()) for number, through in more if number]


def mark(whats: tuple[str, ...]) -> Text:
    """The remark behind a function."""
    shown = whats if len(whats) <= 3 else (*whats[:3], f"{len(whats) - 3} more")
    return Text.assemble(("carries ", QUIET), text(", ".join(shown), CARE))
