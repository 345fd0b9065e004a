"""VFIO: the modules that give devices to guests, what they were asked to take, and what each IOMMU group would allow.

    /sys/class/vfio/                17              groups vfio holds; noiommu-0 in unsafe no-IOMMU mode
    /sys/class/misc/{vfio,iommu}    the container node and the iommufd node (/dev/vfio/vfio, /dev/iommu)
    modprobe.d, modules-load.d, /proc/cmdline: see hostagent.host.modprobe; what is bound: hostagent.host.bound; switches of
    the modules: hostagent.host.vfio

Documentation/driver-api/vfio.rst. `ids` itself cannot be read back: the parameter has no file. The kernel gives a group
away if every member is driverless or held by a driver that lets go of it (hostagent.values.vfio); of the others,
each is a blocker. Groups that vfio made up for no-IOMMU mode isolate nothing and have no verdict.
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelDoc, LabelOptions, Metric, Sample
from hostagent.host import Reader
from hostagent.host.bound import BoundFunction, VendorVgpu, bound_functions, vendor_vgpus
from hostagent.host.groups import GROUPS, NOIOMMU, IommuGroup, groups
from hostagent.host.modprobe import Directive, directives, loads, options
from hostagent.host.modules import BUILT_IN, state
from hostagent.host.overrides import overrides
from hostagent.host.pci import PciFunction, functions
from hostagent.host.vfio import Parameters, parameters
from hostagent.values.blanks import fields
from hostagent.values.pci import PciAddress, in_classes
from hostagent.values.record import record
from hostagent.values.vfio import is_vfio_driver, lets_go, parse_ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MODULES = ("vfio_pci", "vfio", "vfio_iommu_type1", "iommufd")
_BRIDGES = ("06",)


@record
class IdRequest:
    """`ids=` given to vfio-pci in one place."""

    source: str
    """The file relative to the root, or proc/cmdline."""
    line: int | None
    """Line of the file, the first one where backslashes join several. Null for proc/cmdline, which has no lines."""
    ids: tuple[str, ...]
    """IDs as vendor:device, with subsystem, class and class mask behind where given; lower-case hex with leading
    zeros."""
    effective: bool
    """Whether vfio-pci hears it when it starts: the last one given counts, and a built-in module hears proc/cmdline
    only. It says nothing of a vfio-pci that was loaded before the file was written."""


@record
class Blocker:
    """A member whose driver keeps its group."""

    address: str
    """PCI address of the member, or the name of a platform device."""
    driver: str
    """Driver that it is bound to, which is none that lets go of the group."""


@record
class GroupVerdict:
    """Whether the kernel would give a group to a guest now."""

    number: int
    """Number of the IOMMU group; sys/kernel/iommu_groups/<number>."""
    viable: bool
    """Whether no driver of a member is in the way: each has none, or one of vfio's, pcieport or pci-stub."""
    blockers: tuple[Blocker, ...]
    """Members whose driver is in the way."""
    direct: bool | None
    """As `direct` of the group in `iommu.data.groups`. Null where its reserved regions are."""


@record
class IdCount:
    """How many functions of one ID and class there are."""

    vendor_id: str
    """Vendor ID, 4 lower-case hex digits."""
    device_id: str
    """Device ID, 4 lower-case hex digits."""
    class_id: str
    """Class code, 6 lower-case hex digits."""
    total: int
    """Functions there are."""
    bound: int
    """Those that a vfio driver holds."""
    assignable: int
    """Those that could go to a guest as things are: no bridge, without driver or on a vfio driver, in a viable group
    without direct regions."""


@record
class Vfio:
    """The modules that give devices to guests, what they were asked to take, and what each group would allow."""

    vfio_pci: str | None
    """State of the module: built-in, loaded, available (a file of the running release holds it) or absent;
    proc/modules, sys/module, modules.dep. Null where it is not in the kernel and the root has no modules.dep."""
    vfio: str | None
    """State of the module, as `vfio_pci`. Null where it is not in the kernel and the root has no modules.dep."""
    vfio_iommu_type1: str | None
    """State of the module, as `vfio_pci`. Null where it is not in the kernel and the root has no modules.dep."""
    iommufd: str | None
    """State of the module, as `vfio_pci`. Null where it is not in the kernel and the root has no modules.dep."""
    parameters: Parameters
    """Switches of the modules."""
    container_node: bool
    """Whether /dev/vfio/vfio is registered; sys/class/misc/vfio."""
    iommufd_node: bool
    """Whether /dev/iommu is registered; sys/class/misc/iommu."""
    group_nodes: tuple[str, ...]
    """Names in sys/class/vfio: numbers of the groups that vfio holds, noiommu-0 and its like without an IOMMU."""
    id_requests: tuple[IdRequest, ...]
    """Each ids= of vfio-pci in modprobe.d and proc/cmdline, in the order they apply."""
    directives: tuple[Directive, ...]
    """Lines of configuration that name a vfio module, the administrator's own blacklist and install lines (those below
    etc and run, and of proc/cmdline), and what binds addresses to vfio-pci at boot."""
    bound: tuple[BoundFunction, ...]
    """Functions that a vfio driver holds, in order of address."""
    vgpus: tuple[VendorVgpu, ...]
    """Functions on NVIDIA's driver that can go to guests as they are, in order of address."""
    groups: tuple[GroupVerdict, ...]
    """A verdict for each IOMMU group, in order of number; none for those that vfio made up without an IOMMU."""
    counts: tuple[IdCount, ...]
    """Functions by ID and class, in that order."""


def probe(reader: Reader) -> Vfio:
    """Modules, requests, bindings and verdicts."""
    found = functions(reader)
    states = {module: state(reader, module) for module in _MODULES}
    verdicts = _verdicts(reader, found)
    return Vfio(
        **states,
        parameters=parameters(reader),
        container_node=reader.exists("sys/class/misc/vfio"),
        iommufd_node=reader.exists("sys/class/misc/iommu"),
        group_nodes=reader.names("sys/class/vfio"),
        id_requests=_id_requests(reader, built_in=states["vfio_pci"] == BUILT_IN),
        directives=tuple(line for line in (*directives(reader), *loads(reader), *overrides(reader)) if _concerns(line)),
        bound=bound_functions(reader),
        vgpus=vendor_vgpus(reader),
        groups=verdicts,
        counts=_counts(found, verdicts),
    )


def _id_requests(reader: Reader, *, built_in: bool) -> tuple[IdRequest, ...]:
    asked = [option for option in options(reader, "vfio_pci") if option.name == "ids"]
    heard = [option for option in asked if not built_in or option.line is None]
    found = []
    for option in asked:
        ids, wrong = parse_ids(option.value or "")
        for item in wrong:
            reader.malformed(option.source, "ids= of the form vendor:device", item)
        effective = bool(heard) and option is heard[-1]
        found.append(IdRequest(source=option.source, line=option.line, ids=ids, effective=effective))
    return tuple(found)


def _concerns(line: Directive) -> bool:
    words = (line.module, *fields(line.arguments.replace("-", "_"))) if line.command != "alias" else ()
    if any(word.startswith("vfio") or word == "iommufd" for word in words):
        return True
    # The distribution's own lists (framebuffers, obsolete protocols) are long and say nothing about passthrough.
    return line.command in ("blacklist", "install") and line.source.startswith(("etc/", "run/", "proc/"))


def _verdicts(reader: Reader, found: tuple[PciFunction, ...]) -> tuple[GroupVerdict, ...]:
    drivers = {function.address: function.driver for function in found}
    # Thousands of functions have a few drivers between them: each is judged once.
    host = frozenset(driver for driver in set(drivers.values()) if driver is not None and not lets_go(driver))
    return tuple(_verdict(reader, group, drivers, host) for group in groups(reader) if group.name != NOIOMMU)


def _verdict(
    reader: Reader, group: IommuGroup, drivers: dict[PciAddress, str | None], host: frozenset[str]
) -> GroupVerdict:
    blockers = [
        Blocker(address=address, driver=driver) for address in group.members if (driver := drivers.get(address)) in host
    ]
    # Platform devices, and functions too odd for the list of functions: their drivers count all the same.
    for name in (*[address for address in group.members if address not in drivers], *group.others):
        driver = reader.target(f"{GROUPS}/{group.number}/devices/{name}/driver")
        if driver and not lets_go(driver):
            blockers.append(Blocker(address=name, driver=driver))
    return GroupVerdict(number=group.number, viable=not blockers, blockers=tuple(blockers), direct=group.direct)


def _counts(found: tuple[PciFunction, ...], verdicts: tuple[GroupVerdict, ...]) -> tuple[IdCount, ...]:
    open_groups = frozenset(verdict.number for verdict in verdicts if verdict.viable and not verdict.direct)
    handed_over = frozenset(
        driver for driver in {f.driver for f in found} if driver is not None and is_vfio_driver(driver)
    )
    tally: dict[tuple[str, str, str], list[int]] = {}
    for function in found:
        numbers = tally.setdefault((function.vendor_id, function.device_id, function.class_id), [0, 0, 0])
        bound = function.driver in handed_over
        free = function.driver is None or bound
        numbers[0] += 1
        numbers[1] += bound
        numbers[2] += free and function.iommu_group in open_groups and not in_classes(function.class_id, _BRIDGES)
    return tuple(
        IdCount(
            vendor_id=vendor_id, device_id=device_id, class_id=class_id, total=total, bound=bound, assignable=assignable
        )
        for (vendor_id, device_id, class_id), (total, bound, assignable) in sorted(tally.items())
    )


def labels(vfio: Vfio, chosen: LabelOptions) -> Iterator[tuple[str, str]]:
    """For each ID how many functions are bound to a vfio driver."""
    sums: dict[str, int] = {}
    for count in vfio.counts:
        if in_classes(count.class_id, chosen.pci_classes):
            key = f"pci-{count.vendor_id}-{count.device_id}.vfio"
            sums[key] = sums.get(key, 0) + count.bound
    yield from ((key, str(bound)) for key, bound in sorted(sums.items()))


_LABELS = (
    LabelDoc(
        key="pci-<vendor>-<device>.vfio",
        values="a number",
        meaning="functions with this ID (hex) that a vfio driver holds, of the classes configured",
    ),
)

_BOUND = Metric(name="hostagent_vfio_bound_functions", help="PCI functions held by a vfio driver.", labels=("driver",))


def samples(vfio: Vfio) -> Iterator[Sample]:
    """Bindings by driver; vfio-pci always, so that zero shows."""
    drivers = {"vfio-pci": 0}
    for function in vfio.bound:
        drivers[function.driver] = drivers.get(function.driver, 0) + 1
    for driver, number in sorted(drivers.items()):
        yield Sample(metric=_BOUND, labels=(driver,), value=number)


def _unseen(vfio: Vfio) -> Iterator[str]:
    if any(function.held_by is None for function in vfio.bound):
        yield "which processes have functions on vfio-pci open; `hostagent probe -o json` as root on the machine looks"


AREA = Area(
    name="vfio",
    about="vfio modules, what they were asked to take, what is bound, and which IOMMU groups can be given away",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_BOUND,),
    guard=Guard(
        unknown="whether a guest or a driver of the host holds its IOMMU group", classes=None, driven=False, sources=()
    ),
    unseen=_unseen,
)
