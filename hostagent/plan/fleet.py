"""Several nodes: on which of them the one configuration would be unsafe, and into which roles their hardware divides them."""

from __future__ import annotations

from hostagent.assess.node import Node, data, is_bridge, pci_id, subsystem
from hostagent.plan.model import Fleet, Refusal, RoleProposal, UnsafeNode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def fleet(
    nodes: tuple[Node, ...], refused: tuple[Refusal, ...], role: str, is_ready: Callable[[tuple[Node, ...]], bool]
) -> Fleet:
    """`is_ready` says whether the profile can be done on some of the nodes by themselves."""
    reasons: dict[str, list[Refusal]] = {}
    for refusal in refused:
        reasons.setdefault(refusal.node, []).append(refusal)
    unsafe = tuple(
        UnsafeNode(node=name, reasons=tuple(dict.fromkeys(refusal.reason for refusal in reasons[name])))
        for name in sorted(reasons)
    )
    return Fleet(unsafe=unsafe, roles=_roles(nodes, role, is_ready) if unsafe and len(nodes) > 1 else ())


def _roles(
    nodes: tuple[Node, ...], role: str, is_ready: Callable[[tuple[Node, ...]], bool]
) -> tuple[RoleProposal, ...]:
    """Nodes of one hardware together; nothing to propose where all are alike."""
    shapes: dict[frozenset[str], list[Node]] = {}
    for node in nodes:
        shapes.setdefault(hardware(node), []).append(node)
    if len(shapes) < 2:
        return ()
    common = frozenset.intersection(*shapes)
    ordered = sorted(shapes.items(), key=lambda item: item[1][0].name)
    return tuple(
        RoleProposal(
            name=f"{role}-{number}",
            nodes=tuple(node.name for node in alike),
            hardware=tuple(sorted(shape - common)),
            ready=is_ready(tuple(alike)),
        )
        for number, (shape, alike) in enumerate(ordered, 1)
    )


def hardware(node: Node) -> frozenset[str]:
    """What makes nodes different to a plan: functions and where they are, CPU, NUMA nodes, page sizes. VFs come and go."""
    sriov, numa, pages = data(node.report.sriov), data(node.report.numa), data(node.report.hugepages)
    virtual = {one.address for one in sriov.virtual_functions} if sriov is not None else set()
    found = {
        f"{function.address} {pci_id(function)} {subsystem(function) or ''}".strip()
        for function in node.functions
        if function.address not in virtual and not is_bridge(function)
    }
    found |= {f"CPU {node.cpu_vendor() or 'unknown'}", f"IOMMU {node.iommu_vendor() or 'unknown'}"}
    if numa is not None:
        found |= {f"NUMA node {one.number}" for one in numa.nodes}
    if pages is not None:
        found |= {f"page size {size}" for size in pages.supported_sizes or ()}
    return frozenset(found)
