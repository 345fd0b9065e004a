"""Which functions of which nodes the profile asks for, which it may have, and what has to come along.

An entry takes every function that fits it, or the first `count` of those that may be taken. A wanted function's IOMMU group
has to be viable, so the other functions of it are taken as companions, bridges apart. While the IOMMU is off nobody knows the
groups; then those that are expected (hostagent.assess.topology) are planned with, and what they block is `postponed`:
it is refused until the IOMMU is on, and kernel arguments that switch it on are not.
"""

from __future__ import annotations

from hostagent.assess.node import Node, driver_said, file_of, pci_id, subsystem
from hostagent.assess.protected import protections
from hostagent.assess.reasons import Evidence, Reason, Why
from hostagent.host.pci import PciFunction
from hostagent.plan.model import Note, Refusal, Unmatched
from hostagent.values.pci import PciAddress, in_classes
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.profile import Device, Profile

_FIRST = "switch the IOMMU on first (`hostagent render kargs`, then reboot): then the groups are known"


@record
class Taken:
    """A function to be bound, and who asks: `entry` is its number in the profile, None for a companion."""

    node: Node
    function: PciFunction
    entry: int | None
    resource_name: str | None
    external: bool


class Choice:
    """What choosing found; every list in order of node, entry and address."""

    def __init__(self) -> None:
        self.stays: dict[str, dict[PciAddress, tuple[Reason, ...]]] = {}  # by node, what must stay
        self.taken: dict[tuple[str, PciAddress], Taken] = {}
        self.refused: list[Refusal] = []
        self.unmatched: list[Unmatched] = []
        self.notes: list[Note] = []

    def refuse(self, node: Node, entry: int | None, function: PciFunction | None, *reasons: Reason) -> None:
        """Note down why an entry is not done on a node."""
        address = None if function is None else function.address
        self.refused += [Refusal(node=node.name, entry=place(entry), address=address, reason=why) for why in reasons]


def place(entry: int | None) -> str:
    """Where an entry stands in the profile; companions stand nowhere in particular."""
    return "devices" if entry is None else f"devices[{entry}]"


def postponed(refusal: Refusal) -> bool:
    """Whether it is refused only as long as no IOMMU shows the groups."""
    return refusal.reason.code == Why.EXPECTED_GROUP


def choose(nodes: tuple[Node, ...], profile: Profile) -> Choice:
    """Every entry on every node."""
    choice = Choice()
    for node in nodes:
        stays = choice.stays[node.name] = protections(node)
        for number, device in enumerate(profile.devices):
            if device.nodes is None or node.name in device.nodes:
                _entry(choice, node, number, device, stays)
    wanted = [(taken, profile.devices[taken.entry]) for taken in choice.taken.values() if taken.entry is not None]
    for taken, device in wanted:
        if device.companions:
            _bring(choice, taken)
    for taken, device in wanted:
        if not device.companions:
            _leave(choice, taken)
    choice.unmatched += _unmatched(nodes, profile)
    choice.notes += _absent(nodes, profile)
    return choice


def _bring(choice: Choice, taken: Taken) -> None:
    for other in taken.node.along(taken.function):
        companion = Taken(node=taken.node, function=other, entry=None, resource_name=None, external=False)
        choice.taken.setdefault((taken.node.name, other.address), companion)


def _leave(choice: Choice, taken: Taken) -> None:
    """Refuse what would be in a group that is not viable, because nobody takes the others along."""
    for other in taken.node.along(taken.function):
        if taken.node.drives(other) and (taken.node.name, other.address) not in choice.taken:
            choice.taken.pop((taken.node.name, taken.function.address), None)
            choice.refuse(taken.node, taken.entry, taken.function, _left_behind(taken.node, taken.function, other))


def fits(device: Device, function: PciFunction) -> bool:
    """Whether a function is one the entry asks for."""
    return (
        (device.id is None or device.id == pci_id(function))
        and (device.subsystem is None or device.subsystem == subsystem(function))
        and (device.address is None or function.address in device.address)
        and (device.class_ is None or in_classes(function.class_id, (device.class_,)))
    )


def _entry(
    choice: Choice, node: Node, number: int, device: Device, stays: dict[PciAddress, tuple[Reason, ...]]
) -> None:
    matching = [function for function in node.functions if fits(device, function)]
    faults = {function.address: _faults(node, function, stays) for function in matching}
    free = [function for function in matching if not faults[function.address]]
    if device.count is not None:
        if matching and len(free) < device.count:
            choice.refuse(node, number, None, _too_few(device.count, matching, faults))
        free = free[: device.count]
    else:
        for function in matching:
            choice.refuse(node, number, function, *faults[function.address])
    for function in free:
        _take(choice, node, number, device, function)


def _take(choice: Choice, node: Node, number: int, device: Device, function: PciFunction) -> None:
    earlier = choice.taken.get((node.name, function.address))
    if earlier is None:
        choice.taken[node.name, function.address] = Taken(
            node=node,
            function=function,
            entry=number,
            resource_name=device.resource_name,
            external=device.external_resource_provider,
        )
    elif earlier.entry is not None and earlier.resource_name != device.resource_name:
        said = f"{place(earlier.entry)} already takes it as {earlier.resource_name or 'a device without resourceName'}"
        choice.refuse(node, number, function, Reason(code=Why.TAKEN_TWICE, text=said, evidence=()))


def _faults(node: Node, function: PciFunction, stays: dict[PciAddress, tuple[Reason, ...]]) -> tuple[Reason, ...]:
    reasons = stays.get(function.address, ())
    # What a guest already has on vfio-pci is where it is wanted: nothing is taken from it.
    found = [reason for reason in reasons if reason.code != Why.GUEST or function.driver != "vfio-pci"]
    for companion in () if node.group(function) is not None else node.along(function):
        # Of a group that is only expected the protections do not know.
        found += [
            Reason(
                code=Why.EXPECTED_GROUP,
                text=f"it is expected to share an IOMMU group with {companion.address}, and {reason.text}; {_FIRST}",
                evidence=(_expectation(function), *reason.evidence),
            )
            for reason in stays.get(companion.address, ())[:1]
        ]
    return tuple(found)


def _expectation(function: PciFunction) -> Evidence:
    return Evidence(path=file_of(function.address, "iommu_group"), said="no such link")


def _left_behind(node: Node, function: PciFunction, other: PciFunction) -> Reason:
    if node.group(function) is None:
        text = (
            f"{other.address} is expected in its IOMMU group, and companions: false leaves it with the host; {_FIRST}"
        )
        return Reason(code=Why.EXPECTED_GROUP, text=text, evidence=(_expectation(function), driver_said(other)))
    text = f"its IOMMU group is not viable without {other.address}, which companions: false leaves with the host"
    group = Evidence(path=file_of(function.address, "iommu_group"), said=str(node.group(function)))
    return Reason(code=Why.COMPANIONS, text=text, evidence=(group, driver_said(other)))


def _too_few(count: int, matching: list[PciFunction], faults: dict[PciAddress, tuple[Reason, ...]]) -> Reason:
    kept = [f"{address}: {reasons[0].text}" for address, reasons in faults.items() if reasons]
    free = len(matching) - len(kept)
    text = f"{count} asked for, {len(matching)} there, {free} free to be taken"
    evidence = tuple(said for reasons in faults.values() for reason in reasons[:1] for said in reason.evidence)
    # Those that only an expected group keeps may be free once the groups are known.
    later = [
        reasons for reasons in faults.values() if reasons and all(one.code == Why.EXPECTED_GROUP for one in reasons)
    ]
    code = Why.EXPECTED_GROUP if free + len(later) >= count else Why.TOO_FEW
    return Reason(code=code, text="; ".join((text, *kept)), evidence=evidence)


def _unmatched(nodes: tuple[Node, ...], profile: Profile) -> Iterator[Unmatched]:
    everything = [(node.name, function) for node in nodes for function in node.functions]
    for number, device in enumerate(profile.devices):
        there = [
            function
            for name, function in everything
            if (device.nodes is None or name in device.nodes) and fits(device, function)
        ]
        on = "a node given" if device.nodes is None else f"{' or '.join(device.nodes)}"
        if not there:
            yield Unmatched(entry=place(number), expected=f"{device.selector} on {on}, and found none")
            continue
        for address in device.address or ():
            if not any(function.address == address for function in there):
                yield Unmatched(entry=place(number), expected=f"{address} on {on}, and found none that fits")


def _absent(nodes: tuple[Node, ...], profile: Profile) -> Iterator[Note]:
    """Nodes that simply lack what others have: the configuration does nothing there."""
    given = {node.name for node in nodes}
    for number, device in enumerate(profile.devices):
        for name in sorted(set(device.nodes or ()) - given):
            yield Note(
                code="node-not-given", node=None, subject=place(number), text=f"there is no report of node {name}"
            )
        asked = [node for node in nodes if device.nodes is None or node.name in device.nodes]
        without = [node for node in asked if not any(fits(device, function) for function in node.functions)]
        for node in without if len(without) < len(asked) else ():
            text = f"it has no {device.selector}"
            yield Note(code="not-here", node=node.name, subject=place(number), text=text)
