"""What keeps an IOMMU group from guests, and what that makes of it.

The kernel gives a group away if no driver of the host has a member (area vfio reads that) and firmware keeps no direct region;
VFIO wants interrupts remapped besides. NVIDIA's driver gives away the vGPUs that it makes of virtual functions itself.
"""

from __future__ import annotations

from hostagent.areas.vfio import Blocker, GroupVerdict
from hostagent.assess.model import ASSIGNABLE, FunctionAssessment, GroupAssessment, State
from hostagent.assess.node import Node, data
from hostagent.assess.reasons import MAPPED
from hostagent.host.groups import NOIOMMU, IommuGroup
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def vgpus(node: Node) -> frozenset[PciAddress]:
    """Virtual functions that NVIDIA's driver has made vGPUs."""
    vfio, sriov = data(node.report.vfio), data(node.report.sriov)
    physical = {one.address for one in sriov.physical_functions} if sriov is not None else set()
    drives = {one.address for one in node.functions if one.driver == "nvidia"}
    found = () if vfio is None else vfio.vgpus
    return frozenset(one.address for one in found if one.kind != "0" and one.address in drives - physical)


def blockers(verdict: GroupVerdict, own: frozenset[PciAddress]) -> tuple[Blocker, ...]:
    """Members whose drivers keep the group."""
    return tuple(one for one in verdict.blockers if one.address not in own)


def assessed(
    group: IommuGroup,
    members: tuple[FunctionAssessment, ...],
    verdict: GroupVerdict | None,
    own: frozenset[PciAddress],
    unremapped: str | None,
    *,
    asked: bool,
) -> GroupAssessment:
    """One group."""
    left = () if verdict is None else blockers(verdict, own)
    kept = _kept(group, verdict, left)
    state = _state(group, members, verdict, kept=kept is not None)
    obstacle = kept or unremapped
    return GroupAssessment(
        group=group,
        state=state,
        functions=members,
        blockers=left,
        obstacle=obstacle,
        assignable=state in ASSIGNABLE and obstacle is None,
        asked=asked,
    )


def _kept(group: IommuGroup, verdict: GroupVerdict | None, left: tuple[Blocker, ...]) -> str | None:
    number = group.number
    if group.name == NOIOMMU:
        return f"group {number} is one of vfio's mode without an IOMMU, which no guest can use"
    if group.direct or (verdict is not None and verdict.direct):
        return f"group {number}: {MAPPED}"
    return not_viable(number, left) if left else None


def not_viable(number: int, left: Iterable[Blocker]) -> str:
    """The sentence about members whose drivers keep a group, or about some of them."""
    names = ", ".join(f"{one.address} is bound to {one.driver}" for one in left)
    return f"group {number} is not viable: {names}"


def _state(
    group: IommuGroup, members: tuple[FunctionAssessment, ...], verdict: GroupVerdict | None, *, kept: bool
) -> State:
    found = {one.state for one in members}
    if group.name == NOIOMMU:
        return State.UNSAFE
    if verdict is None:
        return State.UNKNOWN
    if found == {State.PLATFORM}:
        return State.PLATFORM
    if State.BOUND in found:
        return State.BLOCKED if kept else State.BOUND
    if State.PROTECTED in found or verdict.direct:
        return State.PROTECTED
    return State.IN_USE if kept else State.FREE
