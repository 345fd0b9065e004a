"""What carries file systems, swap and disks in use."""

from __future__ import annotations

from hostagent.areas import storage as area
from hostagent.plan.model import Evidence
from hostagent.plan.node import Node, data
from hostagent.plan.protected.codes import STORAGE, because
from hostagent.plan.protected.unknown import suspected
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.plan.protected.codes import Found


def storage(node: Node) -> Found:
    """Carriers of what is in use; where mounts are not known, every function that could be one."""
    found = data(node.report.storage)
    if found is None:
        return
    if not (found.mounts_known or found.disks):
        yield from suspected(node, area.AREA, "proc/1/mountinfo")
    for address, uses in area.protected(found).items():
        yield address, because(STORAGE, f"it carries {', '.join(uses)}", *_evidence(found, address))


def _evidence(found: area.Storage, address: PciAddress) -> Iterator[Evidence]:
    for use in found.uses:
        if address in use.carriers.functions:
            # A crash dump's source is the file that names its target.
            path = {area.SWAP: "proc/swaps", area.CRASH: use.source}.get(use.kind, "proc/1/mountinfo")
            way = " on ".join((use.what, *(use.carriers.chain or (use.source,)), address))
            yield Evidence(path=path, said=way)
    for disk in found.disks:
        if address in disk.functions and disk.held_by:
            yield Evidence(path=f"sys/block/{disk.name}/holders", said=", ".join(disk.held_by))
    for use in found.uses:
        if use.carriers.unresolved:
            yield Evidence(path="proc/1/mountinfo", said=f"{use.what}: {'; '.join(use.carriers.unresolved)}")
