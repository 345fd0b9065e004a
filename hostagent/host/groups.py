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
    """Addresses that a guest cannot use."""

    start: str
    """First address, as the kernel writes it (0x and hex): JSON readers lose digits above 2**53."""
    end: str
    """Last address, in the same spelling."""
    type: str
    """direct, direct-relaxable, reserved or msi. `direct` is memory that firmware keeps using by DMA: the kernel gives
    no device with one to a guest."""


@record
class IommuGroup:
    """One IOMMU group: devices that the hardware cannot tell apart."""

    number: int
    """Number of the group; sys/kernel/iommu_groups/<number>."""
    type: str | None
    """Type of its default domain: DMA-FQ, DMA, identity, blocked ...; sys/kernel/iommu_groups/<number>/type. Null
    before Linux 5.11, and where it was not read: on machines of more than 1,024 functions or groups for all but the
    first 128 groups."""
    members: tuple[PciAddress, ...]
    """Addresses of its PCI functions, in order."""
    others: tuple[str, ...]
    """Names of its members that are no PCI functions, as of platform devices."""
    name: str | None
    """Name that a driver gave the group, vfio-noiommu; sys/kernel/iommu_groups/<number>/name. Null where none did, and
    where it was not read: on machines of more than 1,024 functions or groups."""
    reserved_regions: tuple[ReservedRegion, ...] | None
    """Address ranges that a guest cannot use; sys/kernel/iommu_groups/<number>/reserved_regions. Null where there is no
    such file, and where it was not read, as `type`."""
    direct: bool | None
    """Whether a reserved region is of type direct (direct-relaxable, for graphics and USB, is not in the way). Null
    where `reserved_regions` is."""


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
