"""What KubeVirt is to offer: vendor:device and resource name, which is all it can tell devices apart by."""

from __future__ import annotations

from hostagent.assess.node import id_said, pci_id
from hostagent.assess.reasons import Reason, Why
from hostagent.plan.choosing import Choice, place
from hostagent.plan.model import Note, PermittedDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.plan.choosing import Taken


def permitted(choice: Choice) -> tuple[PermittedDevice, ...]:
    """One entry for each ID that has a resource name. A second name for an ID goes to `choice.refused`."""
    names: dict[str, Taken] = {}
    for _, taken in sorted(choice.taken.items(), key=lambda item: (item[0][0], item[0][1].order)):
        if taken.resource_name is None:
            continue
        selector = pci_id(taken.function)
        first = names.setdefault(selector, taken)
        if (first.resource_name, first.external) != (taken.resource_name, taken.external):
            text = (
                f"KubeVirt knows {selector} as {first.resource_name} already, from {place(first.entry)}, "
                "and cannot tell two devices with one ID apart"
            )
            reason = Reason(code=Why.TWO_NAMES, text=text, evidence=(id_said(taken.function),))
            choice.refuse(taken.node, taken.entry, taken.function, reason)
    _also_offered(choice, names)
    return tuple(
        PermittedDevice(selector=selector, resource_name=taken.resource_name, external=taken.external)
        for selector, taken in sorted(names.items())
        if taken.resource_name is not None
    )


def _also_offered(choice: Choice, names: dict[str, Taken]) -> None:
    """Functions bound for no resource, or as companions, that KubeVirt will offer all the same."""
    for (node, address), taken in choice.taken.items():
        named = names.get(pci_id(taken.function))
        if named is not None and taken.resource_name is None:
            text = f"KubeVirt will offer it as {named.resource_name} too: it has that ID and will be on vfio-pci"
            choice.notes.append(Note(code="offered-too", node=node, subject=str(address), text=text))
