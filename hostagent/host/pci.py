"""The PCI bus as one survey sees it: every function, read once, shared by all areas that stand on it.

Files, for each /sys/bus/pci/devices/<address> (Documentation/ABI/testing/sysfs-bus-pci):

    uevent       DRIVER=e1000e          absent while no driver is bound
                 PCI_CLASS=20000        hex, not padded
                 PCI_ID=8086:10D3
                 PCI_SUBSYS_ID=8086:0000
    iommu_group  -> ../../../../kernel/iommu_groups/17      absent while no IOMMU translates for it
    numa_node    0                      -1 where firmware does not say

One uevent read replaces seven attribute reads; with the group link and the node it is the fast path, eight system
calls a function at most. `detail` costs three more for each of its files and is read only on machines of ordinary size.
`config` is never read: it costs milliseconds a function in a VM and wakes sleeping devices.
"""

from __future__ import annotations

from hostagent.host.pci_detail import Attributes, PciDetail, QuickAttributes, detail
from hostagent.host.reader import Reader
from hostagent.host.regular import TooLargeError
from hostagent.values.number import whole
from hostagent.values.pci import PciAddress, hex_id
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.host.tree import Place

DEVICES = "sys/bus/pci/devices"
# More functions than this are the VFs of a few cards: their attributes are their PF's, and 30,000 reads are not.
DETAIL_LIMIT = 1024
_UEVENT, _NODE = 448, 16  # bytes that hold a function's uevent (about 200) and a node's number
_USUAL = len("0000:00:00.0")  # names of this length sort as their numbers do
# class, vendor, device, subsystem vendor, subsystem device
Ids = tuple[str | None, ...]
_OF_DIGITS = {4: lambda text: hex_id(text, 4), 6: lambda text: hex_id(text, 6)}
# driver, IDs, IOMMU group, NUMA node, and where it is wanted the detail
Fast = tuple[str | None, Ids, int | None, int | None, PciDetail | None]
# What numa_node holds on nearly every machine, by its bytes.
_NODES: dict[bytes, int | None] = {b"-1\n": None} | {f"{node}\n".encode(): node for node in range(64)}
_NO_IDS: Ids = (None,) * 5
_ID_FILES = (("class", 6), ("vendor", 4), ("device", 4), ("subsystem_vendor", 4), ("subsystem_device", 4))


@record
class PciFunction:
    """One PCI function."""

    address: PciAddress
    """PCI address as the kernel writes it, as in 0000:3b:00.0."""
    vendor_id: str
    """Vendor ID, 4 lower-case hex digits; PCI_ID in sys/bus/pci/devices/<address>/uevent, else the file vendor."""
    device_id: str
    """Device ID, 4 lower-case hex digits; PCI_ID in sys/bus/pci/devices/<address>/uevent, else the file device."""
    subsystem_vendor_id: str | None
    """Vendor ID of the subsystem, 4 lower-case hex digits; PCI_SUBSYS_ID in uevent, else the file subsystem_vendor.
    Null where neither has one."""
    subsystem_device_id: str | None
    """Device ID of the subsystem, 4 lower-case hex digits; PCI_SUBSYS_ID in uevent, else the file subsystem_device.
    Null where neither has one."""
    class_id: str
    """Class code, 6 lower-case hex digits: base class, subclass, programming interface; PCI_CLASS in uevent, else the
    file class."""
    driver: str | None
    """Driver that is bound to it; DRIVER in uevent, else the link driver. Null where none is bound."""
    iommu_group: int | None
    """Number of its IOMMU group; the link sys/bus/pci/devices/<address>/iommu_group. Null where it is in none, as where
    no IOMMU translates for it."""
    numa_node: int | None
    """Number of its NUMA node; sys/bus/pci/devices/<address>/numa_node. Null where that is -1, firmware not saying, or
    there is no such file."""
    detail: PciDetail | None
    """Attributes that take a file each. Null where they were not read: see `pci.data.detailed`."""


def functions(reader: Reader) -> tuple[PciFunction, ...]:
    """Every function of the machine in the order of its address; read once a survey (`reader.once`)."""
    return reader.once(_functions)


def _functions(reader: Reader) -> tuple[PciFunction, ...]:
    names = reader.names(DEVICES)
    thorough = reader.host.thorough
    if thorough is None:
        thorough = len(names) <= DETAIL_LIMIT
    found = []
    for name, fast in zip(names, _fast(reader, names, thorough=thorough), strict=True):
        address = PciAddress.parse(name)
        if address is None:
            reader.malformed(f"{DEVICES}/{name}", "a PCI address", name)
            continue
        function = _function(reader, address, fast or _carefully(reader, f"{DEVICES}/{address}", thorough=thorough))
        if function is not None:
            found.append(function)
    if any(len(function.address) > _USUAL for function in found):
        found.sort(key=lambda function: function.address.order)
    return tuple(found)


def _function(reader: Reader, address: PciAddress, read: Fast) -> PciFunction | None:
    path = f"{DEVICES}/{address}"
    driver, ids, group, node, more = read
    class_id, vendor_id, device_id, subsystem_vendor_id, subsystem_device_id = ids
    if class_id is None or vendor_id is None or device_id is None:
        reader.malformed(path, "vendor, device and class in uevent or in files", "no such")
        return None
    return PciFunction(
        address=address,
        vendor_id=vendor_id,
        device_id=device_id,
        subsystem_vendor_id=subsystem_vendor_id,
        subsystem_device_id=subsystem_device_id,
        class_id=class_id,
        driver=driver or reader.target(f"{path}/driver"),
        iommu_group=group,
        numa_node=node,
        detail=more,
    )


def _places(reader: Reader, names: tuple[str, ...]) -> Iterator[Place | None]:
    try:
        yield from reader.host.tree.places(DEVICES, names)
    except OSError:
        # Gone since it was listed, or there never was one: then there are no names either.
        yield from (None for _ in names)


def _fast(reader: Reader, names: tuple[str, ...], *, thorough: bool) -> Iterator[Fast | None]:
    """The fast path, straight to the tree: most of a large machine's survey is this loop. None where anything is odd."""
    tree = reader.host.tree
    attribute, link = tree.attribute, tree.attribute_link
    known: dict[str, Ids] = {}
    for place in _places(reader, names):
        if place is None:
            yield None
            continue
        try:
            driver, ids = _uevent(attribute(place, "uevent", _UEVENT).decode(), known)
            node = _NODES[attribute(place, "numa_node", _NODE)]
            target = link(place, "iommu_group")
            group = None if target is None else _number(target.rpartition("/")[2])
            more = detail(QuickAttributes(tree, place), ids[0] or "") if thorough else None
        except (OSError, KeyError, ValueError, TooLargeError):
            yield None
        else:
            yield None if None in ids else (driver, ids, group, node, more)


def _number(text: str) -> int:
    """A whole number; raises ValueError for anything `int` would be kinder to."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _carefully(reader: Reader, path: str, *, thorough: bool) -> Fast:
    """The same through the reader, which says what is wrong with each file."""
    driver, ids = reader.parsed(f"{path}/uevent", _uevent, "NAME=value lines") or (None, _NO_IDS)
    if None in ids:
        # Trees exported from udev databases have no uevent file, and some exporters leave keys out.
        ids = _id_files(reader, path, ids)
    more = detail(Attributes(reader, path), ids[0]) if thorough and ids[0] is not None else None
    return driver, ids, _group(reader, path), _numa_node(reader, path), more


def _uevent(text: str, known: dict[str, Ids] | None = None) -> tuple[str | None, Ids]:
    """Driver and IDs of one uevent file. `known` remembers IDs by their text, which all functions of one make share."""
    head, mark, rest = text.partition("PCI_CLASS=")
    driver = head.partition("DRIVER=")[2].partition("\n")[0] or None
    if not mark:
        return driver, _NO_IDS
    said = rest.partition("PCI_SLOT_NAME=")[0]
    ids = known.get(said) if known is not None else None
    if ids is None:
        ids = _uevent_ids(said)
        if known is not None:
            known[said] = ids
    return driver, ids


def _uevent_ids(rest: str) -> Ids:
    """IDs from what stands between PCI_CLASS= and the address."""
    lines = rest.split("\n")
    said = dict([line.split("=", 1) for line in lines[1:] if "=" in line])
    vendor, _, device = said.get("PCI_ID", "").partition(":")
    subsystem_vendor, _, subsystem_device = said.get("PCI_SUBSYS_ID", "").partition(":")
    return (
        hex_id(lines[0].rjust(6, "0"), 6),
        hex_id(vendor, 4),
        hex_id(device, 4),
        hex_id(subsystem_vendor, 4),
        hex_id(subsystem_device, 4),
    )


def _id_files(reader: Reader, path: str, ids: Ids) -> Ids:
    """What uevent left out, from a file each."""
    return tuple(
        value or reader.parsed(f"{path}/{name}", _OF_DIGITS[digits], f"0x and {digits} hex digits")
        for value, (name, digits) in zip(ids, _ID_FILES, strict=True)
    )


def _group(reader: Reader, path: str) -> int | None:
    target = reader.target(f"{path}/iommu_group")
    if target is None:
        return None
    number = whole(target)
    if number is None or number < 0:
        reader.malformed(f"{path}/iommu_group", "a link to an IOMMU group number", target)
        return None
    return number


def _numa_node(reader: Reader, path: str) -> int | None:
    node = reader.integer(f"{path}/numa_node", negative=True)
    return None if node is None or node < 0 else node
