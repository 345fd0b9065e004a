"""Whether an IOMMU stands between guests' devices and the host's memory, and why not."""

from __future__ import annotations

from hostagent.advice.model import (
    BLOCKER,
    FIRMWARE,
    KARGS,
    NONE,
    NOTE,
    WARNING,
    Code,
    Finding,
    finding,
    other,
    render,
    said,
)
from hostagent.advice.view import View
from hostagent.areas import iommu as area
from hostagent.assess.iommu import given, why_off, why_unremapped
from hostagent.assess.node import data, file_of
from hostagent.assess.reasons import Evidence
from hostagent.host.groups import NOIOMMU
from hostagent.plan.model import IOMMU

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CLASS = "sys/class/iommu"
_WHY_WANTED = "Without one the kernel gives no device to a guest: the device could write anywhere in the host's memory."
_LOOK = "`ls /sys/class/iommu /sys/firmware/acpi/tables` and `cat /proc/cmdline`"

NO_TABLE = Code(
    name="iommu-off-in-firmware",
    title="The firmware describes no IOMMU",
    cause=(
        "ACPI has none of the tables DMAR, IVRS, IORT and VIOT: the IOMMU is switched off in the setup, or "
        f"the machine has none. {_WHY_WANTED}"
    ),
    proof=f"/sys/class/iommu is empty and /sys/firmware/acpi/tables has no such table: {_LOOK}.",
    remedy=other(
        FIRMWARE, "Switch on VT-d (Intel), AMD IOMMU (AMD) or SMMU (Arm) in the firmware's setup, and start again."
    ),
)
OFF_BY_ARGUMENT = Code(
    name="iommu-off-by-argument",
    title="A kernel argument switches the IOMMU off",
    cause=(
        "The firmware describes an IOMMU, and intel_iommu=off, amd_iommu=off or iommu=off keeps the kernel "
        f"from using it. {_WHY_WANTED}"
    ),
    proof=f"The argument stands in /proc/cmdline, and /sys/class/iommu is empty: {_LOOK}.",
    remedy=render(KARGS, "Take the argument away, give those that `hostagent render kargs` prints, and reboot."),
)
NOT_ENABLED = Code(
    name="iommu-not-enabled",
    title="Intel's IOMMU waits for intel_iommu=on",
    cause=(
        f"The firmware describes VT-d, and this kernel was built to leave it off until it is asked for. {_WHY_WANTED}"
    ),
    proof=(
        "/sys/firmware/acpi/tables/DMAR is there, /sys/class/iommu is empty, /proc/cmdline has no "
        f"intel_iommu=on: {_LOOK}."
    ),
    remedy=render(
        KARGS, "Give the kernel arguments that `hostagent render kargs` prints (intel_iommu=on), and reboot."
    ),
)
NOT_STARTED = Code(
    name="iommu-not-started",
    title="The kernel did not start the IOMMU",
    cause=(
        "The firmware describes an IOMMU and no argument switches it off, yet the kernel drives none: a "
        f"faulty table, or no driver in the kernel. {_WHY_WANTED}"
    ),
    proof=(
        f"A table is in /sys/firmware/acpi/tables and /sys/class/iommu is empty: {_LOOK}; `dmesg | grep -i -e "
        "DMAR -e AMD-Vi -e smmu` says why."
    ),
    remedy=other(FIRMWARE, "Read the kernel's log; a firmware update usually helps where it calls the table faulty."),
)
GUEST = Code(
    name="iommu-not-in-this-guest",
    title="This machine is a guest without an IOMMU",
    cause=f"A virtual machine has an IOMMU only if its own host gives it one. {_WHY_WANTED}",
    proof="The CPU or the firmware says that this is a virtual machine, and no table describes an IOMMU.",
    remedy=other(
        NONE, "Give the virtual machine an IOMMU (libvirt: <iommu model='intel'>, with <ioapic driver='qemu'/>)."
    ),
)
UNKNOWN = Code(
    name="iommu-unknown",
    title="No IOMMU, and nothing says why",
    cause=(
        "No IOMMU is driven, and no ACPI tables can be seen: not an ACPI machine, or the root given holds "
        f"only a part of one. {_WHY_WANTED}"
    ),
    proof=f"/sys/class/iommu and /sys/firmware/acpi/tables are empty or absent: {_LOOK}.",
    remedy=other(FIRMWARE, "Look at the firmware's setup and, on machines with a device tree, for an SMMU in it."),
)
OFF = {
    area.NO_TABLE: NO_TABLE,
    area.OFF_BY_ARGUMENT: OFF_BY_ARGUMENT,
    area.NOT_ENABLED: NOT_ENABLED,
    area.NOT_STARTED: NOT_STARTED,
    area.GUEST: GUEST,
    area.UNKNOWN: UNKNOWN,
}
NO_REMAPPING = Code(
    name="no-interrupt-remapping",
    title="Interrupts are not remapped",
    cause=(
        "A device in a guest could raise any interrupt of the host, so VFIO gives none away (it says: No "
        "interrupt remapping support)."
    ),
    proof="No interrupt chip in /proc/interrupts has the prefix IR-: `grep IR- /proc/interrupts`.",
    remedy=other(
        FIRMWARE,
        (
            "Switch on interrupt remapping (often under x2APIC) in the firmware's setup, and take intremap=off "
            "away if it is given."
        ),
    ),
)
UNSAFE_INTERRUPTS = Code(
    name="unsafe-interrupts",
    title="VFIO is told to do without interrupt remapping",
    cause=(
        "With vfio_iommu_type1.allow_unsafe_interrupts a guest that has a device can raise any interrupt of "
        "the host, and take it over with that."
    ),
    proof="/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts says Y.",
    remedy=other(
        NONE, "Take the option away wherever interrupts are remapped; elsewhere give devices only to guests you trust."
    ),
)
NOIOMMU_MODE = Code(
    name="noiommu-mode",
    title="VFIO's mode without an IOMMU is on",
    cause=(
        "Programs like DPDK can have devices so, with the whole memory open to them. Guests cannot, and the "
        "kernel is tainted."
    ),
    proof=(
        "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode says Y, or a group in "
        "/sys/kernel/iommu_groups has the name vfio-noiommu."
    ),
    remedy=other(NONE, "Take vfio.enable_unsafe_noiommu_mode=1 away, and switch the IOMMU on."),
)
VAIN_ARGUMENT = Code(
    name="amd-iommu-on-is-unknown",
    title="amd_iommu=on does nothing",
    cause=(
        "Manuals name it, the kernel does not know it (AMD-Vi: Unknown option - 'on'). AMD's IOMMU is on "
        "unless it is switched off."
    ),
    proof="/proc/cmdline has amd_iommu=on.",
    remedy=other(NONE, "Leave it away; it does no harm."),
)
NO_GROUP = Code(
    name="no-iommu-group",
    title="A device has no IOMMU group",
    cause=(
        "The IOMMU is on and does not translate for this device: firmware leaves it out of its tables, or it "
        "sits behind a bridge that hides it. It cannot be given away."
    ),
    proof="The device has no link iommu_group in /sys/bus/pci/devices.",
    remedy=other(FIRMWARE, "Update the firmware, or put the card into a slot of another root port."),
)
CODES = (*OFF.values(), NO_REMAPPING, UNSAFE_INTERRUPTS, NOIOMMU_MODE, VAIN_ARGUMENT, NO_GROUP)  # fmt: skip


def look(view: View) -> Iterator[Finding]:
    """Findings about translation itself."""
    found = data(view.report.iommu)
    if found is None:
        return
    if not found.enabled:
        yield _off(view, found)
    else:
        yield from _remapping(view, found)
        yield from _groupless(view)
    yield from _switches(view, found)


def _off(view: View, found: area.Iommu) -> Finding:
    plan = view.plan
    asked = plan is None or bool(plan.bindings) or any(one.topic == IOMMU for one in plan.kernel_arguments)
    severity = BLOCKER if asked else NOTE
    if plan is None and found.reason == area.UNKNOWN:
        severity = WARNING  # a root that holds only a part of a machine looks so
    return finding(OFF[found.reason], severity, "iommu", f"No IOMMU: {why_off(view.node)}.", _off_evidence(found))


def _off_evidence(found: area.Iommu) -> Iterator[Evidence]:
    yield said(_CLASS, "empty")
    if found.tables is None:
        yield said(area.TABLES, "not to be seen")
    elif not found.tables:
        yield said(area.TABLES, "no DMAR, IVRS, IORT or VIOT")
    for table in found.tables or ():
        yield said(f"{area.TABLES}/{table}", "is there")
    if found.tables:
        yield said("proc/cmdline", " ".join(found.arguments) or "nothing about the IOMMU")


def _remapping(view: View, found: area.Iommu) -> Iterator[Finding]:
    if found.interrupt_remapping is not False:
        return
    why = why_unremapped(view.node)
    severity = WARNING if why is None or not view.wanted else BLOCKER
    if view.plan is not None and not view.bindings:
        severity = NOTE
    off = given(found, "off")
    remedy = None if "intremap" not in off else other(NONE, f"Take {off} away from the kernel arguments, and reboot.")
    evidence = [said("proc/interrupts", "no chip with IR-")]
    evidence += [said("proc/cmdline", off)] if remedy is not None else []
    text = "The IOMMU is on, and interrupts are not remapped, which VFIO is told to do without."
    if why is not None:
        text = f"The IOMMU is on, and {why}."
    yield finding(NO_REMAPPING, severity, "iommu", text, evidence, remedy=remedy)


def _groupless(view: View) -> Iterator[Finding]:
    for function in view.wanted:
        if view.node.group(function) is None:
            text = f"{function.address} has no IOMMU group although the IOMMU is on: it cannot be given away."
            evidence = said(file_of(function.address, "iommu_group"), "no such link")
            yield finding(NO_GROUP, BLOCKER, function.address, text, [evidence])


def _switches(view: View, found: area.Iommu) -> Iterator[Finding]:
    switches = None if view.vfio is None else view.vfio.parameters
    if switches is not None and switches.unsafe_interrupts:
        path = "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
        text = "VFIO gives devices away without interrupt remapping: a guest can reach the host through them."
        yield finding(UNSAFE_INTERRUPTS, WARNING, "vfio_iommu_type1", text, [said(path, "Y")])
    groups = [group for group in found.groups if group.name == NOIOMMU]
    if (switches is not None and switches.noiommu) or groups:
        evidence = [said(f"sys/kernel/iommu_groups/{group.number}/name", NOIOMMU) for group in groups]
        if switches is not None and switches.noiommu:
            evidence.insert(0, said("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y"))
        text = "VFIO gives devices to programs without an IOMMU, which is of no use to guests and taints the kernel."
        yield finding(NOIOMMU_MODE, WARNING, "vfio", text, evidence)
    if "amd_iommu=on" in found.arguments:
        text = "amd_iommu=on is no option the kernel knows; AMD's IOMMU is on without it."
        yield finding(VAIN_ARGUMENT, NOTE, "iommu", text, [said("proc/cmdline", "amd_iommu=on")])
