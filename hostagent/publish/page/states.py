"""What each function and each IOMMU group is to guests, as one word, from the report and the plan's list of what must stay.

The page colours by these words, and always writes them too.
"""

from __future__ import annotations

from hostagent.assess.node import Node, data, is_bridge
from hostagent.assess.protected import protections
from hostagent.assess.reasons import Reason, Why
from hostagent.host.groups import NOIOMMU, IommuGroup
from hostagent.host.pci import PciFunction
from hostagent.report import NodeReport
from hostagent.values.pci import PciAddress
from hostagent.values.record import record, replaced
from hostagent.values.vfio import is_vfio_driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hostagent.areas.vfio import GroupVerdict

FREE, BOUND, BLOCKED, PROTECTED, IN_USE, IDLE, PLATFORM, UNSAFE, UNKNOWN = (
    "viable", "vfio", "blocked", "protected", "in-use", "idle", "platform", "unsafe", "unknown",
)  # fmt: skip
# State to (sign, word, what it means); in the order of the legend. Signs differ in shape: colour is not needed to tell them.
STATES = {
    BOUND: ("●", "vfio-bound", "held by vfio: a guest can have it, or has it"),
    FREE: ("○", "viable", "no driver of the host keeps it from a guest"),
    BLOCKED: ("✕", "blocked", "begun, and a driver of the host keeps the rest of the group"),
    IN_USE: ("■", "in use", "the host's drivers hold it; none of it was meant for guests yet"),
    IDLE: ("□", "no driver", "nobody uses it, and without an IOMMU group it cannot be given away"),
    PROTECTED: ("◆", "protected", "the host stands on it: hostagent never plans it away"),
    UNSAFE: ("!", "no IOMMU", "nothing isolates it"),
    UNKNOWN: ("?", "unknown", "the report does not say"),
    PLATFORM: ("·", "platform", "bridges and the machine's own parts"),
}
_MACHINERY = frozenset((Why.BRIDGE, Why.PLATFORM))


@record
class Part:
    """One function, its state, and the reason why it stays where there is one."""

    function: PciFunction
    state: str
    reason: Reason | None


@record
class Box:
    """One IOMMU group. `others` are its members that are no functions."""

    group: IommuGroup
    state: str
    parts: tuple[Part, ...]
    verdict: GroupVerdict | None


@record
class Machine:
    """Every function with its state, and the groups; `alone` are the functions in no group."""

    parts: tuple[Part, ...]
    boxes: tuple[Box, ...]
    alone: tuple[Part, ...]


def machine(report: NodeReport) -> Machine:
    """Judge every function and group of the report."""
    node = Node("node", report)
    stays = protections(node)
    vfio, iommu = data(report.vfio), data(report.iommu)
    verdicts = {verdict.number: verdict for verdict in (() if vfio is None else vfio.groups)}
    blockers = _blockers(node, verdicts.values())
    parts = {
        function.address: _part(function, stays.get(function.address, ()), blocker=function.address in blockers)
        for function in node.functions
    }
    boxes = tuple(_box(group, parts, verdicts) for group in (() if iommu is None else iommu.groups))
    grouped = {part.function.address for box in boxes for part in box.parts}
    alone = tuple(_alone(part) for address, part in parts.items() if address not in grouped)
    return Machine(parts=tuple(parts.values()), boxes=boxes, alone=alone)


def unknown_uses(report: NodeReport) -> tuple[str, ...]:
    """What of routes and mounts nobody could read: where it is anything, no function is known to be unused."""
    network, storage = data(report.network), data(report.storage)
    known = {
        "routes": network is not None and network.routes_known,
        "mounts": storage is not None and storage.mounts_known,
    }
    return tuple(name for name, told in known.items() if not told)


def free(found: Machine) -> int:
    """How many functions could go to a guest as things are: without driver, in a group that nothing keeps."""
    return sum(part.state == FREE for box in found.boxes if box.state in (FREE, BOUND) for part in box.parts)


def _alone(part: Part) -> Part:
    return replaced(part, state=IDLE) if part.state == FREE else part


def _blockers(node: Node, verdicts: Iterable[GroupVerdict]) -> frozenset[str]:
    """Functions that keep a group somebody has begun to give away."""
    begun = {one.iommu_group for one in node.functions if one.driver is not None and is_vfio_driver(one.driver)}
    return frozenset(blocker.address for verdict in verdicts if verdict.number in begun for blocker in verdict.blockers)


def _part(function: PciFunction, reasons: tuple[Reason, ...], *, blocker: bool) -> Part:
    telling = next((reason for reason in reasons if reason.code not in _MACHINERY), None)
    if function.driver is not None and is_vfio_driver(function.driver):
        return Part(function=function, state=BOUND, reason=telling)
    if blocker:
        return Part(function=function, state=BLOCKED, reason=telling)
    if is_bridge(function) or (reasons and telling is None):
        return Part(function=function, state=PLATFORM, reason=None)
    if telling is not None:
        return Part(function=function, state=PROTECTED, reason=telling)
    return Part(function=function, state=FREE if function.driver is None else IN_USE, reason=None)


def _box(group: IommuGroup, parts: dict[PciAddress, Part], verdicts: dict[int, GroupVerdict]) -> Box:
    members = tuple(parts[address] for address in group.members if address in parts)
    verdict = verdicts.get(group.number)
    return Box(group=group, state=_state(group, members, verdict), parts=members, verdict=verdict)


def _state(group: IommuGroup, members: tuple[Part, ...], verdict: GroupVerdict | None) -> str:
    found = {part.state for part in members}
    if group.name == NOIOMMU:
        return UNSAFE
    if verdict is None:
        return UNKNOWN
    if found == {PLATFORM}:
        return PLATFORM
    if BOUND in found:
        return BOUND if verdict.viable else BLOCKED
    if PROTECTED in found or verdict.direct:
        return PROTECTED
    return FREE if verdict.viable else IN_USE
