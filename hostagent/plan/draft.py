"""A first profile for a node: what it could offer, what stays and why, as comments. It asks for nothing until somebody does.

Lines with one # are entries to be had by taking the # and the blank behind it away; lines with two are remarks.
"""

from __future__ import annotations

from hostagent.assess.node import Node, data, pci_id
from hostagent.assess.protected import protections
from hostagent.assess.reasons import Reason
from hostagent.host.os_release import OsRelease
from hostagent.host.pci import PciFunction
from hostagent.platforms import PLATFORMS
from hostagent.report import NodeReport
from hostagent.values.kubevirt import resource_name_fault, socket_fault, variable
from hostagent.values.pci import PciAddress, in_classes
from hostagent.values.size import kernel_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Storage, network, display, multimedia, co-processors, USB, Fibre Channel, InfiniBand, crypto, accelerators.
_OFFERED = ("01", "02", "03", "04", "0b", "0c03", "0c04", "0c06", "10", "12")
_DOMAINS = {"10de": "nvidia.com", "1002": "amd.com", "1022": "amd.com", "8086": "intel.com", "15b3": "mellanox.com"}
_DEVICES = "devices.example.com"  # reserved for examples: a domain of one's own belongs there
# A card's virtual functions are dozens, all alike.
_SHOWN = 8
_SUSE = ("suse", "sles", "opensuse")
_NEWEST_BUTANE = PLATFORMS["fcos"].versions[-1].name


def draft(name: str, report: NodeReport) -> str:
    """The text of a profile that read_profile takes."""
    node = Node(name, report)
    lines = [
        f"## What {_printable(name)} is to offer. Nothing is asked for yet: lines with one # are entries,",
        "## to be had by taking the # and the blank behind it away. See docs/profile.md.",
        *_platform(node),
        "",
        *_devices(node),
        "",
        *_iommu(node),
        "",
        *_hugepages(node),
        "",
        *_watchdog(node),
        "",
        *_nested(node),
    ]
    return "\n".join(lines) + "\n"


def _platform(node: Node) -> Iterator[str]:
    kernel = data(node.report.kernel)
    system = None if kernel is None else kernel.os
    name, version = (None, None) if system is None else _recognised(system)
    yield "platform:"
    if name is None:
        yield f"  ## os-release names none of {', '.join(PLATFORMS)}: choose"
    yield f"  name: {name or 'rhel'}"
    if version is not None:
        yield f"  version: {version}"
    if name is not None and PLATFORMS[name].role is not None:
        yield f"  role: {PLATFORMS[name].role}"


def _recognised(system: OsRelease) -> tuple[str | None, str | None]:
    names = (system.id or "", *system.id_like)
    coreos = system.variant_id == "coreos"
    if system.id == "rhcos" or system.openshift_version is not None:
        return "openshift", _known("openshift", system.openshift_version or system.version_id)
    if "fedora" in names and coreos:
        return "fcos", _NEWEST_BUTANE
    for name in ("ubuntu", "debian"):
        if name in names:
            return name, None
    if any(known in names for known in _SUSE):
        return "suse", None
    return ("rhel", None) if {"rhel", "fedora", "centos"} & set(names) else (None, None)


def _known(name: str, version: str | None) -> str:
    row = PLATFORMS[name]
    short = ".".join((version or "").split(".")[: row.parts])
    return (row.version(short) or row.versions[-1]).name


def _devices(node: Node) -> Iterator[str]:
    stays = dict(protections(node))
    for function in node.functions if not node.groups else ():
        # What a group that is only expected will keep.
        kept = next((stays[other.address] for other in node.along(function) if other.address in stays), None)
        if kept is not None:
            stays.setdefault(function.address, kept)
    kin: dict[tuple[str, str], list[PciFunction]] = {}
    for function in node.functions:
        if in_classes(function.class_id, _OFFERED) and not _part(node, function, stays):
            kin.setdefault((pci_id(function), function.class_id[:4]), []).append(function)
    yield "devices:"
    if not kin:
        yield "  ## There is nothing that could be handed to a guest."
    named: dict[str, str] = {}
    for (identity, _), functions in kin.items():
        yield from _entry(node, identity, functions, stays, named)


def _part(node: Node, function: PciFunction, stays: dict[PciAddress, tuple[Reason, ...]]) -> bool:
    """Whether it comes along with the first function of its card anyway."""
    first = PciAddress(f"{function.address.slot}.0")
    shared = {other.address for other in node.along(function)}
    return first in shared and first not in stays and in_classes(node.at[first].class_id, _OFFERED)


def _entry(
    node: Node,
    identity: str,
    functions: list[PciFunction],
    stays: dict[PciAddress, tuple[Reason, ...]],
    named: dict[str, str],
) -> Iterator[str]:
    free = [function for function in functions if function.address not in stays]
    title = _title(node, functions[0])
    for function in functions[:_SHOWN]:
        group = node.group(function)
        where = f"{function.address}{'' if group is None else f', IOMMU group {group}'}"
        reasons = stays.get(function.address, ())
        yield f"  ## {title} at {where}{f' stays: {reasons[0].text}' if reasons else ''}"
        along = [other.address for other in node.along(function)] if not reasons else []
        if along:
            yield f"  ##   brings along: {', '.join(along)}"
    if len(functions) > _SHOWN:
        yield f"  ## and {len(functions) - _SHOWN} more {identity}"
    if free:
        yield f"#   - id: {identity}"
        alike = [one for one in node.functions if pci_id(one) == identity]
        kind = functions[0].class_id[:4]
        if any(one.class_id[:4] != kind for one in alike):
            # The bridges of a PCIe switch and its management endpoint have one ID.
            yield f"#     class: {kind}"
        if len(free) < sum(one.class_id[:4] == kind for one in alike):
            yield f"#     count: {len(free)}"
        if identity not in named:
            named[identity] = _resource(node, functions[0], named)
        yield f"#     resourceName: {named[identity]}"


def _title(node: Node, function: PciFunction) -> str:
    vendor, device = _names(node, function)
    return _printable(" ".join(part for part in (pci_id(function), vendor, device) if part))


def _printable(text: str) -> str:
    """Without what YAML takes in no comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _names(node: Node, function: PciFunction) -> tuple[str | None, str | None]:
    pci = data(node.report.pci)
    for name in () if pci is None else pci.names:
        if (name.vendor_id, name.device_id) == (function.vendor_id, function.device_id):
            return name.vendor, name.device
    return None, None


def _resource(node: Node, function: PciFunction, named: dict[str, str]) -> str:
    """A name from pci.ids that Kubernetes takes and no other ID has: `TU104GL [Tesla T4]` is TU104GL_Tesla_T4."""
    domain = _DOMAINS.get(function.vendor_id, _DEVICES)
    plain = f"{function.vendor_id}_{function.device_id}"
    spoken = _names(node, function)[1] or plain
    word = "_".join("".join(letter if letter.isascii() and letter.isalnum() else " " for letter in spoken).split())
    name = f"{domain}/{word}"
    taken = {variable(other) for other in named.values()}
    return (
        f"{domain}/{plain}"
        if (resource_name_fault(name) or socket_fault(name)) is not None or variable(name) in taken
        else name
    )


def _iommu(node: Node) -> Iterator[str]:
    found = data(node.report.iommu)
    if found is not None:
        now = f"on, {len(found.groups)} groups" if found.enabled else f"off ({found.reason})"
        yield f"## The IOMMU is {now}. Devices that are handed over switch it on; pt lets the host's own pass through."
    yield "# iommu:"
    yield "#   mode: on"


def _hugepages(node: Node) -> Iterator[str]:
    found, memory = data(node.report.hugepages), data(node.report.memory)
    sizes = () if found is None else found.supported_sizes or ()
    total = None if memory is None else memory.total
    yield (
        f"## Sizes: {', '.join(kernel_size(size) for size in sizes) or 'none known'}. "
        f"Memory: {'not known' if total is None else f'{total >> 20} MiB'}."
    )
    pools = [pool for pool in (() if found is None else found.pools) if pool.total and pool.numa_node is None]
    shown = [(pool.page_size, pool.total) for pool in pools] or [(size, 1) for size in sizes[:1]]
    if pools:
        yield "## There now:"
    if shown:
        yield "# hugepages:"
        yield "#   pools:"
    for size, count in shown:
        yield f"#     - {{size: {kernel_size(size)}, count: {count}}}"


def _watchdog(node: Node) -> Iterator[str]:
    found = data(node.report.watchdog)
    devices = () if found is None else found.devices
    for device in devices:
        yield f"## /dev/{device.name}: {device.identity or 'unnamed'}{'' if device.hardware is not False else ', software only'}"
    real = [device for device in devices if device.hardware is not False]
    if not real:
        yield "## No hardware watchdog shows: if there is one, name its driver (iTCO_wdt, i6300esb, sp5100_tco ...)."
    yield "# watchdog:"
    yield "#   runtimeTimeout: 30s"
    if not real:
        yield "#   module: softdog"


def _nested(node: Node) -> Iterator[str]:
    found = data(node.report.kvm)
    now = None if found is None else found.nested
    if now is not None:
        yield f"## Guests can{'' if now else 'not'} run guests now."
    yield f"# nestedVirtualization: {'false' if now is False else 'true'}"
