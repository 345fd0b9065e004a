"""What the kernel does not assign, what guests have, and what both and everything else make of an IOMMU group."""

from __future__ import annotations

from hostagent.assess.node import Node, data, driver_said, file_of, id_said, is_bridge, pci_id
from hostagent.assess.reasons import MAPPED, Evidence, Reason, Why, because
from hostagent.host.groups import GROUPS
from hostagent.values.pci import PciAddress
from hostagent.values.vfio import lets_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.assess.reasons import Found

# drivers/vfio/pci/vfio_pci.c: QAT of the C3xxx, C62x and DH895xCC, and DSA and IAX of Sapphire Rapids; VFs too.
DENYLIST = tuple(f"8086:{device}" for device in ("19e2", "19e3", "37c8", "37c9", "0435", "0443", "0b25", "0cfe"))


def unassignable(node: Node) -> Found:
    vfio = data(node.report.vfio)
    allowed = vfio is not None and vfio.parameters.disable_denylist is True
    for function in node.functions:
        if pci_id(function) in DENYLIST and not allowed:
            text = "vfio-pci refuses it: its ID is on the kernel's list of devices that are unsafe to give away"
            yield function.address, because(Why.DENYLIST, text, id_said(function))
    # Where no group shows its regions, nobody looked, and vfio refuses direct ones itself; where others do, one is missing.
    shown = any(group.reserved_regions is not None for group in node.groups.values())
    for group in node.groups.values():
        path = f"{GROUPS}/{group.number}/reserved_regions"
        # Kernels that show a group's type (5.11) all show its regions (4.11). Neither was read of the many groups of VFs.
        if node.troubled(path) or (shown and group.reserved_regions is None and group.type is not None):
            said = Evidence(path=path, said="not read")
            for address in group.members:
                yield address, because(Why.UNKNOWN, "it is not known whether firmware keeps memory mapped for it", said)
        for region in group.reserved_regions or ():
            if region.type == "direct":
                said = Evidence(path=path, said=f"{region.start} {region.end} direct")
                for address in group.members:
                    yield address, because(Why.RESERVED, MAPPED, said)


def guests(node: Node) -> Found:
    """Every function of a group that a guest has open, the ones it does not use too."""
    vfio = data(node.report.vfio)
    for bound in () if vfio is None else vfio.bound:
        function = node.at.get(bound.address)
        if function is None or not bound.held_by:
            continue
        path = f"dev/vfio/{node.group(function)}"
        reason = because(
            Why.GUEST, f"a guest holds it: {', '.join(bound.held_by)} has {path} open", driver_said(function)
        )
        yield function.address, reason
        for other in node.companions(function):
            if not is_bridge(other):
                text = f"a guest holds its IOMMU group: {', '.join(bound.held_by)} has {path} open"
                yield other.address, because(Why.GUEST, text, driver_said(function))


def groups(node: Node, found: dict[PciAddress, list[Reason]]) -> Found:
    """What a protected member, or one that keeps the kernel from giving the group away, makes of the others."""
    for function in node.functions:
        if is_bridge(function):
            continue
        # What is not known of a machine is not known of all: that its companions are suspected too is no news of a function.
        own = {(reason.code, reason.text) for reason in found.get(function.address, ())}
        for other in node.companions(function):
            reasons = found.get(other.address, ())
            why = reasons[0] if reasons and not is_bridge(other) else None
            if why is not None and (why.code, why.text) in own:
                continue
            if is_bridge(other) and other.driver is not None and not lets_go(other.driver):
                why = because(Why.BRIDGE, f"it is a bridge that {other.driver} drives", driver_said(other))
            if why is not None and why.code not in (Why.RESERVED, Why.GUEST):
                path = file_of(other.address, "iommu_group")
                said = Evidence(path=path, said=str(node.group(other)))
                text = f"it shares IOMMU group {node.group(other)} with {other.address}, and {why.text}"
                yield function.address, because(Why.GROUP, text, said, *why.evidence)


def strangers(node: Node) -> Found:
    """Members of a group that are no functions anybody could read: platform devices with a driver, and odd functions."""
    vfio = data(node.report.vfio)
    blockers = {} if vfio is None else {verdict.number: verdict.blockers for verdict in vfio.groups}
    for function in node.functions:
        number = node.group(function)
        if number is None or is_bridge(function):
            continue
        path = f"sys/kernel/iommu_groups/{number}/devices"
        held = {str(blocker.address): f"which {blocker.driver} drives" for blocker in blockers.get(number, ())}
        unread = {str(member): "which could not be read" for member in node.members(number)}
        for name, why in sorted((unread | held).items()):
            if name not in node.at:
                text = f"it shares IOMMU group {number} with {name}, {why}"
                yield function.address, because(Why.GROUP, text, Evidence(path=path, said=name))
