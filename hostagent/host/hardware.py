"""What walks down have met, and where they end: PCI functions, adapters of networks and fabrics, or nothing that sysfs tells.

sys/class/nvme-subsystem/<name>/nvme* -> controllers: namespaces with multipath stand under the virtual subsystem
sys/class/nvme/<name>/transport       pcie, tcp, rdma, fc, loop; what carries the last four: `host.fabrics`
sys/bus/virtio/drivers/virtiofs/      devices that share directories of a virtual machine's host
"""

from __future__ import annotations

from hostagent.host.blockdev import is_numbered
from hostagent.host.carriers import ordered, place, split, with_physical
from hostagent.host.fabrics import (
    CONTROLLERS,
    FC_ADAPTERS,
    NICS,
    iscsi_adapters,
    link_above,
    link_functions,
    nvme_adapters,
)
from hostagent.host.filesystems import SHARED_FILESYSTEMS
from hostagent.host.reader import Reader
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

SUBSYSTEMS = "sys/class/nvme-subsystem"
# PCI classes of what disks are behind: storage, USB, Fibre Channel, SD.
STORAGE_CLASSES = ("01", "0805", "0c03", "0c04")
# Block devices served over the network by the kernel's own clients.
REMOTE = ("nbd", "rbd")


@record
class Carriers:
    """What carries one use of storage."""

    chain: tuple[str, ...]
    """Kernel names of the block devices on the way down, each once, as met."""
    functions: tuple[PciAddress, ...]
    """Addresses of the PCI functions that carry it, with the physical functions of VFs."""
    bridges: tuple[PciAddress, ...]
    """Addresses of the bridges above those."""
    network: bool
    """Whether some of it comes over the network."""
    unresolved: tuple[str, ...]
    """Where the way down was lost; empty where it ends at hardware."""
    suspects: tuple[str, ...] | None
    """Prefixes of the PCI classes that what was lost may be on. Null only in what was a report of schema_version 1."""


class Met:
    """What one walk has met so far."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.chain: list[str] = []
        self.network = False
        self._functions: set[PciAddress] = set()
        self._bridges: set[PciAddress] = set()
        self._unresolved: list[str] = []
        self._suspects: set[str] = set()

    def carriers(self) -> Carriers:
        """It all."""
        functions = with_physical(self._reader, ordered(self._functions))
        return Carriers(
            chain=tuple(self.chain),
            functions=ordered(set(functions)),
            bridges=ordered(self._bridges),
            network=self.network,
            unresolved=tuple(dict.fromkeys(self._unresolved)),
            suspects=tuple(sorted(self._suspects)),
        )

    def lost(self, why: str, classes: tuple[str, ...] = STORAGE_CLASSES) -> None:
        """The way down ends here; `classes`: of what it may lead to."""
        self._unresolved.append(why)
        self._suspects.update(classes)

    def join(self, found: Carriers) -> list[str]:
        """Add what another walk has met; the devices that are new."""
        new = [name for name in found.chain if name not in self.chain]
        self.chain += new
        self._functions.update(found.functions)
        self._bridges.update(found.bridges)
        self.network = self.network or found.network
        self._unresolved += found.unresolved
        self._suspects.update(found.suspects or ())
        return new

    def bottom(self, name: str, real: str) -> None:
        """A device that stands on no other block device; `real`: its place below sys/devices."""
        parts = real.split("/")
        subsystem = next((part for part in parts if part[:11] == "nvme-subsys" and part[11:].isdigit()), None)
        if subsystem is not None:
            self._subsystem(subsystem)
        elif "nvme-fabrics" in parts:
            self._controller(next((part for part in reversed(parts) if _is_controller(part)), name))
        elif any(part.startswith("session") and part[7:].isdigit() for part in parts):
            self._remote(name, "iSCSI", split(real)[0] or iscsi_adapters(self._reader, parts), NICS)
            self._bridges.update(split(real)[1])
        else:
            self._hardware(name, real, parts)

    def _hardware(self, name: str, real: str, parts: list[str]) -> None:
        functions, bridges = split(real)
        self._functions.update(functions)
        self._bridges.update(bridges)
        if functions:
            return
        link = link_above(parts)
        if link is not None:
            self._remote(name, f"Fibre Channel over {link}", link_functions(self._reader, link), NICS)
        elif is_numbered(name, REMOTE):
            self.network = True
        # Not everything is on PCI: eMMC, virtio-mmio, Hyper-V and s390 disks have a place in sys/devices and no address.
        elif "/virtual/" in real or not real.startswith("sys/devices/") or _without_parent(parts):
            self.lost(f"{name}: sysfs does not say what it stands on")

    def _remote(self, name: str, how: str, adapters: tuple[PciAddress, ...], classes: tuple[str, ...]) -> None:
        """What is reached through an adapter, or through any where nothing tells which."""
        self.network = self.network or classes == NICS
        self._functions.update(adapters)
        if not adapters:
            self.lost(f"{name}: {how}, and sysfs does not say through which adapter", classes)

    def _subsystem(self, subsystem: str) -> None:
        path = f"{SUBSYSTEMS}/{subsystem}"
        found = [name for name in self._reader.names(path) if _is_controller(name)]
        if not found:
            self.lost(f"{subsystem}: sysfs lists no controllers of it")
        for name in found:
            self._controller(name, f"{path}/{name}")

    def _controller(self, name: str, path: str | None = None) -> None:
        transport = self._reader.text(f"{CONTROLLERS}/{name}/transport")
        if transport in ("tcp", "rdma", "fc"):
            adapters = nvme_adapters(self._reader, name, transport)
            self._remote(name, f"NVMe over {transport}", adapters, FC_ADAPTERS if transport == "fc" else NICS)
        elif transport == "loop":
            self.lost(f"{name}: NVMe over {transport}")
        else:
            own = f"{CONTROLLERS}/{name}"
            real = place(self._reader, own if self._reader.exists(own) or path is None else path) or own
            self._hardware(name, real, real.split("/"))

    def shared(self, kind: str) -> None:
        """Every function that the virtio driver holds: which of them serves this mount, sysfs tells from Linux 6.9 on only."""
        before = len(self._functions)
        for driver in SHARED_FILESYSTEMS[kind]:
            base = f"sys/bus/virtio/drivers/{driver}"
            for name in self._reader.names(base):
                if name.startswith("virtio"):
                    real = place(self._reader, f"{base}/{name}") or base
                    self._hardware(name, real, real.split("/"))
        if len(self._functions) == before:
            self.lost(f"{kind}: sysfs does not say which device serves it")


def unresolved(why: str) -> Carriers:
    """What is on storage that nothing leads to."""
    return Carriers(chain=(), functions=(), bridges=(), network=False, unresolved=(why,), suspects=STORAGE_CLASSES)


def _without_parent(parts: list[str]) -> bool:
    """Whether a SCSI host hangs below nothing, as its driver left it: `sys/devices/platform/host3`."""
    return parts[:3] == ["sys", "devices", "platform"] and any(
        part[:4] == "host" and part[4:].isdecimal() for part in parts[3:4]
    )


def _is_controller(name: str) -> bool:
    return name.startswith("nvme") and name[4:].isdigit()
