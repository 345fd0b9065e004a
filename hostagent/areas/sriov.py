"""SR-IOV: functions that can split into virtual ones, and those that did.

Files, for each physical function in /sys/bus/pci/devices/<address> (Documentation/ABI/testing/sysfs-bus-pci):

    sriov_totalvfs              64      as many as hardware and driver allow; no such file: not a physical function
    sriov_numvfs                2       as many as there are now
    sriov_drivers_autoprobe     1       whether new VFs get a driver of the host
    sriov_vf_device             154c    device ID of the VFs, hex without leading zeros
    virtfn0                     -> ../0000:03:00.1
    sriov_offset, sriov_stride          VF n has the routing ID of the PF + offset + n * stride

and of each VF

    physfn                      -> ../0000:03:00.0

On machines of ordinary size every function is asked and the links are read. Where there are more functions than
DETAIL_LIMIT, most are VFs: only the first of each ID on each bus is asked, the rest of them if that one is
a physical function, and VFs' addresses are computed as the kernel computes them (drivers/pci/iov.c).

A VF's VLAN, trust, spoof check and link state come from netlink (`hostagent.host.netlink`), where the PF has a link.
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen, truth
from hostagent.host import Reader
from hostagent.host.netlink import VfPolicy, vf_policies
from hostagent.host.pci import DETAIL_LIMIT, DEVICES, PciFunction, functions
from hostagent.host.unread import unread
from hostagent.values.pci import PciAddress, hex_id, in_classes
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    # A PF, and the numbers of its VFs.
    Numbered = tuple["PhysicalFunction", tuple[int, ...]]

_BRIDGES = ("06",)
_COUNTS = ("sriov_totalvfs", "sriov_numvfs")


@record
class PhysicalFunction:
    """A function that can be split into virtual ones."""

    address: PciAddress
    """PCI address."""
    total_vfs: int | None
    """VFs that hardware and driver allow; sys/bus/pci/devices/<address>/sriov_totalvfs. Null where only sriov_numvfs
    says that this is a PF."""
    num_vfs: int | None
    """VFs there are; sys/bus/pci/devices/<address>/sriov_numvfs. Null where only sriov_totalvfs says that this is a
    PF."""
    autoprobe: bool | None
    """Whether new VFs get a driver of the host; sys/bus/pci/devices/<address>/sriov_drivers_autoprobe. Null where there
    is no such file."""
    vf_device_id: str | None
    """Device ID of its VFs, 4 lower-case hex digits; sys/bus/pci/devices/<address>/sriov_vf_device. Null where there is
    no such file."""
    vfs: tuple[PciAddress, ...]
    """Addresses of its VFs in order of their numbers; the links virtfnN, on machines of more than 1,024 functions
    sriov_offset and sriov_stride."""


@record
class VirtualFunction:
    """A VF."""

    address: PciAddress
    """PCI address."""
    physical_function: PciAddress
    """Address of its PF."""
    index: int | None
    """Its number among the VFs of its PF, from 0. Null where the PF does not list it, and its own link physfn says that
    it is one."""
    policy: VfPolicy | None
    """What the PF's network driver was told of it. Null where the PF has no network link or does not list it, or
    netlink does not know it."""


@record
class Sriov:
    """Functions with SR-IOV, and their virtual functions."""

    physical_functions: tuple[PhysicalFunction, ...]
    """Every PF, in order of address."""
    virtual_functions: tuple[VirtualFunction, ...]
    """Their VFs, in order of PF and number; after these the VFs that no PF lists."""


def probe(reader: Reader) -> Sriov:
    """Every PF and its VFs."""
    found = functions(reader)
    thorough = reader.host.thorough
    if thorough is None:
        thorough = len(found) <= DETAIL_LIMIT
    physical = _all(reader, found) if thorough else _first_of_each(reader, found)
    virtual = tuple(_virtual(reader, physical))
    known = {one.address for one, _ in physical} | {one.address for one in virtual}
    return Sriov(
        physical_functions=tuple(one for one, _ in physical),
        virtual_functions=(*virtual, *_unlisted(reader, found, known, thorough=thorough)),
    )


def _all(reader: Reader, found: tuple[PciFunction, ...]) -> tuple[Numbered, ...]:
    asked = (_physical(reader, function, linked=True) for function in found)
    return tuple(physical for physical in asked if physical is not None)


def _kin(function: PciFunction) -> tuple[str, str, str]:
    """What is the same for all VFs of a PF on one bus."""
    return function.address[:-5], function.vendor_id, function.device_id


def _first_of_each(reader: Reader, found: tuple[PciFunction, ...]) -> tuple[Numbered, ...]:
    hopeless: dict[tuple[str, str, str], bool] = {}
    physical = []
    for function in found:
        kin = _kin(function)
        if hopeless.get(kin):
            continue
        answer = _physical(reader, function, linked=False)
        hopeless.setdefault(kin, answer is None)
        if answer is not None:
            physical.append(answer)
    return tuple(physical)


def _physical(reader: Reader, function: PciFunction, *, linked: bool) -> Numbered | None:
    if in_classes(function.class_id, _BRIDGES):
        return None
    path = f"{DEVICES}/{function.address}"
    total, used = (_number(reader, f"{path}/{name}") for name in _COUNTS)
    # One of the two is enough: not to know how many it has is not to have none.
    if total is None and used is None and not any(unread(reader, "read", f"{path}/{name}") for name in _COUNTS):
        return None
    vf_device = reader.parsed(f"{path}/sriov_vf_device", lambda text: hex_id(text.rjust(4, "0"), 4), "4 hex digits")
    computed = None if linked or not used else _computed(reader, function.address, used)
    vfs = _linked(reader, path, used, total) if computed is None else dict(enumerate(computed))
    physical = PhysicalFunction(
        address=function.address,
        total_vfs=total,
        num_vfs=used,
        autoprobe=reader.flag(f"{path}/sriov_drivers_autoprobe"),
        vf_device_id=vf_device,
        vfs=tuple(vfs.values()),
    )
    return physical, tuple(vfs)


def _number(reader: Reader, path: str) -> int | None:
    """A count of VFs: 16 bits in the capability."""
    return reader.parsed(
        path,
        lambda text: int(text) if text.isdecimal() and text.isascii() and len(text) < 6 else None,
        "a number of VFs",
    )


def _linked(reader: Reader, path: str, used: int | None, total: int | None) -> dict[int, PciAddress]:
    """VFs by number. There are gaps where one was taken away by itself, and while VFs come and go."""
    found: dict[int, PciAddress] = {}
    for index in range(max(used or 0, total or 0)):
        if used is not None and len(found) >= used:
            break
        address = PciAddress.parse(reader.target(f"{path}/virtfn{index}") or "")
        if address is not None:
            found[index] = address
    return found


def _computed(reader: Reader, address: PciAddress, used: int) -> tuple[PciAddress, ...] | None:
    offset = reader.integer(f"{DEVICES}/{address}/sriov_offset")
    stride = reader.integer(f"{DEVICES}/{address}/sriov_stride")
    if offset is None or stride is None:
        return None
    domain, bus, device = address[:-2].split(":")
    own = int(bus, 16) << 8 | int(device, 16) << 3 | address.function
    found = []
    for index in range(used):
        routing = own + offset + index * stride
        if not 0 <= routing <= 0xFFFF:
            reader.malformed(
                f"{DEVICES}/{address}/sriov_offset", "VFs on the bus of their PF or one after it", str(offset)
            )
            return None
        found.append(PciAddress(f"{domain}:{routing >> 8:02x}:{routing >> 3 & 31:02x}.{routing & 7}"))
    return tuple(found)


def _virtual(reader: Reader, physical: tuple[Numbered, ...]) -> Iterator[VirtualFunction]:
    owners = [(function, numbers) for function, numbers in physical if function.vfs]
    links = {function.address: reader.names(f"{DEVICES}/{function.address}/net") for function, _ in owners}
    # Netlink is not asked where no PF with VFs has a link: NVMe and accelerators have VFs too.
    policies = vf_policies(reader) if any(links.values()) else {}
    for function, numbers in owners:
        for index, address in zip(numbers, function.vfs, strict=True):
            said = (policies.get((link, index)) for link in links[function.address])
            yield VirtualFunction(
                address=address,
                physical_function=function.address,
                index=index,
                policy=next((policy for policy in said if policy is not None), None),
            )


def _unlisted(
    reader: Reader, found: tuple[PciFunction, ...], known: set[PciAddress], *, thorough: bool
) -> Iterator[VirtualFunction]:
    """VFs that no PF shows, by their own word."""
    plain: set[tuple[str, str, str]] = set()
    for function in found:
        kin = _kin(function)
        if function.address in known or in_classes(function.class_id, _BRIDGES) or (kin in plain and not thorough):
            continue
        parent = PciAddress.parse(reader.target(f"{DEVICES}/{function.address}/physfn") or "")
        if parent is None:
            plain.add(kin)
        else:
            yield VirtualFunction(address=function.address, physical_function=parent, index=None, policy=None)


def labels(sriov: Sriov, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """Whether anything here can be split, and into how many it is."""
    yield "sriov.capable", truth(any((function.total_vfs or 0) > 0 for function in sriov.physical_functions))
    yield "sriov.vfs", str(sum(function.num_vfs or 0 for function in sriov.physical_functions))


_LABELS = (
    LabelDoc(key="sriov.capable", values="true, false", meaning="some function can be split into virtual functions"),
    LabelDoc(key="sriov.vfs", values="a number", meaning="virtual functions there are, of all physical functions"),
)

_LIMIT = Metric(
    name="hostagent_sriov_vfs_limit",
    help="Virtual functions a physical function can have.",
    labels=("address",),
)
_VFS = Metric(
    name="hostagent_sriov_vfs",
    help="Virtual functions a physical function has.",
    labels=("address",),
)


def samples(sriov: Sriov) -> Iterator[Sample]:
    """By physical function; VFs have no series of their own here."""
    for function in sriov.physical_functions:
        if function.total_vfs is not None:
            yield Sample(metric=_LIMIT, labels=(function.address,), value=function.total_vfs)
        if function.num_vfs is not None:
            yield Sample(metric=_VFS, labels=(function.address,), value=function.num_vfs)


AREA = Area(
    name="sriov",
    about="functions with SR-IOV and their virtual functions",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_LIMIT, _VFS),
    guard=Guard(
        unknown="whether virtual functions are on it, or it is one that a pod uses",
        classes=None,
        driven=True,
        sources=(),
    ),
    unseen=nothing_unseen,
)
