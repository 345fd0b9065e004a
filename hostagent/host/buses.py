"""The buses of the machine: which bridges each is behind, and whether it is conventional PCI.

    sys/bus/pci/devices/0000:07:02.0 -> ../../../devices/pci0000:00/0000:00:02.3/0000:06:00.0/0000:07:02.0
    sys/bus/pci/devices/<address>/max_link_speed       PCI Express functions only (Linux 4.13)

Bus numbers are given at boot and move when a card is added. Device and function numbers of the bridges above do not: they are
soldered. One function of each bus is asked: a bus has one place, and a virtual function the parent of its physical one.
"""

from __future__ import annotations

from hostagent.host.pci import DEVICES, PciFunction, functions
from hostagent.host.reader import Reader
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

_LINK = "max_link_speed"


@record
class PciBus:
    """A bus that has functions."""

    name: str
    """Domain and number of the bus, as in 0000:07."""
    bridges: tuple[PciAddress, ...]
    """Addresses of the bridges above the bus, from the root of the machine on; empty for a root bus. From where the
    link sys/bus/pci/devices/<address> leads."""
    conventional: bool | None
    """Whether it is a PCI bus that no switch divides, so that an IOMMU takes all that is on it for one; false for a
    root bus. Null where no bus below a bridge has a function with max_link_speed, which PCI Express has from Linux 4.13
    on."""


def buses(reader: Reader) -> tuple[PciBus, ...]:
    """Every bus in order of its name; those left out whose place sysfs does not say."""
    first: dict[str, PciFunction] = {}
    for function in functions(reader):
        first.setdefault(function.address.bus, function)
    above = {name: _bridges(reader, function.address) for name, function in first.items()}
    express = {
        name: reader.exists(f"{DEVICES}/{first[name].address}/{_LINK}") for name, bridges in above.items() if bridges
    }
    told = any(express.values())
    return tuple(
        PciBus(name=name, bridges=bridges, conventional=(not express[name] if told else None) if bridges else False)
        for name, bridges in above.items()
        if bridges is not None
    )


def _bridges(reader: Reader, address: PciAddress) -> tuple[PciAddress, ...] | None:
    # Links of a capture by others end in a slash.
    parts = (reader.link(f"{DEVICES}/{address}") or "").rstrip("/").split("/")
    if parts[-1] != address or not any(part.startswith("pci") for part in parts):
        return None
    # From the last root bus on: Intel VMD has one of its own behind it.
    root = max(number for number, part in enumerate(parts) if part.startswith("pci"))
    found = [PciAddress.parse(part) for part in parts[root + 1 : -1]]
    return None if None in found else tuple(one for one in found if one is not None)
