"""The way down from one use of storage to the hardware that carries it.

Beside the block devices of `host.blockdev` and the types of `host.filesystems`:

    sys/class/block/<name>/loop/backing_file, backing_dev of zram: `host.backing`
    sys/class/block/<name>/slaves/        `host.blockdev`; where the walk ends: `host.hardware`

What these do not say is lost, and reported so, never left out: who passes devices to guests must know what is not known.
"""

from __future__ import annotations

from hostagent.host.backing import DELETED, GONE, NODE, backing, backing_paths
from hostagent.host.blockdev import NUMBERS, directory, is_numbered, kernel_name, numbers, parent, slaves
from hostagent.host.carriers import place
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
from hostagent.host.hardware import Carriers, Met
from hostagent.host.mounts import Mount, holding, mounts
from hostagent.host.reader import Reader

# Compressed or plain memory: no hardware to lose.
MEMORY = ("zram", "ram")
# Below which directory the kubelet binds the device nodes of raw block volumes.
_RAW_VOLUMES = "/volumeDevices/"
# device-mapper takes any number of layers; nobody has more than a handful.
_DEEPEST = 64


class Descent:
    """One walk down, from any of its four beginnings: a mount, a device number, a name, a file."""

    def __init__(self, reader: Reader, mounted: tuple[Mount, ...]) -> None:
        self._reader = reader
        self._mounted = mounted
        self._seen: set[str] = set()
        self._below: list[str] = []  # mounts on the way from the beginning to here
        self._above: list[str] = []  # block devices on the way from the beginning to here
        self._met = Met(reader)
        self.by_file = False  # whether some step was a file on a file system
        self._below_images = False  # this walk is the one that finds what images are made of

    def carriers(self) -> Carriers:
        """What the walk has met."""
        return self._met.carriers()

    # --- beginnings ---

    def mount(self, mount: Mount) -> None:
        """A mounted filesystem: its device, or what its type says instead of one."""
        key = f"mount {mount.point}"
        if key in self._below and mount.filesystem not in IMAGES:
            self._met.lost(f"{mount.point} stands on a file of its own")
        if key in self._seen:
            return
        self._seen.add(key)
        self._below.append(key)
        if mount.device is not None:
            self.number(mount.device, mount.source)
        else:
            self._without_number(mount, mount.filesystem)
        for device in mount.more:
            self.source(device)
        self._below.pop()

    def _without_number(self, mount: Mount, kind: str) -> None:
        """A file system whose device number is the kernel's own invention, or not known."""
        if kind in REMOTE_FILESYSTEMS:
            # Whatever it needs has a route: the network area refuses that.
            self._met.network = True
        elif kind in MEMORY_FILESYSTEMS:
            pass
        elif kind in JOINED:
            self._joined(mount)
        elif kind in SHARED_FILESYSTEMS:
            self._met.shared(kind)
        elif kind in IMAGES:
            self._layers(mount)
        elif kind == "zfs":
            self._met.lost(ZFS_MEMBERS)
        elif mount.source.startswith("/dev/"):
            self.source(mount.source)
        else:
            self._met.lost(f"{kind}: no block device behind it")

    def number(self, number: str, source: str | None = None) -> None:
        """A device number `major:minor`; `source` is its second name where sysfs does not know the first."""
        name = self._reader.target(f"{NUMBERS}/{number}") or numbers(self._reader).get(number)
        if name is not None:
            self.name(name)
        elif source is not None and source.startswith("/dev/"):
            self.source(source)
        else:
            self._met.lost(f"device {number} is not in sysfs")

    def source(self, source: str) -> None:
        """A path under /dev: a kernel name, or a device-mapper name."""
        name = kernel_name(self._reader, source)
        if name is None:
            self._met.lost(f"{source} is not in sysfs")
        else:
            self.name(name)

    def opened(self, key: str, path: str) -> None:
        """A file or device node that `key`, a device or a swap, was made of: what is there, else what its path says."""
        seen = backing(self._reader, key)
        if seen is None:
            self.file(path)
        elif seen.kind == GONE:
            self._met.lost(f"{path} is not there any more")
        elif seen.kind == NODE:
            self.number(seen.number)
        elif seen.number.startswith("0:"):
            self._on(seen.number, path)
        else:
            self.by_file = True
            self.number(seen.number)

    def _on(self, number: str, path: str) -> None:
        """A file of a file system without a block device; btrfs and overlays give files numbers that are not their mounts'."""
        mount = next((mount for mount in self._mounted if mount.number == number), None)
        above = holding(self._mounted, path)
        if mount is None and above is not None and above.filesystem in (*JOINED, *IMAGES):
            mount = above
        if mount is None:
            self._met.lost(f"{path}: its file system {number} is mounted nowhere")
        else:
            self.by_file = True
            self.mount(mount)

    def file(self, path: str) -> None:
        """A path: the device its node is of, else what the file system it is on stands on."""
        path = path.removesuffix(DELETED)
        mount = holding(self._mounted, path)
        if mount is not None and mount.filesystem == "devtmpfs":
            self._node(path, node_of(mount, path))
        elif path.startswith("/dev/") and (name := kernel_name(self._reader, path)) and directory(self._reader, name):
            self.name(name)
        elif mount is None:
            self._met.lost(f"{path} is on no mounted filesystem")
        elif path.startswith("/dev/") and not mount.point.startswith("/dev/"):
            self._met.lost(f"{path} is no device that sysfs knows")
        elif _RAW_VOLUMES in path:
            self._met.lost(f"{path} is a device node that is mounted in another namespace")
        elif mount.filesystem in MEMORY_FILESYSTEMS and not self._reader.exists(path.lstrip("/")):
            # Its filesystem was moved or detached after the file was opened, as live systems do.
            self._met.lost(f"{path} is not there any more")
        else:
            self.by_file = True
            self.mount(mount)

    def _node(self, path: str, node: str) -> None:
        name = kernel_name(self._reader, node)
        if name is None or directory(self._reader, name) is None:
            self._met.lost(f"{path} is no device that sysfs knows")
        else:
            self.name(name)

    # --- the way down ---

    def name(self, name: str) -> None:
        """A block device by its kernel name (`nvme0n1p3`, `dm-0`, `cciss!c0d0`)."""
        if name in self._seen:
            return
        self._seen.add(name)
        path = directory(self._reader, name)
        if path is None:
            self._met.lost(f"{name} is not in sysfs")
            return
        self._met.chain.append(name)
        disk = parent(self._reader, name, path)
        if disk is not None:
            self.name(disk)
            return
        below = slaves(self._reader, path)
        if len(self._above) == _DEEPEST and below:
            self._met.lost(f"{name} stands on more than {_DEEPEST} devices above each other")
            return
        self._above.append(name)
        for slave in below:
            self.name(slave)
        self._above.pop()
        if not below:
            self._bottom(name, path)

    def _bottom(self, name: str, path: str) -> None:
        """A device that stands on no other block device."""
        if name in (below := backing_paths(self._reader)):
            self.opened(name, below[name][1])
            return
        if not is_numbered(name, MEMORY):
            self._met.bottom(name, place(self._reader, path) or path)

    def _joined(self, mount: Mount) -> None:
        """A filesystem of several devices: all of those that its source is one of."""
        kind, source = mount.filesystem, mount.source
        known = members(self._reader, kind)
        if not known:
            # Captures of other tools have no sys/fs: the source is one member at least.
            if source.startswith("/dev/"):
                self.source(source)
            self._met.lost(f"{kind}: sysfs does not list its members")
        name = kernel_name(self._reader, source)
        mine = [names for names in known if name in names]
        # A source that names none of the members leaves the choice open: then all of them carry it.
        for names in mine or known:
            for member in names:
                self.name(member)

    def _layers(self, mount: Mount) -> None:
        """What it is made of is named in super block options, with the paths of a root that has been left since.

        An ostree root (composefs) stands on /sysroot. Any other may stand on whatever is mounted, and on any loop device.
        """
        sysroot = next((other for other in self._mounted if other.point == "/sysroot"), None)
        if sysroot is not None:
            self.mount(sysroot)
            return
        if not self._below_images:
            # The same for all of them, and there may be thousands.
            self._seen.update(self._met.join(self._reader.once(_below_images)))
        if mount.point == "/" and not self._met.chain and not self._met.network:
            self._met.lost(f"{mount.filesystem}: its layers are on no mounted filesystem")

    def anything(self) -> None:
        """All that is mounted and is no image itself, and all loop devices: what an image may be made of."""
        self._below_images = True
        for other in self._mounted:
            if other.filesystem not in IMAGES and is_storage(other):
                self.mount(other)
        for name in backing_paths(self._reader):
            if is_numbered(name, ("loop",)):
                self.name(name)


def _below_images(reader: Reader) -> Carriers:
    descent = Descent(reader, mounts(reader))
    descent.anything()
    return descent.carriers()


def node_of(mount: Mount, path: str) -> str:
    """What a path on a mounted devtmpfs, or on a part of one, is called below /dev."""
    root = (mount.root or "/").removesuffix("//deleted").rstrip("/")
    return f"/dev{root}{path.removeprefix(mount.point.rstrip('/'))}"
