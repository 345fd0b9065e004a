"""Which PCI functions a device stands on: the addresses in its place under sys/devices.

sysfs nests devices as the hardware does (Documentation/admin-guide/sysfs-rules.rst):

    sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/nvme/nvme0/nvme0n1
                           bridge       NVMe controller
    sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0
                           Intel VMD                bridge        NVMe controller

An address directly above another is a bridge; every other one carries the device, a VMD controller too.
"""

from __future__ import annotations

from hostagent.host.pci import DEVICES
from hostagent.host.reader import Reader
from hostagent.values.pci import PciAddress


def place(reader: Reader, path: str) -> str | None:
    """Where the device directory `path` really is; its `device` link decides where the directory itself is a copy."""
    real = reader.resolve(path)
    if real is None or split(real) != ((), ()) or not reader.exists(f"{path}/device"):
        return real
    below = reader.resolve(f"{path}/device")
    return real if below is None or split(below) == ((), ()) else below


def split(real: str) -> tuple[tuple[PciAddress, ...], tuple[PciAddress, ...]]:
    """(functions, bridges) among the components of a resolved path, from the root of the bus outwards."""
    parts = [PciAddress.parse(part) for part in real.split("/")]
    functions: list[PciAddress] = []
    bridges: list[PciAddress] = []
    for address, below in zip(parts, [*parts[1:], None], strict=True):
        if address is not None:
            (functions if below is None else bridges).append(address)
    return tuple(functions), tuple(bridges)


def with_physical(reader: Reader, functions: tuple[PciAddress, ...]) -> tuple[PciAddress, ...]:
    """`functions` and the physical functions behind those that are SR-IOV VFs: a VF goes when its PF does."""
    found = list(functions)
    for address in functions:
        parent = PciAddress.parse(reader.target(f"{DEVICES}/{address}/physfn") or "")
        if parent is not None and parent not in found:
            found.append(parent)
    return tuple(found)


def ordered(addresses: set[PciAddress]) -> tuple[PciAddress, ...]:
    """Addresses in the order of the report."""
    return tuple(sorted(addresses, key=lambda address: address.order))
