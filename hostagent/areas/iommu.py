r"""The IOMMU: whether one translates for devices, and if not, why not.

    /sys/class/iommu/               dmar0 (Intel), ivhd0 (AMD), smmu3.0x0000000009050000 (Arm), 0000:00:01.0 (virtio);
                                    an entry exists only where the kernel drives the unit
    /sys/kernel/iommu_groups/       see hostagent.host.groups
    /sys/firmware/acpi/tables/      DMAR, IVRS, IORT, VIOT: the firmware describes an IOMMU. That the file exists is
                                    enough, reading it takes root
    /proc/cmdline                   intel_iommu=, amd_iommu=, iommu=, iommu.passthrough=, intremap= ...
    /proc/interrupts                 24:  0  0  IR-PCI-MSI-0000:00:02.0  0-edge  PCIe bwctrl

Documentation/arch/x86/iommu.rst, Documentation/admin-guide/kernel-parameters.rst. Interrupt remapping shows as chips
with the prefix IR- and nowhere else: the `msi` reserved region is there with and without it, and it stays on
under intel_iommu=off.
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen, truth
from hostagent.host import Reader
from hostagent.host.cmdline import parameters
from hostagent.host.groups import NOIOMMU, IommuGroup, groups
from hostagent.values.labels import fitted
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.values.cmdline import Parameter

TABLES = "sys/firmware/acpi/tables"
_VENDOR_OF_TABLE = {"DMAR": "intel", "IVRS": "amd", "IORT": "arm", "VIOT": "virtio"}

# Reasons. All but the first say why nothing is translated.
ON = "on"
NO_TABLE = "no-firmware-table"  # ACPI describes no IOMMU: switched off in the firmware's setup, or not built in
OFF_BY_ARGUMENT = "off-by-argument"  # a kernel argument switches it off
NOT_ENABLED = "not-enabled-by-default"  # Intel: described, and this kernel wants intel_iommu=on
NOT_STARTED = "not-started"  # described and not switched off, yet the kernel drives none: its log says more
GUEST = "guest-without-iommu"  # a virtual machine that was given none
UNKNOWN = "unknown"  # no ACPI tables to be seen: not an ACPI machine, or a partial root
REASONS = (ON, NO_TABLE, OFF_BY_ARGUMENT, NOT_ENABLED, NOT_STARTED, GUEST, UNKNOWN)


@record
class Iommu:
    """Whether devices' memory access is translated and contained."""

    enabled: bool
    """Whether the kernel drives an IOMMU: sys/class/iommu has an entry, or there is a group that vfio did not make
    itself."""
    reason: str
    """on, or why none translates: no-firmware-table, off-by-argument, not-enabled-by-default, not-started,
    guest-without-iommu or unknown."""
    vendor: str | None
    """intel, amd, arm or virtio: of the unit in sys/class/iommu, where there is none of the firmware's table. Null
    where neither tells."""
    units: tuple[str, ...]
    """Names in sys/class/iommu, as in dmar0 or ivhd0: IOMMUs that the kernel drives."""
    tables: tuple[str, ...] | None
    """Which of DMAR, IVRS, IORT and VIOT stand in sys/firmware/acpi/tables. Null where no ACPI tables are to be seen
    there."""
    arguments: tuple[str, ...]
    """Kernel arguments about IOMMUs, as given in proc/cmdline."""
    default_domain: str | None
    """Type that most groups have (DMA-FQ, DMA, identity ...). Null where no group tells its own."""
    interrupt_remapping: bool | None
    """Whether the IOMMU remaps interrupts: some chip in proc/interrupts is named IR-. Null where there is no such file,
    or no IO-APIC or PCI-MSI chip in it."""
    groups: tuple[IommuGroup, ...]
    """Every IOMMU group, in order of number."""


def probe(reader: Reader) -> Iommu:
    """The groups, and what firmware, kernel and arguments say about them."""
    found = groups(reader)
    units = reader.names("sys/class/iommu")
    listing = reader.names(TABLES)
    tables = tuple(name for name in _VENDOR_OF_TABLE if name in listing) if listing else None
    given = parameters(reader) or ()
    enabled = bool(units) or any(group.name != NOIOMMU for group in found)
    vendor = _vendor(units, tables or ())
    return Iommu(
        enabled=enabled,
        reason=ON if enabled else _why_off(reader, tables, given, vendor),
        vendor=vendor,
        units=units,
        tables=tables,
        arguments=tuple(_text(parameter) for parameter in given if _concerns(parameter[0])),
        default_domain=_most(tuple(group.type for group in found if group.type and group.name != NOIOMMU)),
        interrupt_remapping=_remapping(reader),
        groups=found,
    )


def _concerns(name: str) -> bool:
    name = name.replace("-", "_")
    whole = ("iommu", "intel_iommu", "amd_iommu", "amd_iommu_intr", "intremap", "pcie_acs_override")
    return name in whole or name.startswith(("iommu.", "arm_smmu", "ivrs_"))


def _text(parameter: Parameter) -> str:
    name, value = parameter
    return name if value is None else f"{name}={value}"


def _vendor(units: tuple[str, ...], tables: tuple[str, ...]) -> str | None:
    for unit in units:
        for prefix, vendor in (("dmar", "intel"), ("ivhd", "amd"), ("smmu", "arm")):
            if unit.startswith(prefix):
                return vendor
        # virtio-iommu registers the name of the device on its own bus: a PCI address or virtio-mmio's.
        if ":" in unit or "virtio" in unit:
            return "virtio"
    return _VENDOR_OF_TABLE[tables[0]] if tables and not units else None


def _why_off(reader: Reader, tables: tuple[str, ...] | None, given: tuple[Parameter, ...], vendor: str | None) -> str:
    if tables is None:
        return GUEST if _is_guest(reader) else UNKNOWN
    if not tables:
        return GUEST if _is_guest(reader) else NO_TABLE
    switched = {name: _switch(given, name) for name in ("iommu", "intel_iommu", "amd_iommu")}
    if vendor == "intel":
        # iommu=off is heard by both x86 drivers, after intel_iommu=on too.
        if switched["iommu"] is False or switched["intel_iommu"] is False:
            return OFF_BY_ARGUMENT
        return NOT_STARTED if switched["intel_iommu"] else NOT_ENABLED
    if vendor == "amd" and (switched["iommu"] is False or switched["amd_iommu"] is False):
        return OFF_BY_ARGUMENT
    return NOT_STARTED


def _switch(given: tuple[Parameter, ...], name: str) -> bool | None:
    """What the last `on` or `off` among the values of a parameter says."""
    said = None
    for key, value in given:
        if key.replace("-", "_") == name:
            for word in (value or "").split(","):
                said = {"on": True, "off": False}.get(word, said)
    return said


def _is_guest(reader: Reader) -> bool:
    """Whether this is a virtual machine: the CPU says so (x86), or firmware names a machine only QEMU makes."""
    cpuinfo = reader.raw("proc/cpuinfo") or b""
    if b" hypervisor" in cpuinfo[: cpuinfo.find(b"\n\n")]:
        return True
    machine = reader.text("proc/device-tree/compatible") or reader.text("sys/firmware/devicetree/base/compatible")
    return "linux,dummy-virt" in (machine or "") or reader.text("sys/class/dmi/id/sys_vendor") == "QEMU"


def _most(types: tuple[str, ...]) -> str | None:
    return max(sorted(set(types)), key=types.count, default=None)


def _remapping(reader: Reader) -> bool | None:
    interrupts = reader.raw("proc/interrupts")
    if interrupts is None:
        return None
    if b" IR-" in interrupts:
        return True
    return False if b" IO-APIC" in interrupts or b" PCI-MSI" in interrupts else None


def labels(iommu: Iommu, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """What a scheduler may ask of a node before it sends a guest with devices."""
    if iommu.vendor is not None:
        yield "iommu.vendor", iommu.vendor
    if iommu.default_domain is not None:
        yield "iommu.default-domain", fitted(iommu.default_domain)
    if iommu.interrupt_remapping is not None:
        yield "iommu.interrupt-remapping", truth(iommu.interrupt_remapping)


_LABELS = (
    LabelDoc(
        key="iommu.vendor",
        values="intel, amd, arm, virtio",
        meaning="whose IOMMU it is; where none is driven, whose the firmware describes",
    ),
    LabelDoc(
        key="iommu.default-domain",
        values="DMA, DMA-FQ, identity",
        meaning="type of most groups' default domain: identity is what iommu=pt asks for",
    ),
    LabelDoc(
        key="iommu.interrupt-remapping",
        values="true, false",
        meaning="x86: the IOMMU checks devices' interrupts too, which VFIO wants before it gives a device away",
    ),
)

_GROUPS = Metric(name="hostagent_iommu_groups", help="IOMMU groups.", labels=())
_DEVICES = Metric(
    name="hostagent_iommu_group_devices",
    help="Devices in an IOMMU group; type is that of its default domain, empty where the kernel does not say.",
    labels=("group", "type"),
)
_REMAPPING = Metric(
    name="hostagent_iommu_interrupt_remapping",
    help="Whether the IOMMU remaps interrupts.",
    labels=(),
)


def samples(iommu: Iommu) -> Iterator[Sample]:
    """One series for each group, whatever the number of its members."""
    yield Sample(metric=_GROUPS, labels=(), value=len(iommu.groups))
    for group in iommu.groups:
        devices = len(group.members) + len(group.others)
        yield Sample(metric=_DEVICES, labels=(str(group.number), group.type or ""), value=devices)
    if iommu.interrupt_remapping is not None:
        yield Sample(metric=_REMAPPING, labels=(), value=int(iommu.interrupt_remapping))


AREA = Area(
    name="iommu",
    about="whether an IOMMU translates for devices, why not, and its groups",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_GROUPS, _DEVICES, _REMAPPING),
    guard=Guard(
        unknown="what shares its IOMMU group, nor whether firmware maps memory for it",
        classes=None,
        driven=False,
        sources=(),
    ),
    unseen=nothing_unseen,
)
