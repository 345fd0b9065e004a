"""What carries file systems, swap and disks in use, now or after the next boot."""

from __future__ import annotations

from hostagent.areas import storage as area
from hostagent.assess.node import Node, data
from hostagent.assess.reasons import Evidence, Why, because
from hostagent.host.hardware import STORAGE_CLASSES
from hostagent.host.pci import PciFunction
from hostagent.values.pci import PciAddress, in_classes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.assess.reasons import Found

# Of uses whose way is lost, so many are named to each function.
_NAMED = 8


def storage(node: Node) -> Found:
    """Carriers of what is in use, and for each use that has lost its way every function that could be one."""
    found = data(node.report.storage)
    if found is None:
        return
    for address, uses in area.carried(found).items():
        yield address, because(Why.STORAGE, f"it carries {', '.join(uses)}", *_evidence(found, address))
    lost = list(area.lost(found))
    with_disks = {address for disk in found.disks for address in disk.functions} if lost else set()
    for function in node.functions:
        if node.drives(function) and lost:
            yield from _suspected(function, lost, has_disk=function.address in with_disks)


def _suspected(function: PciFunction, lost: list[area.Lost], *, has_disk: bool) -> Found:
    meant = [
        one
        for one in lost
        if in_classes(function.class_id, one.classes) or (has_disk and one.classes == STORAGE_CLASSES)
    ]
    for one in meant[:_NAMED]:
        text = f"it may carry {one.what}: {one.why}"
        yield function.address, because(Why.UNKNOWN, text, Evidence(path=one.place, said=one.why))


def _evidence(found: area.Storage, address: PciAddress) -> Iterator[Evidence]:
    for use in found.uses:
        if address in use.carriers.functions:
            way = " on ".join(dict.fromkeys((use.what, *(use.carriers.chain or (use.source,)), address)))
            yield Evidence(path=area.place(use), said=way)
    for disk in found.disks:
        if address in disk.functions and disk.held_by:
            yield Evidence(path=f"sys/block/{disk.name}/holders", said=", ".join(disk.held_by))
        if address in disk.functions and disk.held_open:
            yield Evidence(path=f"dev/{disk.name}", said=f"open in {', '.join(disk.held_open)}")
