"""What a machine's firmware is called.

A BIOS leaves SMBIOS tables, which the kernel shows as DMI. What starts without them has none: a device tree comes from U-Boot,
OPAL or a hypervisor, and a microVM (Firecracker) is a kernel started by a process.
"""

from __future__ import annotations

from hostagent.areas.firmware import Firmware

UEFI, BIOS, DEVICE_TREE, NOT_UEFI = "UEFI", "BIOS", "device tree", "not UEFI"


def firmware_name(firmware: Firmware) -> str | None:
    """UEFI, BIOS, DEVICE_TREE, or NOT_UEFI where that is all that is known; None where not even that is."""
    if firmware.uefi is None:
        return None
    if firmware.uefi:
        return UEFI
    if firmware.model is not None:
        return DEVICE_TREE
    return NOT_UEFI if firmware.dmi is None else BIOS
