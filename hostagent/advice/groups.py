"""IOMMU groups of wanted devices: whether the kernel will give them away, and what KubeVirt makes of them."""

from __future__ import annotations

from hostagent.advice.model import (
    BLOCKER,
    FIRMWARE,
    MODPROBE,
    MOVE,
    NOTE,
    SYSTEMD,
    WARNING,
    Code,
    Finding,
    finding,
    other,
    render,
    said,
)
from hostagent.advice.view import View
from hostagent.areas.vfio import Blocker
from hostagent.assess import GroupAssessment
from hostagent.assess.groups import not_viable
from hostagent.assess.node import file_of, pci_id
from hostagent.assess.reasons import MAPPED, Evidence
from hostagent.host.groups import GROUPS, IommuGroup
from hostagent.host.pci import PciFunction
from hostagent.plan.model import UNIT
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_VIABLE = Code(
    name="group-not-viable",
    title="An IOMMU group is not viable",
    cause=(
        "The hardware cannot keep the members of a group apart, so the kernel gives away all or none: every "
        "member has to be without driver, or with vfio-pci, pci-stub or pcieport. Another card of this group "
        "keeps its driver."
    ),
    proof=(
        "/sys/kernel/iommu_groups/N/devices lists the members; the link `driver` of each says who holds it. "
        "QEMU says: group N is not viable."
    ),
    remedy=other(
        MOVE, "Put the card into a slot whose root port isolates it (ACS), or give all members of the group away."
    ),
)
SIBLING = Code(
    name="sibling-not-included",
    title="Other functions of the card stay with the host",
    cause=(
        "A graphics card brings its audio, USB and USB-C functions along, a NIC its other ports, all in one "
        "IOMMU group. Those that keep a driver of the host keep the whole group."
    ),
    proof=(
        "The functions have the same address but for the last digit and the same iommu_group; the link "
        "`driver` of the sibling names the host's driver."
    ),
    remedy=render(MODPROBE, "Take them along (companions: true in the profile), render and reboot."),
)
RMRR = Code(
    name="reserved-by-firmware",
    title="Firmware keeps memory mapped for the device (RMRR)",
    cause=(
        "A reserved region of type direct is memory that firmware goes on using with the device, behind the "
        "kernel's back. The kernel gives no such device away (ineligible for IOMMU domain attach due to "
        "platform RMRR requirement)."
    ),
    proof=(
        "/sys/kernel/iommu_groups/N/reserved_regions has a line that ends in `direct` (direct-relaxable and "
        "msi are not in the way)."
    ),
    remedy=other(
        FIRMWARE,
        (
            "Switch off in the firmware's setup what uses it (HPE: shared memory features of the slot), or use "
            "another slot or device."
        ),
    ),
)
MORE_THAN_GROUPS = Code(
    name="more-devices-than-groups",
    title="KubeVirt will count fewer devices than there are",
    cause=(
        "KubeVirt's device plugin counts IOMMU groups: of several devices of one resource in one group it offers one."
    ),
    proof="The devices have the same iommu_group link; `hostagent allocatable` shows both numbers.",
    remedy=other(MOVE, "Put the cards into slots of their own, or give the group away as what it is: one device."),
)
CODES = (NOT_VIABLE, SIBLING, RMRR, MORE_THAN_GROUPS)


def look(view: View) -> Iterator[Finding]:
    """Findings about the groups of what is wanted."""
    wanted = _by_group(view)
    for group in view.assessed.groups if wanted else ():
        members = wanted.get(group.group.number)
        if members:
            yield from _blockers(view, group, members)
            yield from _reserved(group.group, members)
    yield from _counted(view)


def _by_group(view: View) -> dict[int, list[PciFunction]]:
    found: dict[int, list[PciFunction]] = {}
    for function in view.wanted:
        number = view.node.group(function)
        if number is not None:
            found.setdefault(number, []).append(function)
    return found


def _blockers(view: View, group: GroupAssessment, members: list[PciFunction]) -> Iterator[Finding]:
    mine = {function.address for function in members}
    slots = {address.slot for address in mine}
    left = [blocker for blocker in group.blockers if blocker.address not in mine]
    for code, blockers in (
        (SIBLING, [one for one in left if _slot(one) in slots]),
        (NOT_VIABLE, [one for one in left if _slot(one) not in slots]),
    ):
        if blockers:
            yield _kept(view, group.group.number, members, code, blockers)


def _slot(blocker: Blocker) -> str | None:
    address = PciAddress.parse(blocker.address)
    return None if address is None else address.slot


def _kept(view: View, number: int, members: list[PciFunction], code: Code, blockers: list[Blocker]) -> Finding:
    devices = ", ".join(function.address for function in members)
    text = f"{_capital(not_viable(number, blockers))}, which keeps {devices} from guests."
    evidence = [_driver(number, one) for one in blockers]
    unit = any(binding.method == UNIT for binding in (view.bindings.get(one.address) for one in members) if binding)
    remedy = render(SYSTEMD, code.remedy.text) if code is SIBLING and unit else None
    return finding(code, BLOCKER, f"group {number}", text, evidence, remedy=remedy)


def _driver(number: int, blocker: Blocker) -> Evidence:
    return said(f"{GROUPS}/{number}/devices/{blocker.address}/driver", blocker.driver)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _reserved(group: IommuGroup, members: list[PciFunction]) -> Iterator[Finding]:
    if not group.direct:
        return
    devices = ", ".join(function.address for function in members)
    text = f"Group {group.number}: {MAPPED}, which keeps {devices} from guests."
    evidence = [
        said(f"{GROUPS}/{group.number}/reserved_regions", f"{region.start} {region.end} {region.type}")
        for region in group.reserved_regions or ()
        if region.type == "direct"
    ]
    yield finding(RMRR, BLOCKER, f"group {group.number}", text, evidence)


def _counted(view: View) -> Iterator[Finding]:
    """Devices that KubeVirt takes for one. Without a plan the resource names are not known: IDs stand for them."""
    offered = {
        one.selector: one.resource_name for one in (view.plan.permitted if view.plan else ()) if not one.external
    }
    by_resource: dict[str, dict[int, list[PciFunction]]] = {}
    for function in view.wanted:
        number, identity = view.node.group(function), pci_id(function)
        if number is None or (view.plan is not None and identity not in offered):
            continue
        by_resource.setdefault(offered.get(identity, identity), {}).setdefault(number, []).append(function)
    for resource, groups in sorted(by_resource.items()):
        for number, members in sorted(groups.items()):
            if len(members) > 1:
                devices = ", ".join(function.address for function in members)
                text = f"KubeVirt will count {devices} as one {resource}: they share IOMMU group {number}."
                evidence = [said(file_of(function.address, "iommu_group"), str(number)) for function in members]
                severity = NOTE if view.plan is None else WARNING
                yield finding(MORE_THAN_GROUPS, severity, f"{resource} in group {number}", text, evidence)
