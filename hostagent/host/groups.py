r"""IOMMU groups: which devices the hardware cannot tell apart, and so can only be given away together.

Files, for each /sys/kernel/iommu_groups/<number> (Documentation/ABI/testing/sysfs-kernel-iommu_groups):

    devices/            a link for each member: 0000:03:00.0, or a platform device such as arm-smmu-v3.0.auto
    type                DMA-FQ      the default domain: DMA, DMA-FQ, identity, blocked, unmanaged, unknown (Linux 5.11)
    reserved_regions    0x00000000fee00000 0x00000000feefffff msi       direct, direct-relaxable, reserved, msi
    name                only groups that were given one: vfio-noiommu

Members are those of the functions' own `iommu_group` links, and on machines of ordinary size those listed here too. Where
there are more functions than DETAIL_LIMIT, type and regions are read of the first FIRST_GROUPS groups only, and devices/
only of groups no function links to: groups are numbered in the order they are made, so the first are those
of the devices present at boot, and the others are those of virtual functions, which firmware reserves nothing for.
"""

from __future__ import annotations

from hostagent.host.pci import DETAIL_LIMIT, functions
from hostagent.host.reader import Reader
from hostagent.values.blanks import fields, lines
from hostagent.values.number import whole
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

GROUPS = "sys/kernel/iommu_groups"
FIRST_GROUPS = 128
# vfio makes such groups itself for devices without an IOMMU: nothing isolates them.
NOIOMMU = "vfio-noiommu"


@record
class ReservedRegion:
    """Addresses a guest cannot use, both ends included, as the kernel writes them: JSON readers lose digits above 2**53.

    `type`: `direct` is memory that firmware keeps using by DMA; the kernel gives no device with one to a guest.
    """

    start: str
    end: str
    type: str


@record
class IommuGroup:
    """One group. `type`, `name`, `reserved_regions`, `direct` are None where the kernel does not say or it was not read.

    `members`: PCI functions in order of address. `others`: members that are no PCI functions, by device name.
    `direct`: whether a reserved region is of type direct (direct-relaxable, for graphics and USB, is not in the way).
    """

    number: int
    type: str | None
    members: tuple[PciAddress, ...]
    others: tuple[str, ...]
    name: str | None
    reserved_regions: tuple[ReservedRegion, ...] | None
    direct: bool | None


def groups(reader: Reader) -> tuple[IommuGroup, ...]:
    """Every group in order of number; read once a survey."""
    return reader.once(_groups)


def _groups(reader: Reader) -> tuple[IommuGroup, ...]:
    members: dict[int, list[PciAddress]] = {}
    for name in reader.names(GROUPS):
        number = whole(name)
        if number is None or number < 0:
            reader.malformed(f"{GROUPS}/{name}", "the number of an IOMMU group", name)
        else:
            members[number] = []
    found = functions(reader)
    for function in found:
        if function.iommu_group is not None:
            members.setdefault(function.iommu_group, []).append(function.address)
    thorough = reader.host.thorough
    if thorough is None:
        thorough = len(found) <= DETAIL_LIMIT and len(members) <= DETAIL_LIMIT
    return tuple(
        _group(reader, number, members[number], listed=thorough, detailed=thorough or place < FIRST_GROUPS)
        for place, number in enumerate(sorted(members))
    )


def _group(reader: Reader, number: int, linked: list[PciAddress], *, listed: bool, detailed: bool) -> IommuGroup:
    path = f"{GROUPS}/{number}"
    others: list[str] = []
    if listed or not linked:
        linked, others = _listed(reader, path, linked)
    regions = _regions(reader, f"{path}/reserved_regions") if detailed else None
    return IommuGroup(
        number=number,
        type=reader.text(f"{path}/type") or None if detailed else None,
        members=tuple(linked),
        others=tuple(others),
        name=reader.text(f"{path}/name") or None if listed else None,
        reserved_regions=regions,
        direct=None if regions is None else any(region.type == "direct" for region in regions),
    )


def _listed(reader: Reader, path: str, linked: list[PciAddress]) -> tuple[list[PciAddress], list[str]]:
    """Members by links and by listing, in order of address; and those that are no PCI functions."""
    addresses, others = set(linked), []
    for name in reader.names(f"{path}/devices"):
        address = PciAddress.parse(name)
        if address is None:
            others.append(name)
        else:
            addresses.add(address)
    return sorted(addresses, key=lambda address: address.order), others


def _regions(reader: Reader, path: str) -> tuple[ReservedRegion, ...] | None:
    text = reader.text(path)
    if text is None:
        return None
    regions = []
    for line in lines(text):
        start, end, kind = [*fields(line), "", "", ""][:3]
        if not kind or whole(start, 16) is None or whole(end, 16) is None:
            reader.malformed(path, "lines of start, end and type", line)
            continue
        regions.append(ReservedRegion(start=start, end=end, type=kind))
    return tuple(regions)
