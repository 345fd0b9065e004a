"""The way down from one use of storage to the hardware that carries it.

Beside the block devices of `host.blockdev` and the types of `host.filesystems`:

    sys/class/nvme-subsystem/<name>/nvme* -> controllers: namespaces with multipath stand under the virtual subsystem
    sys/class/nvme/<name>/transport       pcie, tcp, rdma, fc, loop
    sys/class/block/<name>/loop/backing_file
    sys/bus/virtio/drivers/virtiofs/      devices that share directories of a virtual machine's host

What these do not say is said to be unresolved, never left out: who hands devices to guests must know what is not known.
"""

from __future__ import annotations

from hostagent.host.blockdev import BLOCK, NUMBERS, directory, kernel_name, numbers, parent, slaves
from hostagent.host.carriers import ordered, place, split, with_physical
from hostagent.host.filesystems import (
    IMAGES,
    JOINED,
    MEMORY_FILESYSTEMS,
    REMOTE_FILESYSTEMS,
    SHARED_FILESYSTEMS,
    ZFS_MEMBERS,
    is_storage,
    members,
)
from hostagent.host.mounts import Mount, holding
from hostagent.host.reader import Reader
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

SUBSYSTEMS = "sys/class/nvme-subsystem"
CONTROLLERS = "sys/class/nvme"
# Compressed or plain memory: no hardware to lose.
MEMORY = ("zram", "ram")
# Block devices served over the network by the kernel's own clients.
REMOTE = ("nbd", "rbd")
# device-mapper takes any number of layers; nobody has more than a handful.
_DEEPEST = 64


@record
class Carriers:
    """What one use of storage stands on.

    `chain`: kernel names of the block devices on the way down, each once, as met. `functions`: PCI functions that carry
    it, with the physical functions of VFs; `bridges`: those above them. `network`: some of it comes over the network.
    `unresolved`: why the way down does not end at hardware; empty where it does.
    """

    chain: tuple[str, ...]
    functions: tuple[PciAddress, ...]
    bridges: tuple[PciAddress, ...]
    network: bool
    unresolved: tuple[str, ...]


class Descent:
    """One walk down, from any of its four beginnings: a mount, a device number, a name, a file."""

    def __init__(self, reader: Reader, mounted: tuple[Mount, ...]) -> None:
        self._reader = reader
        self._mounted = mounted
        self._seen: set[str] = set()
        self._below: list[str] = []  # mounts on the way from the beginning to here
        self._above: list[str] = []  # block devices on the way from the beginning to here
        self._chain: list[str] = []
        self._functions: set[PciAddress] = set()
        self._bridges: set[PciAddress] = set()
        self._network = False
        self._unresolved: list[str] = []

    def carriers(self) -> Carriers:
        """What the walk has met."""
        functions = with_physical(self._reader, ordered(self._functions))
        return Carriers(
            chain=tuple(self._chain),
            functions=ordered(set(functions)),
            bridges=ordered(self._bridges),
            network=self._network,
            unresolved=tuple(dict.fromkeys(self._unresolved)),
        )

    def _lost(self, why: str) -> None:
        self._unresolved.append(why)

    # --- beginnings ---

    def mount(self, mount: Mount) -> None:
        """A mounted filesystem: its device, or what its type says instead of one."""
        key = f"mount {mount.point}"
        if key in self._below and mount.filesystem not in IMAGES:
            self._lost(f"{mount.point} stands on a file of its own")
        if key in self._seen:
            return
        self._seen.add(key)
        self._below.append(key)
        if mount.device is not None:
            self.number(mount.device, mount.source)
        else:
            self._without_number(mount, mount.filesystem)
        self._below.pop()

    def _without_number(self, mount: Mount, kind: str) -> None:
        """A file system whose device number is the kernel's own invention, or not known."""
        if kind in REMOTE_FILESYSTEMS:
            self._network = True
        elif kind in MEMORY_FILESYSTEMS:
            pass
        elif kind in JOINED:
            self._joined(mount)
        elif kind in SHARED_FILESYSTEMS:
            self._shared(kind)
        elif kind in IMAGES:
            self._layers(mount)
        elif kind == "zfs":
            self._lost(ZFS_MEMBERS)
        elif mount.source.startswith("/dev/"):
            self.source(mount.source)
        else:
            self._lost(f"{kind}: no block device behind it")

    def number(self, number: str, source: str | None = None) -> None:
        """A device number `major:minor`; `source` is its second name where sysfs does not know the first."""
        name = self._reader.target(f"{NUMBERS}/{number}") or numbers(self._reader).get(number)
        if name is not None:
            self.name(name)
        elif source is not None and source.startswith("/dev/"):
            self.source(source)
        else:
            self._lost(f"device {number} is not in sysfs")

    def source(self, source: str) -> None:
        """A path under /dev: a kernel name, or a device-mapper name."""
        name = kernel_name(self._reader, source)
        if name is None:
            self._lost(f"{source} is not in sysfs")
        else:
            self.name(name)

    def file(self, path: str) -> None:
        """A file: what the filesystem it is on stands on."""
        mount = holding(self._mounted, path)
        if mount is None:
            self._lost(f"{path} is on no mounted filesystem")
        elif mount.filesystem in MEMORY_FILESYSTEMS and not self._reader.exists(path.lstrip("/")):
            # Its filesystem was moved or detached after the file was opened, as live systems do.
            self._lost(f"{path} is not there any more")
        else:
            self.mount(mount)

    # --- the way down ---

    def name(self, name: str) -> None:
        """A block device by its kernel name (`nvme0n1p3`, `dm-0`, `cciss!c0d0`)."""
        if name in self._seen:
            return
        self._seen.add(name)
        path = directory(self._reader, name)
        if path is None:
            self._lost(f"{name} is not in sysfs")
            return
        self._chain.append(name)
        disk = parent(self._reader, name, path)
        if disk is not None:
            self.name(disk)
            return
        below = slaves(self._reader, path)
        if len(self._above) == _DEEPEST and below:
            self._lost(f"{name} stands on more than {_DEEPEST} devices above each other")
            return
        self._above.append(name)
        for slave in below:
            self.name(slave)
        self._above.pop()
        if not below:
            self._bottom(name, path)

    def _bottom(self, name: str, path: str) -> None:
        """A device that stands on no other block device."""
        backing = self._reader.text(f"{path}/loop/backing_file")
        if backing:
            self.file(backing.removesuffix(" (deleted)"))
            return
        real = place(self._reader, path) or path
        parts = real.split("/")
        if name.startswith(MEMORY):
            return
        if name.startswith(REMOTE) or any(part.startswith("session") and part[7:].isdigit() for part in parts):
            self._network = True
        subsystem = next((part for part in parts if part[:11] == "nvme-subsys" and part[11:].isdigit()), None)
        if subsystem is not None:
            self._subsystem(subsystem)
        elif "nvme-fabrics" in parts:
            self._controller(next((part for part in reversed(parts) if _is_controller(part)), name))
        else:
            self._hardware(name, real)

    def _hardware(self, name: str, real: str) -> None:
        functions, bridges = split(real)
        self._functions.update(functions)
        self._bridges.update(bridges)
        # Not everything is on PCI: eMMC, virtio-mmio, Hyper-V and s390 disks have a place in sys/devices and no address.
        virtual = "/virtual/" in real or not real.startswith("sys/devices/")
        if virtual and not functions and not self._network:
            self._lost(f"{name}: sysfs does not say what it stands on")

    def _subsystem(self, subsystem: str) -> None:
        path = f"{SUBSYSTEMS}/{subsystem}"
        found = [name for name in self._reader.names(path) if _is_controller(name)]
        if not found:
            self._lost(f"{subsystem}: sysfs lists no controllers of it")
        for name in found:
            self._controller(name, f"{path}/{name}")

    def _controller(self, name: str, path: str | None = None) -> None:
        transport = self._reader.text(f"{CONTROLLERS}/{name}/transport")
        if transport in ("tcp", "rdma"):
            self._network = True
        elif transport in ("fc", "loop"):
            self._lost(f"{name}: NVMe over {transport}")
        else:
            own = f"{CONTROLLERS}/{name}"
            self._hardware(name, place(self._reader, own if self._reader.exists(own) or path is None else path) or own)

    def _joined(self, mount: Mount) -> None:
        """A filesystem of several devices: all of those that its source is one of."""
        kind, source = mount.filesystem, mount.source
        known = members(self._reader, kind)
        if not known:
            # Captures of other tools have no sys/fs: the source is one member at least.
            if source.startswith("/dev/"):
                self.source(source)
            self._lost(f"{kind}: sysfs does not list its members")
        name = kernel_name(self._reader, source)
        mine = [names for names in known if name in names]
        # A source that names none of the members leaves the choice open: then all of them carry it.
        for names in mine or known:
            for member in names:
                self.name(member)

    def _shared(self, kind: str) -> None:
        """Every function that the virtio driver holds: which of them serves this mount, sysfs tells from Linux 6.9 on only."""
        before = len(self._functions)
        for driver in SHARED_FILESYSTEMS[kind]:
            base = f"sys/bus/virtio/drivers/{driver}"
            for name in self._reader.names(base):
                if name.startswith("virtio"):
                    self._hardware(name, place(self._reader, f"{base}/{name}") or base)
        if len(self._functions) == before:
            self._lost(f"{kind}: sysfs does not say which device serves it")

    def _layers(self, mount: Mount) -> None:
        """What it is made of is named in super block options, with the paths of a root that has been left since.

        An ostree root (composefs) stands on /sysroot. Any other may stand on whatever is mounted, and on any loop device.
        """
        sysroot = next((other for other in self._mounted if other.point == "/sysroot"), None)
        if sysroot is not None:
            self.mount(sysroot)
            return
        self._met(self._anything())
        if mount.point == "/" and not self._chain and not self._network:
            self._lost(f"{mount.filesystem}: its layers are on no mounted filesystem")

    def _anything(self) -> Carriers:
        """What everything mounted stands on, and every loop device; worked out once a survey."""
        shared, key = self._reader.host.shared, ("anything", id(self._mounted))
        if key not in shared:
            # A loop device's file may be on an image again: what that stands on is being collected.
            shared[key] = self._mounted, Carriers(chain=(), functions=(), bridges=(), network=False, unresolved=())
            walk = Descent(self._reader, self._mounted)
            for other in self._mounted:
                if other.filesystem not in IMAGES and is_storage(other):
                    walk.mount(other)
            for name in self._reader.names(BLOCK):
                if self._reader.exists(f"{BLOCK}/{name}/loop/backing_file"):
                    walk.name(name)
            shared[key] = self._mounted, walk.carriers()
        return shared[key][1]  # type: ignore[index,no-any-return]

    def _met(self, others: Carriers) -> None:
        """As if this walk had met what another has."""
        self._chain += [name for name in others.chain if name not in self._seen]
        self._seen.update(others.chain)
        self._functions.update(others.functions)
        self._bridges.update(others.bridges)
        self._network = self._network or others.network
        self._unresolved += others.unresolved


def _is_controller(name: str) -> bool:
    return name.startswith("nvme") and name[4:].isdigit()
