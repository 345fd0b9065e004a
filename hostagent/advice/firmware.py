"""What Secure Boot and the kernel's lockdown forbid to those who prepare devices for guests."""

from __future__ import annotations

from hostagent.advice.model import NONE, NOTE, WARNING, Code, Finding, finding, other, said
from hostagent.advice.view import View
from hostagent.assess.node import data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

SECURE_BOOT = Code(
    name="secure-boot",
    title="Secure Boot is on",
    cause=(
        "The kernel loads only modules that are signed with a key it trusts: vendors' drivers (NVIDIA's vGPU "
        "manager, out-of-tree SR-IOV drivers) have to be signed and their key enrolled. In a unified kernel "
        "image the arguments are signed too, and cannot be changed from the boot loader. vfio-pci, kvm and "
        "hugetlbfs work as ever."
    ),
    proof="The UEFI variable SecureBoot is 1: `mokutil --sb-state`.",
    remedy=other(
        NONE,
        (
            "Sign such modules and enrol the key (mokutil --import); build kernel arguments into the image where "
            "it is unified."
        ),
    ),
)
LOCKDOWN = Code(
    name="kernel-lockdown",
    title="The kernel is locked down",
    cause=(
        "Root cannot change the running kernel: no unsigned modules, no writes to PCI configuration or BARs "
        "(setpci, ACS switched by hand, flashing cards), no /dev/mem, no unsigned kexec; with "
        "confidentiality no reading of kernel memory (perf, bpf, kdump) either. VFIO, KVM and huge pages "
        "work as ever."
    ),
    proof="/sys/kernel/security/lockdown has integrity or confidentiality in brackets.",
    remedy=other(
        NONE, "Nothing for devices and guests; do what needs setpci or an unsigned driver on a host without lockdown."
    ),
)
CODES = (SECURE_BOOT, LOCKDOWN)


def look(view: View) -> Iterator[Finding]:
    """Notes: neither stops a guest."""
    firmware, kernel = data(view.report.firmware), data(view.report.kernel)
    if firmware is not None and firmware.secure_boot:
        text = "Secure Boot is on: modules that are not signed with an enrolled key are refused."
        if view.plan is not None and view.plan.kernel_arguments:
            text = f"{text[:-1]}, and a unified kernel image takes no kernel arguments from outside."
        yield finding(SECURE_BOOT, NOTE, "node", text, [said(_VARIABLE, "1")])
    if kernel is not None and kernel.lockdown in ("integrity", "confidentiality"):
        severity = WARNING if kernel.lockdown == "confidentiality" else NOTE
        text = (
            f"The kernel is locked down ({kernel.lockdown}): PCI configuration cannot be written by hand, nor "
            "unsigned modules loaded."
        )
        yield finding(LOCKDOWN, severity, "node", text, [said("sys/kernel/security/lockdown", f"[{kernel.lockdown}]")])
