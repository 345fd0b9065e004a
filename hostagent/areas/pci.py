"""PCI functions: what is plugged in, and which driver holds it.

Read by `hostagent.host.pci`, which other areas share. Names come from the pci.ids of the host (hostagent.values.pciids).
"""

from __future__ import annotations

from hostagent.area import Area, LabelDoc, LabelOptions, Metric, Sample
from hostagent.host import Reader
from hostagent.host.buses import PciBus, buses
from hostagent.host.pci import PciFunction, functions
from hostagent.values.pci import in_classes
from hostagent.values.pciids import names
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PCI_IDS = ("usr/share/hwdata/pci.ids", "usr/share/misc/pci.ids")


@record
class PciName:
    """Names of one vendor:device:class combination on this host, out of its pci.ids."""

    vendor_id: str
    """Vendor ID of the functions that are named, 4 lower-case hex digits."""
    device_id: str
    """Their device ID, 4 lower-case hex digits."""
    class_id: str
    """Their class code, 6 lower-case hex digits."""
    vendor: str | None
    """Name of the vendor, as in NVIDIA Corporation. Null where pci.ids does not list it."""
    device: str | None
    """Name of the device, as in TU104GL [Tesla T4]. Null where pci.ids does not list it."""
    class_name: str | None
    """Name of the subclass, else of the base class, as in 3D controller. Null where pci.ids lists neither."""


@record
class Pci:
    """PCI functions, their names, and the buses they are on."""

    functions: tuple[PciFunction, ...]
    """Every function, in order of address; sys/bus/pci/devices."""
    names: tuple[PciName, ...]
    """A row for each vendor:device:class among them, out of usr/share/hwdata/pci.ids or usr/share/misc/pci.ids; empty
    where the host has neither."""
    detailed: bool
    """Whether the functions' `detail` was read: not on machines of more than 1,024 functions."""
    buses: tuple[PciBus, ...] | None
    """Every bus that has functions and whose place sysfs tells, in order of name. Null only in what was a report of
    schema_version 1."""


def probe(reader: Reader) -> Pci:
    """Every function, with names."""
    found = functions(reader)
    return Pci(
        functions=found,
        names=_names(reader, found),
        detailed=any(function.detail is not None for function in found),
        buses=buses(reader),
    )


def _names(reader: Reader, found: tuple[PciFunction, ...]) -> tuple[PciName, ...]:
    keys = sorted({(function.vendor_id, function.device_id, function.class_id) for function in found})
    for path in _PCI_IDS:
        known = reader.kept(path)
        missing = [key for key in keys if key not in known]
        book = reader.raw(path) if missing else None
        if book is not None:
            known.update(names(book, missing))
        if book is not None or not missing:
            return tuple(_name(key, known[key]) for key in keys)
    return ()


def _name(key: tuple[str, str, str], named: tuple[str | None, str | None, str | None]) -> PciName:
    (vendor_id, device_id, class_id), (vendor, device, class_name) = key, named
    return PciName(
        vendor_id=vendor_id,
        device_id=device_id,
        class_id=class_id,
        vendor=vendor,
        device=device,
        class_name=class_name,
    )


def _counted(pci: Pci, options: LabelOptions) -> dict[str, list[PciFunction]]:
    chosen: dict[str, list[PciFunction]] = {}
    for function in pci.functions:
        if in_classes(function.class_id, options.pci_classes):
            chosen.setdefault(f"pci-{function.vendor_id}-{function.device_id}", []).append(function)
    return chosen


def labels(pci: Pci, options: LabelOptions) -> Iterator[tuple[str, str]]:
    """How many functions of each ID there are."""
    for key, members in sorted(_counted(pci, options).items()):
        yield f"{key}.count", str(len(members))


_LABELS = (
    LabelDoc(
        key="pci-<vendor>-<device>.count",
        values="a number",
        meaning="PCI functions with this ID (hex), of the classes configured",
    ),
)

_INFO = Metric(
    name="hostagent_pci_device_info",
    help="A PCI function: identity that does not change while it is plugged in. Always 1.",
    labels=(
        "address",
        "vendor_id",
        "device_id",
        "subsystem_vendor_id",
        "subsystem_device_id",
        "class_id",
        "numa_node",
    ),
)
_DRIVER = Metric(
    name="hostagent_pci_device_driver_info",
    help="Driver and IOMMU group of a PCI function that has either. Always 1.",
    labels=("address", "driver", "iommu_group"),
)


def _said(value: object) -> str:
    return "" if value is None else str(value)


def samples(pci: Pci) -> Iterator[Sample]:
    """Identity and binding in families of their own, so that a rebind churns the small one."""
    for function in pci.functions:
        identity = (
            function.address,
            function.vendor_id,
            function.device_id,
            _said(function.subsystem_vendor_id),
            _said(function.subsystem_device_id),
            function.class_id,
            _said(function.numa_node),
        )
        yield Sample(metric=_INFO, labels=identity, value=1)
        if function.driver is not None or function.iommu_group is not None:
            binding = (function.address, _said(function.driver), _said(function.iommu_group))
            yield Sample(metric=_DRIVER, labels=binding, value=1)


def _unseen(pci: Pci) -> Iterator[str]:
    if pci.buses is None:
        yield "the bridges above each function, which tell equal cards apart: `hostagent probe -o json` of this version looks"


AREA = Area(
    name="pci",
    about="PCI functions, their IDs, drivers and names",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_INFO, _DRIVER),
    guard=None,
    unseen=_unseen,
)
