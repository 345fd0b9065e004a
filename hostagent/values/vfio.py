"""What `ids=` of vfio-pci takes, and which drivers leave a device free to be given away. No I/O.

An ID is `vendor:device[:subvendor[:subdevice[:class[:class_mask]]]]` in hex (drivers/vfio/pci/vfio_pci.c); what is
left out matches anything. The parameter is a string of 1,024 bytes, read once, when the module starts.
"""

from __future__ import annotations

from hostagent.values.blanks import stripped
from hostagent.values.pci import hex_id

_DIGITS = (4, 4, 4, 4, 6, 6)
_ANY = "ffffffff"  # PCI_ANY_ID: the kernel's fields are 32 bits wide


def parse_id(text: str) -> str | None:
    """One ID in canonical spelling: lower case, leading zeros; None if it is not one."""
    fields = stripped(text).split(":")
    if not 2 <= len(fields) <= len(_DIGITS):
        return None
    found: list[str] = []
    for field, digits in zip(fields, _DIGITS, strict=False):
        body = field[2:] if field[:2] in ("0x", "0X") else field
        value = _ANY if body.lower() == _ANY else hex_id(body.rjust(digits, "0"), digits)
        if not body or value is None:
            return None
        found.append(value)
    return ":".join(found)


def parse_ids(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(IDs, items that are none) of a comma-separated list; the kernel skips the latter with a warning."""
    items = tuple(item for item in text.split(",") if stripped(item))
    parsed = tuple((item, parse_id(item)) for item in items)
    return tuple(value for _, value in parsed if value is not None), tuple(
        item for item, value in parsed if value is None
    )


def takes(
    text: str, *, vendor_id: str, device_id: str, subsystem_vendor_id: str | None, subsystem_device_id: str | None,
    class_id: str,
) -> bool:  # fmt: skip
    """Whether a canonical ID matches a function. A subsystem the host does not show is 0000, as on bridges."""
    fields = text.split(":")
    wanted = fields[:4]
    seen = (vendor_id, device_id, subsystem_vendor_id or "0000", subsystem_device_id or "0000")
    if any(want not in (have, _ANY) for want, have in zip(wanted, seen, strict=False)):
        return False
    # Without a mask no bit of the class is compared, whatever class is given.
    mask = int(fields[5], 16) if len(fields) > 5 else 0
    return len(fields) < 6 or (int(class_id, 16) ^ int(fields[4], 16)) & mask == 0


def is_vfio_driver(driver: str) -> bool:
    """Whether a driver hands its device to user space: vfio-pci, its variants (mlx5_vfio_pci), vfio-platform ..."""
    name = driver.replace("_", "-")
    return name.startswith("vfio-") or name.endswith("-vfio-pci")


def lets_go(driver: str) -> bool:
    """Whether a device with this driver leaves its IOMMU group free to be given away (`driver_managed_dma`, Linux 5.19).

    Those are vfio's drivers, PCIe ports and pci-stub; every other driver does DMA the host relies on.
    """
    return driver in ("pcieport", "pci-stub") or is_vfio_driver(driver)


def for_user_space(driver: str) -> bool:
    """Whether a driver makes nothing of its device for the host, and leaves it to user space or to nobody: DPDK's too."""
    return lets_go(driver) or driver in ("uio_pci_generic", "igb_uio")
