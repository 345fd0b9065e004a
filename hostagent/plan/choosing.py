"""Which functions of which nodes the profile asks for, which it may have, and what has to come along.

An entry takes every function that fits it, or the first `count` of those that may be taken. A wanted function's IOMMU group
has to be viable, so the other functions of it are taken as companions, bridges apart. While the IOMMU is off nobody knows the
groups; then the audio, USB and USB-C functions of a graphics card are expected in its group, as they always are.
"""

from __future__ import annotations

from hostagent.host.pci import PciFunction
from hostagent.plan.model import Evidence, Note, Reason, Refusal, Unmatched
from hostagent.plan.node import Node, driver_said, file_of, is_bridge, pci_id, subsystem
from hostagent.plan.protected import GUEST, protections
from hostagent.values.pci import PciAddress, in_classes
from hostagent.values.record import record
from hostagent.values.vfio import lets_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.profile import Device, Profile

_CARD_PARTS = ("0403", "0c03", "0c80")


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
    for other in _companions(taken.node, taken.function):
        companion = Taken(node=taken.node, function=other, entry=None, resource_name=None, external=False)
        choice.taken.setdefault((taken.node.name, other.address), companion)


def _leave(choice: Choice, taken: Taken) -> None:
    """Refuse what would be in a group that is not viable, because nobody takes the others along."""
    for other in _companions(taken.node, taken.function):
        idle = other.driver is None or lets_go(other.driver)
        if not idle and (taken.node.name, other.address) not in choice.taken:
            choice.taken.pop((taken.node.name, taken.function.address), None)
            choice.refuse(taken.node, taken.entry, taken.function, _left_behind(taken.function, other))


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
        choice.refuse(node, number, function, Reason(code="taken-twice", text=said, evidence=()))


def _faults(node: Node, function: PciFunction, stays: dict[PciAddress, tuple[Reason, ...]]) -> tuple[Reason, ...]:
    reasons = stays.get(function.address, ())
    # What a guest already has on vfio-pci is where it is wanted: nothing is taken from it.
    found = [reason for reason in reasons if reason.code != GUEST or function.driver != "vfio-pci"]
    for companion in () if node.group(function) is not None else _companions(node, function):
        # Of a group that is only expected the protections do not know.
        found += [
            Reason(
                code="group",
                text=f"{companion.address} of the same card will share its IOMMU group, and {reason.text}",
                evidence=reason.evidence,
            )
            for reason in stays.get(companion.address, ())[:1]
        ]
    return tuple(found)


def _left_behind(function: PciFunction, other: PciFunction) -> Reason:
    text = f"its IOMMU group is not viable without {other.address}, which companions: false leaves with the host"
    group = Evidence(path=file_of(function.address, "iommu_group"), said=str(function.iommu_group))
    return Reason(code="companions", text=text, evidence=(group, driver_said(other)))


def _companions(node: Node, function: PciFunction) -> tuple[PciFunction, ...]:
    if node.group(function) is not None:
        found = node.companions(function)
    elif in_classes(function.class_id, ("03",)):
        slot = [other for other in node.functions if other.address.slot == function.address.slot]
        found = tuple(other for other in slot if in_classes(other.class_id, _CARD_PARTS))
    else:
        return ()
    return tuple(other for other in found if not is_bridge(other) and other.address != function.address)


def _too_few(count: int, matching: list[PciFunction], faults: dict[PciAddress, tuple[Reason, ...]]) -> Reason:
    kept = [f"{address}: {reasons[0].text}" for address, reasons in faults.items() if reasons]
    free = len(matching) - len(kept)
    text = f"{count} asked for, {len(matching)} there, {free} free to be taken"
    evidence = tuple(said for reasons in faults.values() for reason in reasons[:1] for said in reason.evidence)
    return Reason(code="too-few", text="; ".join((text, *kept)), evidence=evidence)


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
