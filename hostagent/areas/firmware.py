"""Firmware: how the machine was started, what it says it is, and where its console is.

    sys/firmware/efi/                                                there where UEFI started the kernel
    sys/firmware/efi/efivars/SecureBoot-8be4df61-...                 5 bytes: 4 of attributes, then 0 or 1
    sys/class/dmi/id/{sys_vendor,product_name,bios_version,...}      never serial numbers, never the UUID
    proc/device-tree/model                                           machines without DMI
    sys/class/graphics/fb0/name                                      EFI VGA, simpledrmdrmfb, i915drmfb, astdrmfb
    sys/class/tty/console/active                                     tty0 ttyS0
    sys/class/ipmi/ipmi0                                             a BMC with its driver loaded

(Documentation/ABI/testing/sysfs-firmware-efi-vars, sysfs-class-dmi; UEFI specification 3.3, globally defined variables.)
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelDoc, LabelOptions, Metric, Sample, truth
from hostagent.host import Reader
from hostagent.host.console import Console, console
from hostagent.host.pci import functions
from hostagent.values.blanks import fields, stripped
from hostagent.values.displays import is_bmc_display
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

EFI = "sys/firmware/efi"
_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
DMI = "sys/class/dmi/id"
_MODELS = ("proc/device-tree/model", "sys/firmware/devicetree/base/model")
# What virtual machines say in sys_vendor, product_name or bios_vendor; the first word found there names the hypervisor.
_VIRTUAL = (
    ("KubeVirt", "kvm"), ("OpenStack", "kvm"), ("QEMU", "kvm"), ("Bochs", "kvm"), ("RHEV", "kvm"), ("oVirt", "kvm"),
    ("KVM", "kvm"), ("Google Compute Engine", "kvm"), ("Nutanix AHV", "kvm"), ("VMware", "vmware"),
    ("innotek GmbH", "virtualbox"), ("VirtualBox", "virtualbox"), ("Xen", "xen"), ("Parallels", "parallels"),
    ("BHYVE", "bhyve"), ("Apple Virtualization", "apple"), ("Microsoft Corporation Virtual Machine", "hyper-v"),
    ("Hyper-V", "hyper-v"),
)  # fmt: skip
# IPMI interfaces on the bus.
_IPMI_CLASS = "0c07"


@record
class Dmi:
    """What the machine says it is, each in one line."""

    sys_vendor: str | None
    """Who made the machine; sys/class/dmi/id/sys_vendor. Null where it is blank or not there."""
    product_name: str | None
    """Its model; sys/class/dmi/id/product_name. Null where it is blank or not there."""
    product_version: str | None
    """Version of the model; sys/class/dmi/id/product_version. Null where it is blank or not there."""
    board_vendor: str | None
    """Who made the board; sys/class/dmi/id/board_vendor. Null where it is blank or not there."""
    board_name: str | None
    """Its model; sys/class/dmi/id/board_name. Null where it is blank or not there."""
    bios_vendor: str | None
    """Who made the firmware; sys/class/dmi/id/bios_vendor. Null where it is blank or not there."""
    bios_version: str | None
    """Version of the firmware; sys/class/dmi/id/bios_version. Null where it is blank or not there."""
    bios_date: str | None
    """Date of the firmware as its vendor writes it; sys/class/dmi/id/bios_date. Null where it is blank or not there."""
    chassis_type: str | None
    """Type of the chassis, a number of SMBIOS; sys/class/dmi/id/chassis_type. Null where it is blank or not there."""


@record
class Firmware:
    """How the machine was started, and what it says it is."""

    uefi: bool | None
    """Whether UEFI started the kernel: sys/firmware/efi is there. Null where the root has no sys/firmware."""
    secure_boot: bool | None
    """Whether the firmware checked what it started; sys/firmware/efi/efivars/SecureBoot-*. Null where there is no such
    variable."""
    setup_mode: bool | None
    """Whether the firmware's keys can be replaced freely; sys/firmware/efi/efivars/SetupMode-*. Null where there is no
    such variable."""
    dmi: Dmi | None
    """What the machine says it is; sys/class/dmi/id. Null where there is nothing in it, as on machines without
    SMBIOS."""
    model: str | None
    """Model by the device tree; proc/device-tree/model, else sys/firmware/devicetree/base/model. Null where there is
    neither."""
    virtual: bool | None
    """Whether this is a virtual machine: it names its hypervisor, or its x86 CPU says so. Null where neither is and
    proc/cpuinfo has no flags."""
    hypervisor: str | None
    """kvm, vmware, hyper-v, xen ...; sys/hypervisor/type, else known by `dmi`. Null where neither names one."""
    console: Console
    """Displays and consoles."""
    bmc: bool
    """Whether there is a sign of a board management controller: a function of it, sys/class/ipmi, or ACPI's IPI0001."""
    bmc_functions: tuple[PciAddress, ...]
    """PCI functions that are its interface (class 0c07) or its display, in order of address."""


def probe(reader: Reader) -> Firmware:
    """What firmware left for the kernel to show."""
    dmi = _dmi(reader)
    hypervisor = _hypervisor(reader, dmi)
    bmc_functions = _bmc_functions(reader)
    return Firmware(
        uefi=reader.exists(EFI) if reader.exists("sys/firmware") else None,
        secure_boot=_variable(reader, "SecureBoot"),
        setup_mode=_variable(reader, "SetupMode"),
        dmi=dmi,
        model=next((text for path in _MODELS if (text := reader.text(path))), None),
        virtual=_virtual(reader, hypervisor),
        hypervisor=hypervisor,
        console=console(reader),
        bmc=bool(bmc_functions or reader.names("sys/class/ipmi") or reader.exists("sys/bus/acpi/devices/IPI0001:00")),
        bmc_functions=bmc_functions,
    )


def _variable(reader: Reader, name: str) -> bool | None:
    """A global variable of one byte; None where efivarfs is not mounted or the firmware has none."""
    path = f"{EFI}/efivars/{name}-{_GLOBAL}"
    data = reader.raw(path)
    if data is None:
        return None
    if len(data) != 5 or data[4] > 1:
        reader.malformed(path, "4 bytes of attributes and a byte 0 or 1", data.hex())
        return None
    return data[4] == 1


def _dmi(reader: Reader) -> Dmi | None:
    if not reader.names(DMI):
        return None
    return Dmi(
        sys_vendor=_said(reader, "sys_vendor"),
        product_name=_said(reader, "product_name"),
        product_version=_said(reader, "product_version"),
        board_vendor=_said(reader, "board_vendor"),
        board_name=_said(reader, "board_name"),
        bios_vendor=_said(reader, "bios_vendor"),
        bios_version=_said(reader, "bios_version"),
        bios_date=_said(reader, "bios_date"),
        chassis_type=_said(reader, "chassis_type"),
    )


def _said(reader: Reader, name: str) -> str | None:
    """A DMI string in one line: some BIOS versions hold carriage returns."""
    return " ".join(fields(reader.text(f"{DMI}/{name}") or "")) or None


def _hypervisor(reader: Reader, dmi: Dmi | None) -> str | None:
    told = reader.text("sys/hypervisor/type")
    if told:
        return told
    if dmi is None:
        return None
    said = " ".join(part for part in (dmi.sys_vendor, dmi.product_name, dmi.bios_vendor) if part)
    return next((kind for word, kind in _VIRTUAL if word in said), None)


def _virtual(reader: Reader, hypervisor: str | None) -> bool | None:
    """Only x86 has a CPU flag for it; elsewhere a machine that does not name its hypervisor may be either."""
    if hypervisor is not None:
        return True
    for line in reader.lines("proc/cpuinfo"):
        name, colon, flags = line.partition(":")
        if colon and stripped(name) == "flags":
            return "hypervisor" in fields(flags)
    return None


def _bmc_functions(reader: Reader) -> tuple[PciAddress, ...]:
    return tuple(
        one.address
        for one in functions(reader)
        if one.class_id.startswith(_IPMI_CLASS)
        or is_bmc_display(vendor_id=one.vendor_id, device_id=one.device_id, class_id=one.class_id)
    )


def _secure_boot(firmware: Firmware) -> bool | None:
    """What is published: without UEFI there is no Secure Boot, which is known, though nothing says so."""
    return False if firmware.uefi is False else firmware.secure_boot


def labels(firmware: Firmware, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """How the machine starts."""
    if firmware.uefi is not None:
        yield "firmware.uefi", truth(firmware.uefi)
    secure_boot = _secure_boot(firmware)
    if secure_boot is not None:
        yield "firmware.secure-boot", truth(secure_boot)


_LABELS = (
    LabelDoc(key="firmware.uefi", values="true, false", meaning="Whether UEFI started the kernel"),
    LabelDoc(
        key="firmware.secure-boot",
        values="true, false",
        meaning="Whether Secure Boot is on: false without UEFI, absent where UEFI variables cannot be seen",
    ),
)

_UEFI = Metric(name="hostagent_firmware_uefi", help="Whether UEFI started the kernel.", labels=())
_SECURE_BOOT = Metric(
    name="hostagent_firmware_secure_boot",
    help="Whether Secure Boot is on: 0 without UEFI, absent where UEFI variables cannot be seen.",
    labels=(),
)
_INFO = Metric(
    name="hostagent_firmware_info",
    help="The machine and its firmware, as DMI names them. Always 1.",
    labels=("sys_vendor", "product_name", "bios_vendor", "bios_version"),
)


def samples(firmware: Firmware) -> Iterator[Sample]:
    """Facts of the last boot."""
    for metric, value in ((_UEFI, firmware.uefi), (_SECURE_BOOT, _secure_boot(firmware))):
        if value is not None:
            yield Sample(metric=metric, labels=(), value=int(value))
    if firmware.dmi is not None:
        dmi = firmware.dmi
        names = (dmi.sys_vendor, dmi.product_name, dmi.bios_vendor, dmi.bios_version)
        yield Sample(metric=_INFO, labels=tuple(name or "" for name in names), value=1)


def _unseen(firmware: Firmware) -> Iterator[str]:
    if firmware.console.serial is None:
        yield "which functions carry serial consoles; `hostagent probe -o json` of this version looks"


AREA = Area(
    name="firmware",
    about="UEFI or not, Secure Boot, DMI and the console",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_UEFI, _SECURE_BOOT, _INFO),
    guard=Guard(unknown="whether it shows the console", classes=("03", "07"), driven=False, sources=()),
    unseen=_unseen,
)
