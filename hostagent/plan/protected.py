"""What must never be taken from a node, and why: the storage and the network it lives on, its console, its own machinery.

A reason protects the function it is about, and every other function of its IOMMU group, for a group can only be given
away whole. Where an area could not be read, what it would have protected is protected on suspicion: not to know is
no permission.
"""

from __future__ import annotations

from hostagent.areas import network, storage
from hostagent.host.pci import PciFunction
from hostagent.plan.model import Evidence, Reason
from hostagent.plan.node import Node, class_said, data, driver_said, file_of, id_said, is_bridge, pci_id
from hostagent.values.pci import PciAddress, in_classes
from hostagent.values.vfio import lets_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Found = Iterator[tuple[PciAddress, Reason]]

# Codes of reasons.
BRIDGE, PLATFORM, CONSOLE, BMC, STORAGE, NETWORK = "bridge", "platform", "console", "bmc", "storage", "network"
VFS, NAMESPACE, GUEST, WATCHDOG = "virtual-functions", "network-namespace", "guest", "watchdog"
VMD, REFUSED_ID, RESERVED, GROUP, UNKNOWN = "vmd", "denylist", "reserved-region", "group", "unknown"

_PLATFORM = {
    "0800": "an interrupt controller",
    "0801": "a DMA controller",
    "0802": "a timer",
    "0803": "a clock",
    "0806": "an IOMMU",
    "0c05": "an SMBus controller",
    "0c07": "a management controller's interface",
    "1101": "a performance counter",
}
_BMC_DISPLAYS = ("1a03:2000", *(f"102b:053{digit:x}" for digit in range(16)))
_WATCHDOGS = ("8086:25ab", "103c:3306")  # i6300esb and HPE iLO: the function is the watchdog
_HANGS = "it is a watchdog, made to reset a hung host"
# drivers/vfio/pci/vfio_pci.c: QAT of the C3xxx, C62x and DH895xCC, and DSA and IAX of Sapphire Rapids; VFs too.
DENYLIST = tuple(f"8086:{device}" for device in ("19e2", "19e3", "37c8", "37c9", "0435", "0443", "0b25", "0cfe"))
_STORAGE_CLASSES = ("01", "0c03", "0c04", "0805")
_NETWORK_CLASSES = ("02",)


def protections(node: Node) -> dict[PciAddress, tuple[Reason, ...]]:
    """Every function of the node that must stay, in order of address."""
    found: dict[PciAddress, list[Reason]] = {}
    for look in (_machinery, _watchdogs, _consoles, _storage, _network, _virtual, _unassignable, _guests):
        for address, reason in look(node):
            reasons = found.setdefault(address, [])
            if address in node.at and reason not in reasons:
                reasons.append(reason)
    for address, reason in (*_groups(node, found), *_strangers(node)):
        found.setdefault(address, []).append(reason)
    return {address: tuple(found[address]) for address in sorted(found, key=_order) if found[address]}


def _order(address: PciAddress) -> tuple[int, str]:
    return address.order


def _because(code: str, text: str, *evidence: Evidence) -> Reason:
    return Reason(code=code, text=text, evidence=evidence)


def _machinery(node: Node) -> Found:
    vmd = any(function.driver == "vmd" for function in node.functions)
    for function in node.functions:
        what = _PLATFORM.get(function.class_id[:4])
        if is_bridge(function):
            yield function.address, _because(BRIDGE, "it is a bridge", class_said(function))
        elif what is not None:
            yield function.address, _because(PLATFORM, f"it is {what}", class_said(function))
        if pci_id(function) in _WATCHDOGS:
            yield function.address, _because(WATCHDOG, _HANGS, id_said(function))
        if function.driver == "vmd":
            yield (
                function.address,
                _because(VMD, "it is an Intel VMD controller, which drives disks", driver_said(function)),
            )
        elif vmd and _domain(function.address) > 0xFFFF:
            yield (
                function.address,
                _because(VMD, "it stands behind an Intel VMD controller, in its group", id_said(function)),
            )


def _watchdogs(node: Node) -> Found:
    found = data(node.report.watchdog)
    for device in () if found is None else found.devices:
        function = node.at.get(device.function) if device.function is not None else None
        # Those known by their ID are watchdogs with and without a driver.
        if function is not None and device.hardware and pci_id(function) not in _WATCHDOGS:
            path = f"sys/class/watchdog/{device.name}/identity"
            said = Evidence(path=path, said=device.identity or "a watchdog")
            yield function.address, _because(WATCHDOG, _HANGS, said)


def _domain(address: PciAddress) -> int:
    return int(address.partition(":")[0], 16)


def _consoles(node: Node) -> Found:
    firmware = data(node.report.firmware)
    shown = None if firmware is None else firmware.console.boot_vga
    frame = None if firmware is None else next((one for one in firmware.console.displays if one.name == "fb0"), None)
    for function in node.functions:
        if not in_classes(function.class_id, ("03",)):
            continue
        path = file_of(function.address, "boot_vga")
        if pci_id(function) in _BMC_DISPLAYS:
            yield function.address, _because(BMC, "it shows the remote console of the BMC", id_said(function))
        if function.address == shown or (function.detail is not None and function.detail.boot_vga):
            yield function.address, _because(CONSOLE, "firmware shows the console on it", Evidence(path=path, said="1"))
        # A second display's framebuffer shows nothing that is not on the first.
        elif frame is not None and frame.function == function.address:
            said = Evidence(path="sys/class/graphics/fb0/name", said=frame.driver or "a framebuffer")
            yield function.address, _because(CONSOLE, "the first framebuffer is on it", said)
        elif firmware is None and function.detail is None and function.class_id.startswith("0300"):
            unread = Evidence(path=path, said="not read")
            yield function.address, _because(UNKNOWN, "it is not known whether it shows the console", unread)


def _storage(node: Node) -> Found:
    found = data(node.report.storage)
    if found is None or not (found.mounts_known or found.disks):
        path = "storage" if found is None else "proc/1/mountinfo"
        yield from _suspected(_driven(node, _STORAGE_CLASSES), "what is stored on it", path)
    if found is None:
        return
    for address, uses in storage.protected(found).items():
        yield address, _because(STORAGE, f"it carries {', '.join(uses)}", *_storage_said(found, address))


def _storage_said(found: storage.Storage, address: PciAddress) -> Iterator[Evidence]:
    for use in found.uses:
        if address in use.carriers.functions:
            path = "proc/swaps" if use.kind == storage.SWAP else "proc/1/mountinfo"
            way = " on ".join((use.what, *(use.carriers.chain or (use.source,)), address))
            yield Evidence(path=path, said=way)
    for disk in found.disks:
        if address in disk.functions and disk.held_by:
            yield Evidence(path=f"sys/block/{disk.name}/holders", said=", ".join(disk.held_by))
    for use in found.uses:
        if use.carriers.unresolved:
            yield Evidence(path="proc/1/mountinfo", said=f"{use.what}: {'; '.join(use.carriers.unresolved)}")


def _network(node: Node) -> Found:
    found = data(node.report.network)
    if found is None or not found.routes_known:
        path = "network" if found is None else "proc/net/route"
        # A link that is down has nothing to carry.
        down = {link.function for link in found.links if link.operstate == "down"} if found is not None else set()
        able = tuple(function for function in _driven(node, _NETWORK_CLASSES) if function.address not in down)
        yield from _suspected(able, "which routes it carries", path)
    if found is None:
        return
    under: dict[PciAddress, list[Evidence]] = {}
    for link in found.links:
        for address in link.functions:
            under.setdefault(address, []).extend(_link_said(link.name, found))
    for address, reasons in network.protected(found).items():
        yield address, _because(NETWORK, f"it carries {'; '.join(reasons)}", *under.get(address, ()))


def _link_said(name: str, found: network.Network) -> Iterator[Evidence]:
    link = next(link for link in found.links if link.name == name)
    if link.carries_default_route:
        yield Evidence(path="proc/net/route", said=f"default route through {name}")
    elif link.carries_routes:
        yield Evidence(path="proc/net/route", said=f"routes through {name}")
    if link.master is not None:
        yield Evidence(path=f"sys/class/net/{name}/master", said=link.master)


def _driven(node: Node, classes: tuple[str, ...]) -> tuple[PciFunction, ...]:
    """Functions of these classes that a driver of the host makes use of."""
    return tuple(
        function
        for function in node.functions
        if in_classes(function.class_id, classes) and function.driver is not None and not lets_go(function.driver)
    )


def _suspected(functions: tuple[PciFunction, ...], what: str, path: str) -> Found:
    for function in functions:
        said = Evidence(path=path, said="not read")
        yield function.address, _because(UNKNOWN, f"it is not known {what}", said)


def _virtual(node: Node) -> Found:
    found, links = data(node.report.sriov), data(node.report.network)
    if found is None:
        return
    for physical in found.physical_functions:
        if physical.num_vfs:
            said = Evidence(path=file_of(physical.address, "sriov_numvfs"), said=str(physical.num_vfs))
            yield physical.address, _because(VFS, f"{physical.num_vfs} virtual functions stand on it", said)
    here = {link.function for link in links.links} if links is not None else set()
    for virtual in found.virtual_functions:
        function = node.at.get(virtual.address)
        if function is None or function.driver is None or not in_classes(function.class_id, _NETWORK_CLASSES):
            continue
        if links is not None and virtual.address not in here and not lets_go(function.driver):
            text = "its network interface is in another network namespace: a pod uses it"
            said = Evidence(path=file_of(virtual.address, "net"), said="no link of this namespace")
            yield virtual.address, _because(NAMESPACE, text, driver_said(function), said)


def _unassignable(node: Node) -> Found:
    vfio = data(node.report.vfio)
    allowed = vfio is not None and vfio.parameters.disable_denylist is True
    for function in node.functions:
        if pci_id(function) in DENYLIST and not allowed:
            text = "vfio-pci refuses it: its ID is on the kernel's list of devices that are unsafe to give away"
            yield function.address, _because(REFUSED_ID, text, id_said(function))
    for group in node.groups.values():
        for region in group.reserved_regions or ():
            if region.type == "direct":
                path = f"sys/kernel/iommu_groups/{group.number}/reserved_regions"
                said = Evidence(path=path, said=f"{region.start} {region.end} direct")
                for address in group.members:
                    yield address, _because(RESERVED, "firmware keeps memory of its own mapped for it", said)


def _guests(node: Node) -> Found:
    """Every function of a group that a guest has open, the ones it does not use too."""
    vfio = data(node.report.vfio)
    for bound in () if vfio is None else vfio.bound:
        function = node.at.get(bound.address)
        if function is None or not bound.held_by:
            continue
        path = f"dev/vfio/{function.iommu_group}"
        reason = _because(GUEST, f"a guest holds it: {', '.join(bound.held_by)} has {path} open", driver_said(function))
        yield function.address, reason
        for other in node.companions(function):
            if not is_bridge(other):
                text = f"a guest holds its IOMMU group: {', '.join(bound.held_by)} has {path} open"
                yield other.address, _because(GUEST, text, driver_said(function))


def _groups(node: Node, found: dict[PciAddress, list[Reason]]) -> Found:
    """What a protected member, or one that keeps the kernel from giving the group away, makes of the others."""
    for function in node.functions:
        if is_bridge(function):
            continue
        # What is not known of a machine is not known of all: that its companions are suspected too is no news of a function.
        own = {(reason.code, reason.text) for reason in found.get(function.address, ())}
        for other in node.companions(function):
            reasons = found.get(other.address, ())
            why = reasons[0] if reasons and not is_bridge(other) else None
            if why is not None and (why.code, why.text) in own:
                continue
            if is_bridge(other) and other.driver is not None and not lets_go(other.driver):
                why = _because(BRIDGE, f"it is a bridge that {other.driver} drives", driver_said(other))
            if why is not None and why.code not in (RESERVED, GUEST):
                path = file_of(other.address, "iommu_group")
                said = Evidence(path=path, said=str(other.iommu_group))
                text = f"it shares IOMMU group {other.iommu_group} with {other.address}, and {why.text}"
                yield function.address, _because(GROUP, text, said, *why.evidence)


def _strangers(node: Node) -> Found:
    """Members of a group that are no functions anybody could read: platform devices with a driver, and odd functions."""
    vfio = data(node.report.vfio)
    blockers = {} if vfio is None else {verdict.number: verdict.blockers for verdict in vfio.groups}
    for function in node.functions:
        number = node.group(function)
        if number is None or is_bridge(function):
            continue
        path = f"sys/kernel/iommu_groups/{number}/devices"
        held = {str(blocker.address): f"which {blocker.driver} drives" for blocker in blockers.get(number, ())}
        unread = {str(member): "which could not be read" for member in node.members(number)}
        for name, why in sorted((unread | held).items()):
            if name not in node.at:
                text = f"it shares IOMMU group {number} with {name}, {why}"
                yield function.address, _because(GROUP, text, Evidence(path=path, said=name))
