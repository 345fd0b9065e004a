"""What must never be taken from a node, and why: the storage and the network it lives on, its console, its own machinery.

A reason protects the function it is about, and every other function of its IOMMU group, for a group can only be given
away whole. Where an area could not be read, what it would have protected is protected on suspicion: not to know is
no permission.
"""

from __future__ import annotations

from hostagent.assess.node import Node
from hostagent.assess.protected.console import consoles
from hostagent.assess.protected.groups import DENYLIST, groups, guests, strangers, unassignable
from hostagent.assess.protected.machinery import machinery, memory, watchdogs
from hostagent.assess.protected.namespaces import namespaces
from hostagent.assess.protected.network import network
from hostagent.assess.protected.storage import storage
from hostagent.assess.protected.unknown import unknown_areas, unread_files
from hostagent.assess.protected.virtual import virtual
from hostagent.assess.reasons import Reason
from hostagent.values.pci import PciAddress

__all__ = ["DENYLIST", "protections"]
# In the order in which reasons are given: the first is the one that others of the group hear.
_LOOKS = (
    machinery,
    memory,
    watchdogs,
    consoles,
    storage,
    virtual,
    network,
    namespaces,
    unassignable,
    guests,
    unread_files,
    unknown_areas,
)


def protections(node: Node) -> dict[PciAddress, tuple[Reason, ...]]:
    """Every function of the node that must stay, in order of address. Looked for once; the dictionary is the node's own."""
    if node.stays is None:
        node.stays = _protections(node)
    return node.stays


def _protections(node: Node) -> dict[PciAddress, tuple[Reason, ...]]:
    found: dict[PciAddress, list[Reason]] = {}
    for look in _LOOKS:
        for address, reason in look(node):
            reasons = found.setdefault(address, [])
            if address in node.at and reason not in reasons:
                reasons.append(reason)
    for address, reason in (*groups(node, found), *strangers(node)):
        found.setdefault(address, []).append(reason)
    return {address: tuple(found[address]) for address in sorted(found, key=lambda one: one.order) if found[address]}
