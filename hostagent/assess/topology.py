"""Where functions are on the bus, by what does not move: their places below the root, and the groups an IOMMU would make.

While no IOMMU translates there are no groups to read. The kernel will make them (drivers/iommu/iommu.c, pci_device_group) of
what a device cannot be told apart from: all of a conventional bus, whose bridge asks for everything behind it, and the
functions of one slot unless access control services part them, which no file says. The PCI Express ports above may join
more; which of them do, nobody knows before.
"""

from __future__ import annotations

from hostagent.areas.pci import Pci
from hostagent.host.buses import PciBus
from hostagent.host.pci import PciFunction
from hostagent.values.pci import PciAddress, in_classes

_BRIDGE, _HOST_BRIDGE = ("06",), ("0600",)
_FIRST = "00"


class Topology:
    """The buses of one node. Where a report does not have them, what the addresses alone say."""

    def __init__(self, pci: Pci | None, virtual: frozenset[PciAddress]) -> None:
        self._buses: dict[str, PciBus] = {} if pci is None else {bus.name: bus for bus in pci.buses or ()}
        self._virtual = virtual
        self._on: dict[str, list[PciFunction]] = {}
        for function in () if pci is None else pci.functions:
            self._on.setdefault(function.address.bus, []).append(function)

    def path(self, address: PciAddress) -> str | None:
        """`pci0000:00/02.3/00.0`: the root bus, then device and function of each bridge and of the function itself.

        None where it is not known, and for virtual functions, whose numbers may be on several buses.
        """
        bus = self._buses.get(address.bus)
        if bus is None or address in self._virtual:
            return None
        root = bus.bridges[0].bus if bus.bridges else bus.name
        return "/".join((f"pci{root}", *(bridge.place for bridge in bus.bridges), address.place))

    def expected_group(self, address: PciAddress) -> str:
        """What all functions have in common that one group is expected of."""
        if address in self._virtual:
            return address
        for name, bridge in self._above(address):
            if self._is_conventional(name):
                return address.bus if bridge is None else bridge.slot
        return address.slot

    def _above(self, address: PciAddress) -> tuple[tuple[str, PciAddress | None], ...]:
        """The buses on the way from the root to a function, each with its bridge."""
        bus = self._buses.get(address.bus)
        if bus is None:
            return ((address.bus, None),)
        below = [*(bridge.bus for bridge in bus.bridges[1:]), bus.name]
        return tuple(zip(below, bus.bridges, strict=True)) if bus.bridges else ()

    def _is_conventional(self, name: str) -> bool:
        bus = self._buses.get(name)
        if bus is not None and bus.conventional is not None:
            return bus.conventional
        on = [one for one in self._on.get(name, ()) if one.address not in self._virtual]
        if bus is None and (name.endswith(f":{_FIRST}") or any(in_classes(one.class_id, _HOST_BRIDGE) for one in on)):
            return False
        ends = [one for one in on if not in_classes(one.class_id, _BRIDGE)]
        # A link has one device at its other end: only a bus that is shared numbers several.
        return len({one.address.slot for one in ends}) > 1 and not any(_has_link(one) for one in ends)


def _has_link(function: PciFunction) -> bool:
    found = function.detail
    return found is not None and (found.max_link_speed is not None or found.max_link_width is not None)
