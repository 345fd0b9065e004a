"""SR-IOV: functions that can split into virtual ones, and those that did.

Files, for each physical function in /sys/bus/pci/devices/<address> (Documentation/ABI/testing/sysfs-bus-pci):

    sriov_totalvfs              64      as many as hardware and driver allow; no such file: not a physical function
    sriov_numvfs                2       as many as there are now
    sriov_drivers_autoprobe     1       whether new VFs get a driver of the host
    sriov_vf_device             154c    device ID of the VFs, hex without leading zeros
    virtfn0                     -> ../0000:03:00.1
    sriov_offset, sriov_stride          VF n has the routing ID of the PF + offset + n * stride

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
from hostagent.values.pci import PciAddress, hex_id, in_classes
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BRIDGES = ("06",)


@record
class PhysicalFunction:
    """A function with SR-IOV. `vfs`: addresses by VF number. `vf_device_id`: 4 hex digits. None: the kernel does not say."""

    address: PciAddress
    total_vfs: int
    num_vfs: int | None
    autoprobe: bool | None
    vf_device_id: str | None
    vfs: tuple[PciAddress, ...]


@record
class VirtualFunction:
    """A VF. `policy` is None where its PF has no network link, or netlink does not say."""

    address: PciAddress
    physical_function: PciAddress
    index: int
    policy: VfPolicy | None


@record
class Sriov:
    """All PFs in order of address, and their VFs in order of PF and number."""

    physical_functions: tuple[PhysicalFunction, ...]
    virtual_functions: tuple[VirtualFunction, ...]


def probe(reader: Reader) -> Sriov:
    """Every PF and its VFs."""
    found = functions(reader)
    thorough = reader.host.thorough
    if thorough is None:
        thorough = len(found) <= DETAIL_LIMIT
    physical = _all(reader, found) if thorough else _first_of_each(reader, found)
    return Sriov(
        physical_functions=physical,
        virtual_functions=tuple(_virtual(reader, physical)),
    )


def _all(reader: Reader, found: tuple[PciFunction, ...]) -> tuple[PhysicalFunction, ...]:
    asked = (_physical(reader, function, linked=True) for function in found)
    return tuple(physical for physical in asked if physical is not None)


def _first_of_each(reader: Reader, found: tuple[PciFunction, ...]) -> tuple[PhysicalFunction, ...]:
    hopeless: dict[tuple[str, str, str], bool] = {}
    physical = []
    for function in found:
        kin = (function.address[:-5], function.vendor_id, function.device_id)
        if hopeless.get(kin):
            continue
        answer = _physical(reader, function, linked=False)
        hopeless.setdefault(kin, answer is None)
        if answer is not None:
            physical.append(answer)
    return tuple(physical)


def _physical(reader: Reader, function: PciFunction, *, linked: bool) -> PhysicalFunction | None:
    if in_classes(function.class_id, _BRIDGES):
        return None
    path = f"{DEVICES}/{function.address}"
    total = _number(reader, f"{path}/sriov_totalvfs")
    if total is None:
        return None
    used = _number(reader, f"{path}/sriov_numvfs")
    vf_device = reader.parsed(f"{path}/sriov_vf_device", lambda text: hex_id(text.rjust(4, "0"), 4), "4 hex digits")
    vfs = None if linked or not used else _computed(reader, function.address, used)
    return PhysicalFunction(
        address=function.address,
        total_vfs=total,
        num_vfs=used,
        autoprobe=reader.flag(f"{path}/sriov_drivers_autoprobe"),
        vf_device_id=vf_device,
        vfs=_linked(reader, path, used or 0) if vfs is None else vfs,
    )


def _number(reader: Reader, path: str) -> int | None:
    """A count of VFs: 16 bits in the capability."""
    return reader.parsed(
        path,
        lambda text: int(text) if text.isdecimal() and text.isascii() and len(text) < 6 else None,
        "a number of VFs",
    )


def _linked(reader: Reader, path: str, used: int) -> tuple[PciAddress, ...]:
    found = []
    for index in range(used):
        target = reader.target(f"{path}/virtfn{index}")
        address = None if target is None else PciAddress.parse(target)
        if address is None:
            # VFs are going away while we look; what numvfs said is over.
            break
        found.append(address)
    return tuple(found)


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


def _virtual(reader: Reader, physical: tuple[PhysicalFunction, ...]) -> Iterator[VirtualFunction]:
    owners = [function for function in physical if function.vfs]
    links = {function.address: reader.names(f"{DEVICES}/{function.address}/net") for function in owners}
    # Netlink is not asked where no PF with VFs has a link: NVMe and accelerators have VFs too.
    policies = vf_policies(reader) if any(links.values()) else {}
    for function in owners:
        for index, address in enumerate(function.vfs):
            said = (policies.get((link, index)) for link in links[function.address])
            yield VirtualFunction(
                address=address,
                physical_function=function.address,
                index=index,
                policy=next((policy for policy in said if policy is not None), None),
            )


def labels(sriov: Sriov, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """Whether anything here can be split, and into how many it is."""
    yield "sriov.capable", truth(any(function.total_vfs > 0 for function in sriov.physical_functions))
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
    guard=Guard(unknown="whether virtual functions are on it, or it is one that a pod uses", classes=None, driven=True),
    unseen=nothing_unseen,
)
