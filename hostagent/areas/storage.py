"""Storage: what is mounted and swapped to, and the PCI functions that carry it.

Read by `hostagent.host.mounts` (proc/1/mountinfo, proc/swaps), `hostagent.host.descent` and `hostagent.host.blockdev`
(sys/block, sys/class/nvme-subsystem, sys/fs/btrfs). A function named here, given to a guest, takes a file system, the swap
or a disk in use with it; `protected` is the list of them with the reasons.

Sizes are bytes. Device numbers are `major:minor`.
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelOptions, Metric, Sample, nothing_unseen
from hostagent.host import Reader
from hostagent.host.crashdump import crash_dump
from hostagent.host.descent import Carriers, Descent
from hostagent.host.disks import Disk, disks
from hostagent.host.filesystems import IMAGES, ZFS_MEMBERS, is_storage
from hostagent.host.mounts import Mount, all_known, mounts, swaps
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT, BOOT, SYSTEM, KUBELET, CONTAINER, SWAP, OTHER = "root", "boot", "system", "kubelet", "container", "swap", "other"
ZFS = "proc/spl/kstat/zfs"
POOL = "zpool"
CRASH, DUMP = "crash-dump", "the crash dump"
# Which mount points make which kind: themselves, and what is mounted below them. The first that fits.
_KINDS = (
    (BOOT, ("/boot", "/efi")),
    (KUBELET, ("/var/lib/kubelet",)),
    (CONTAINER, ("/var/lib/containers", "/var/lib/containerd", "/var/lib/docker", "/var/lib/crio", "/run/containers",
                 "/var/lib/rancher")),
)  # fmt: skip
_SYSTEM = frozenset(
    ("/etc", "/usr", "/usr/local", "/var", "/var/lib", "/var/log", "/var/log/audit", "/var/lib/etcd", "/opt", "/srv",
     "/home", "/nix", "/nix/store", "/ostree")
)  # fmt: skip


@record
class StorageUse:
    """One use of storage, and what it stands on.

    `what`: the mount point, `swap`, `zpool` for an imported pool of ZFS, or `the crash dump`, whose `source` is the file that
    names its target. `kind`: root, boot, system, kubelet, container, swap, crash-dump, other. `device`: None for file systems
    without one (btrfs, NFS, overlays) and for swap files. `carriers.unresolved` is empty where all functions are known.
    """

    what: str
    kind: str
    filesystem: str | None
    source: str
    device: str | None
    carriers: Carriers


@record
class Storage:
    """Uses in order of their names, disks in the order of theirs.

    `mounts_known`: whether all mounts could be read; where not, nothing is known to be unused. Of the mounts of one device that
    come and go with pods (kinds kubelet, container, other) one is listed.
    """

    mounts_known: bool
    uses: tuple[StorageUse, ...]
    disks: tuple[Disk, ...]


def probe(reader: Reader) -> Storage:
    """Every use, walked down to hardware, and every disk with what holds it."""
    mounted = mounts(reader)
    uses = [use for mount in _chosen(mounted) if not _of_a_file(use := _use(reader, mounted, mount))]
    uses += [_swap(reader, mounted, path) for path in swaps(reader)]
    uses += [_pool(name) for name in _pools(reader)]
    uses += _crash_dump(reader)
    uses.sort(key=lambda use: (use.what, use.source))
    return Storage(mounts_known=all_known(reader), uses=tuple(uses), disks=disks(reader, _standing(tuple(uses))))


def _of_a_file(use: StorageUse) -> bool:
    """Whether it is an image mounted from a file (snaps, by the dozen): the file's file system is listed itself."""
    chain, lost = use.carriers.chain, use.carriers.unresolved
    return use.kind == OTHER and bool(chain) and chain[0].startswith("loop") and not lost


def _standing(uses: tuple[StorageUse, ...]) -> dict[str, tuple[str, ...]]:
    """Kernel name of a block device to what stands on it."""
    found: dict[str, list[str]] = {}
    for use in uses:
        for name in use.carriers.chain:
            found.setdefault(name, []).append(use.what)
    return {name: tuple(dict.fromkeys(whats)) for name, whats in found.items()}


def _kind(point: str) -> str:
    if point in ("/", "/sysroot"):
        return ROOT
    for kind, heads in _KINDS:
        if point.startswith(tuple(f"{head}/" for head in heads)) or point in heads:
            return kind
    return SYSTEM if point in _SYSTEM else OTHER


def _chosen(mounted: tuple[Mount, ...]) -> list[Mount]:
    """The mounts to report: one a device at each mount point, and of those that come and go with pods one a device.

    A mount under another mount at the same point is not seen by anybody, and in use all the same.
    """
    # Of images at one place all stand on the same: containers make thousands.
    last = {
        (mount.point, mount.device or (mount.filesystem if mount.filesystem in IMAGES else mount.source)): mount
        for mount in mounted
    }
    chosen: list[Mount] = []
    carried: set[str | tuple[str, str]] = set()
    for mount in sorted(last.values(), key=lambda mount: (_rank(mount.point), mount.point)):
        kind = _kind(mount.point)
        if not is_storage(mount):
            continue
        # Containers have overlays by the hundred, on what is mounted anyway.
        if mount.filesystem in IMAGES and mount.device is None and kind not in (ROOT, SYSTEM):
            continue
        device = mount.device or mount.source
        if kind in (KUBELET, CONTAINER, OTHER) and (device in carried or (kind, device) in carried):
            continue
        carried |= {(kind, device)} if kind in (KUBELET, CONTAINER) else {device}
        chosen.append(mount)
    return chosen


def _rank(point: str) -> int:
    return (ROOT, BOOT, SYSTEM, KUBELET, CONTAINER, OTHER).index(_kind(point))


def _use(reader: Reader, mounted: tuple[Mount, ...], mount: Mount) -> StorageUse:
    descent = Descent(reader, mounted)
    descent.mount(mount)
    return StorageUse(
        what=mount.point,
        kind=_kind(mount.point),
        filesystem=mount.filesystem,
        source=mount.source,
        device=mount.device,
        carriers=descent.carriers(),
    )


def _swap(reader: Reader, mounted: tuple[Mount, ...], path: str) -> StorageUse:
    descent = Descent(reader, mounted)
    if path.startswith("/dev/"):
        descent.source(path)
    else:
        descent.file(path)
    return StorageUse(what=SWAP, kind=SWAP, filesystem=None, source=path, device=None, carriers=descent.carriers())


def _pools(reader: Reader) -> list[str]:
    """Imported ZFS pools: their volumes may be in use with nothing of them mounted."""
    return [name for name in reader.names(ZFS) if reader.exists(f"{ZFS}/{name}/state")]


def _crash_dump(reader: Reader) -> list[StorageUse]:
    found = crash_dump(reader)
    if found is None:
        return []
    path, carriers = found
    return [StorageUse(what=DUMP, kind=CRASH, filesystem=None, source=path, device=None, carriers=carriers)]


def _pool(name: str) -> StorageUse:
    carriers = Carriers(chain=(), functions=(), bridges=(), network=False, unresolved=(ZFS_MEMBERS,))
    return StorageUse(what=POOL, kind=OTHER, filesystem="zfs", source=name, device=None, carriers=carriers)


def protected(storage: Storage) -> dict[PciAddress, tuple[str, ...]]:
    """Functions that carry storage in use, each with what it carries.

    Where a use is unresolved, or no mount is known, every function of a disk may carry it, and says so.
    """
    found: dict[PciAddress, list[str]] = {}
    for use in storage.uses:
        for address in use.carriers.functions:
            found.setdefault(address, []).append(use.what)
    for disk in storage.disks:
        for address in disk.functions if disk.in_use else ():
            found.setdefault(address, []).append(disk.name)
    lost = [use.what for use in storage.uses if use.carriers.unresolved] or ([] if storage.mounts_known else ["/"])
    for disk in storage.disks if lost else ():
        for address in disk.functions:
            found.setdefault(address, []).extend(f"perhaps {what}" for what in lost)
    return {address: tuple(dict.fromkeys(found[address])) for address in sorted(found, key=lambda one: one.order)}


def labels(_storage: Storage, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """No labels: what a node stores where is its own business."""
    return iter(())


_PROTECTED = Metric(
    name="hostagent_storage_protected_functions",
    help="PCI functions that carry a file system, swap or a disk in use.",
    labels=(),
)
_UNRESOLVED = Metric(
    name="hostagent_storage_unresolved_uses",
    help="Uses of storage whose PCI functions are not all known.",
    labels=(),
)
_DISKS = Metric(name="hostagent_storage_disks", help="Disks.", labels=())
_IN_USE = Metric(name="hostagent_storage_disks_in_use", help="Disks that something stands on.", labels=())


def samples(storage: Storage) -> Iterator[Sample]:
    """Counts; names of mount points stay in the report."""
    yield Sample(metric=_PROTECTED, labels=(), value=len(protected(storage)))
    yield Sample(metric=_UNRESOLVED, labels=(), value=sum(bool(use.carriers.unresolved) for use in storage.uses))
    yield Sample(metric=_DISKS, labels=(), value=len(storage.disks))
    yield Sample(metric=_IN_USE, labels=(), value=sum(disk.in_use for disk in storage.disks))


AREA = Area(
    name="storage",
    about="Mounts, swap and disks, and the PCI functions that carry them",
    probe=probe,
    labels=labels,
    label_docs=(),
    samples=samples,
    metrics=(_PROTECTED, _UNRESOLVED, _DISKS, _IN_USE),
    guard=Guard(unknown="what is stored on it", classes=("01", "0c03", "0c04", "0805"), driven=True),
    unseen=nothing_unseen,
)
