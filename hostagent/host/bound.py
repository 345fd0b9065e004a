"""Functions that a vfio driver holds, and which process has each of them open.

    /sys/class/vfio-dev/vfio0  -> ../../devices/pci0000:00/.../0000:03:00.0/vfio-dev/vfio0     (Linux 6.1)
    /dev/vfio/17                  the group, /dev/vfio/devices/vfio0 the device: opened by a guest's QEMU

    /sys/bus/pci/devices/0000:41:00.4/nvidia/current_vgpu_type      557, or 0 while the function offers none

NVIDIA's driver (16 and later) makes vGPUs of virtual functions that it keeps itself, without mdev.

Who has them open is root's to see, and recorded in a capture: see hostagent.host.holders.
"""

from __future__ import annotations

from hostagent.host.holders import holding
from hostagent.host.pci import DEVICES, PciFunction, functions
from hostagent.host.reader import Reader
from hostagent.values.pci import PciAddress
from hostagent.values.record import record
from hostagent.values.vfio import is_vfio_driver

_DEVICES = "sys/class/vfio-dev"


@record
class BoundFunction:
    """A function that a vfio driver holds."""

    address: PciAddress
    """PCI address."""
    driver: str
    """vfio-pci, or a variant of it."""
    device: str | None
    """Its name in sys/class/vfio-dev. Null where it has none there, as before Linux 6.1."""
    held_by: tuple[str, ...] | None
    """Names of the processes that have its group or itself open, a guest's QEMU. Null where nobody looked, which takes
    root on the machine itself."""


@record
class VendorVgpu:
    """A function on NVIDIA's driver that can be a vGPU."""

    address: PciAddress
    """PCI address."""
    kind: str
    """Number of the vGPU type that it is, 0 while it is none;
    sys/bus/pci/devices/<address>/nvidia/current_vgpu_type."""


def vendor_vgpus(reader: Reader) -> tuple[VendorVgpu, ...]:
    """Every one of them, in order of address."""
    mine = (one.address for one in functions(reader) if one.driver == "nvidia")
    said = ((address, reader.text(f"{DEVICES}/{address}/nvidia/current_vgpu_type")) for address in mine)
    return tuple(VendorVgpu(address=address, kind=kind) for address, kind in said if kind)


def bound_functions(reader: Reader) -> tuple[BoundFunction, ...]:
    """Every one of them, in order of address."""
    taken = [one for one in functions(reader) if one.driver is not None and is_vfio_driver(one.driver)]
    devices = _devices(reader) if taken else {}
    return tuple(
        BoundFunction(
            address=function.address,
            driver=function.driver,
            device=devices.get(function.address),
            held_by=holding(reader, _nodes(function, devices.get(function.address))),
        )
        for function in taken
        if function.driver is not None
    )


def _devices(reader: Reader) -> dict[str, str]:
    """Address to name: one link for each device instead of one listing for each function."""
    found: dict[str, str] = {}
    for name in reader.names(_DEVICES):
        parts = (reader.link(f"{_DEVICES}/{name}") or "").split("/")
        if "vfio-dev" in parts[1:]:
            found[parts[parts.index("vfio-dev") - 1]] = name
    return found


def _nodes(function: PciFunction, device: str | None) -> tuple[str, ...]:
    group = function.iommu_group
    return f"/dev/vfio/{group}", f"/dev/vfio/noiommu-{group}", f"/dev/vfio/devices/{device}"
