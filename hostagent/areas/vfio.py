"""VFIO: the modules that give devices to guests, what they were asked to take, and what each IOMMU group would allow.

    /sys/class/vfio/                17              groups vfio holds; noiommu-0 in unsafe no-IOMMU mode
    /sys/class/misc/{vfio,iommu}    the container node and the iommufd node (/dev/vfio/vfio, /dev/iommu)
    /sys/module/<module>/parameters/<name>
    modprobe.d, modules-load.d, /proc/cmdline: see hostagent.host.modprobe; what is bound: hostagent.host.bound

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
from hostagent.host.modules import BUILT_IN, state, switch
from hostagent.host.overrides import overrides
from hostagent.host.pci import PciFunction, functions
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
class Parameters:
    """Switches as they are now; None where the module is not in the kernel, or too old to have it.

    `unsafe_interrupts`: vfio_iommu_type1.allow_unsafe_interrupts. `noiommu`: vfio.enable_unsafe_noiommu_mode. The others
    are vfio_pci's of the same name.
    """

    unsafe_interrupts: bool | None
    noiommu: bool | None
    disable_denylist: bool | None
    disable_idle_d3: bool | None
    disable_vga: bool | None
    enable_sriov: bool | None
    nointxmask: bool | None


@record
class IdRequest:
    """`ids=` given to vfio-pci in one place. IDs in the spelling of hostagent.values.vfio.

    `effective`: whether vfio-pci hears it when it starts: the last one given counts, and a built-in module hears the
    command line only. It says nothing of a vfio-pci that was loaded before the file was written.
    """

    source: str
    line: int | None
    ids: tuple[str, ...]
    effective: bool


@record
class Blocker:
    """A member whose driver keeps its group. `address`: a PCI address, or a platform device's name."""

    address: str
    driver: str


@record
class GroupVerdict:
    """Whether the kernel would give a group to a guest now, as far as drivers go; `direct` as in the iommu area."""

    number: int
    viable: bool
    blockers: tuple[Blocker, ...]
    direct: bool | None


@record
class IdCount:
    """Functions of one ID and class: all, those on a vfio driver, and those that could go to a guest as things are.

    Assignable: no bridge, free or on a vfio driver, in a viable group without direct regions.
    """

    vendor_id: str
    device_id: str
    class_id: str
    total: int
    bound: int
    assignable: int


@record
class Vfio:
    """State of the modules is built-in, loaded, available, absent; None where the root does not say.

    `directives`: configuration that names a vfio module, the administrator's own blacklist and install lines (those below
    /etc and /run, and of the command line), and what binds addresses to vfio-pci at boot (`override`, hostagent.host.overrides).
    `vgpus`: functions on no vfio driver that can be given away all the same. `group_nodes`: names in /sys/class/vfio.
    """

    vfio_pci: str | None
    vfio: str | None
    vfio_iommu_type1: str | None
    iommufd: str | None
    parameters: Parameters
    container_node: bool
    iommufd_node: bool
    group_nodes: tuple[str, ...]
    id_requests: tuple[IdRequest, ...]
    directives: tuple[Directive, ...]
    bound: tuple[BoundFunction, ...]
    vgpus: tuple[VendorVgpu, ...]
    groups: tuple[GroupVerdict, ...]
    counts: tuple[IdCount, ...]


def probe(reader: Reader) -> Vfio:
    """Modules, requests, bindings and verdicts."""
    found = functions(reader)
    states = {module: state(reader, module) for module in _MODULES}
    verdicts = _verdicts(reader, found)
    return Vfio(
        **states,
        parameters=_parameters(reader),
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


def _parameters(reader: Reader) -> Parameters:
    return Parameters(
        unsafe_interrupts=switch(reader, "vfio_iommu_type1", "allow_unsafe_interrupts"),
        noiommu=switch(reader, "vfio", "enable_unsafe_noiommu_mode"),
        disable_denylist=switch(reader, "vfio_pci", "disable_denylist"),
        disable_idle_d3=switch(reader, "vfio_pci", "disable_idle_d3"),
        disable_vga=switch(reader, "vfio_pci", "disable_vga"),
        enable_sriov=switch(reader, "vfio_pci", "enable_sriov"),
        nointxmask=switch(reader, "vfio_pci", "nointxmask"),
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
