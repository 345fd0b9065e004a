"""The machine's firmware, its kernel and its kubelet, a line each."""

from __future__ import annotations

from rich.text import Text

from hostagent.areas.firmware import Firmware
from hostagent.areas.kernel import Kernel
from hostagent.areas.kubelet import Kubelet
from hostagent.assess.firmware import firmware_name
from hostagent.cli.table.words import CARE, GOOD, QUIET, joined, onoff, text


def firmware_line(firmware: Firmware) -> Text:
    """Maker and model, how it starts."""
    dmi = firmware.dmi
    name = " ".join(part for part in (dmi.sys_vendor, dmi.product_name) if part) if dmi is not None else ""
    version = dmi.bios_version if dmi is not None else None
    guest = firmware.hypervisor or ("a virtual machine" if firmware.virtual else None)
    return joined(
        (
            name or firmware.model,
            f"in {firmware.hypervisor}" if firmware.hypervisor else guest,
            firmware_name(firmware),
            onoff(firmware.secure_boot, "Secure Boot"),
            f"firmware {version}" if version else None,
            "BMC" if firmware.bmc else None,
        )
    )


def kernel_line(kernel: Kernel) -> Text:
    """Release, distribution, and what limits it."""
    os = kernel.os
    distribution = (
        " ".join(part for part in (os.variant_id or os.id, os.version_id) if part) if os is not None else None
    )
    locked = kernel.lockdown if kernel.lockdown not in (None, "none") else None
    return joined(
        (
            kernel.release,
            kernel.architecture,
            distribution or None,
            "ostree" if os is not None and os.ostree else None,
            Text(f"lockdown {locked}", style=CARE) if locked else None,
            Text(f"tainted {''.join(kernel.taints)}", style=CARE) if kernel.taints else None,
        )
    )


def kubelet_line(kubelet: Kubelet) -> Text:
    """Policies and plugins, or that there is none."""
    if not kubelet.present:
        return Text("none here", style=QUIET)
    plugins = kubelet.device_plugins
    shared = kubelet.shared_cpus
    return joined(
        (
            f"CPU manager {kubelet.cpu_manager_policy}" if kubelet.cpu_manager_policy else "present",
            f"shared CPUs {shared}" if shared else None,
            f"memory manager {kubelet.memory_manager_policy}" if kubelet.memory_manager_policy else None,
            text(f"device plugins: {', '.join(plugins)}") if plugins else None,
            Text("KubeVirt", style=GOOD) if kubelet.kubevirt else None,
        )
    )
