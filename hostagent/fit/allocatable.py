"""How many devices of each resource KubeVirt will offer on a node, how many of them a guest can really have, and why.

KubeVirt (pkg/virt-handler/device-manager/pci_device.go) takes every function whose ID is permitted, whose driver is `vfio-pci`
and no other, and which has an IOMMU group; NVIDIA's driver passes too where the function is no PF and is a vGPU at present. Its
plugin's devices are the groups: of several functions in one group it counts one, the last in order of name. It looks at nothing
else. A guest starts only if the kernel gives the group away: hostagent.assess says so.
"""

from __future__ import annotations

from hostagent.assess import State, assess
from hostagent.fit.permitted import PermittedEntry
from hostagent.host.pci import PciFunction
from hostagent.report import NodeReport
from hostagent.values.pci import PciAddress
from hostagent.values.record import record
from hostagent.values.vfio import is_vfio_driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


_DRIVER = "vfio-pci"


@record
class OfferedDevice:
    """A function that KubeVirt finds. `usable`: whether a guest that gets its group starts."""

    address: PciAddress
    id: str
    driver: str
    iommu_group: int
    usable: bool


@record
class Allocatable:
    """One resource on one node. `why`: what makes the numbers differ from the number of cards, and from each other."""

    resource: str
    kubevirt: int
    usable: int
    devices: tuple[OfferedDevice, ...]
    why: tuple[str, ...]


class _Node:
    """What the report says that matters here."""

    def __init__(self, report: NodeReport) -> None:
        judged = assess(report)
        self.functions = tuple(part.function for part in judged.functions)
        # What can be given away on a driver that is not vfio's.
        self._vgpus = {
            part.function.address
            for part in judged.functions
            if part.state is State.BOUND and not is_vfio_driver(part.function.driver or "")
        }
        self._groups = judged.by_number

    def offered(self, function: PciFunction) -> bool:
        """Whether KubeVirt takes a function whose ID is permitted."""
        if function.iommu_group is None:
            return False
        return function.driver == _DRIVER or self.vgpu(function)

    def vgpu(self, function: PciFunction) -> bool:
        """Whether it is a virtual function that NVIDIA's driver has made a vGPU."""
        return function.address in self._vgpus

    def blocks(self, number: int) -> str | None:
        """Why no guest starts that gets this group; None where nothing is known against it."""
        return self._groups[number].obstacle if number in self._groups else None


def allocatable(report: NodeReport, entries: tuple[PermittedEntry, ...]) -> tuple[Allocatable, ...]:
    """Every resource of `entries`, in order of name. Pure."""
    node = _Node(report)
    # KubeVirt keeps a map: of two entries for one selector the last counts.
    names = {entry.selector: entry.resource for entry in entries if not entry.external}
    offers: dict[str, list[PciFunction]] = {}
    for function in node.functions:
        resource = names.get(_id(function))
        if resource is not None and node.offered(function):
            offers.setdefault(resource, []).append(function)
    return tuple(
        _resource(node, resource, entries, names, offers) for resource in sorted({one.resource for one in entries})
    )


def _resource(
    node: _Node,
    resource: str,
    entries: tuple[PermittedEntry, ...],
    names: dict[str, str],
    offers: dict[str, list[PciFunction]],
) -> Allocatable:
    found = offers.get(resource, [])
    groups = sorted({function.iommu_group for function in found if function.iommu_group is not None})
    blocked = {number: why for number in groups if (why := node.blocks(number)) is not None}
    mine = tuple(entry for entry in entries if entry.resource == resource)
    return Allocatable(
        resource=resource,
        kubevirt=len(groups),
        usable=len(groups) - len(blocked),
        devices=tuple(
            OfferedDevice(
                address=function.address,
                id=_id(function),
                driver=function.driver or "",
                iommu_group=function.iommu_group,
                usable=function.iommu_group not in blocked,
            )
            for function in found
            if function.iommu_group is not None
        ),
        why=(
            *_left_out(node, mine, names),
            *_counted_once(found, groups),
            *dict.fromkeys(blocked.values()),
            *_shared(resource, groups, offers),
        ),
    )


def _left_out(node: _Node, mine: tuple[PermittedEntry, ...], names: dict[str, str]) -> Iterator[str]:
    for entry in mine:
        if entry.external:
            yield f"{entry.selector}: another provider hands it out; KubeVirt looks for no device"
            continue
        if names[entry.selector] != entry.resource:
            yield f"{entry.selector}: a later entry gives it to {names[entry.selector]}"
            continue
        there = [function for function in node.functions if _id(function) == entry.selector]
        if not there:
            yield f"{entry.selector}: no such device"
        for function in there:
            if not node.offered(function):
                yield f"{function.address}: {_missing(node, function)}"


def _missing(node: _Node, function: PciFunction) -> str:
    if function.driver is None:
        return "it has no driver; KubeVirt takes vfio-pci only"
    if function.driver != _DRIVER and not node.vgpu(function):
        return f"its driver is {function.driver}; KubeVirt takes vfio-pci only"
    return "it has no IOMMU group"


def _counted_once(found: list[PciFunction], groups: list[int]) -> Iterator[str]:
    for number in groups:
        members = [function.address for function in found if function.iommu_group == number]
        if len(members) > 1:
            yield f"{', '.join(members)} share group {number}: KubeVirt counts one, and hands out {max(members)}"


def _shared(resource: str, groups: list[int], offers: dict[str, list[PciFunction]]) -> Iterator[str]:
    for number in groups:
        others = sorted(
            name
            for name, functions in offers.items()
            if name != resource and any(function.iommu_group == number for function in functions)
        )
        if others:
            yield f"group {number} is counted for {', '.join(others)} too, and only one guest can have it"


def _id(function: PciFunction) -> str:
    return f"{function.vendor_id}:{function.device_id}"
