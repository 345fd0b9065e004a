"""Uses of storage: what is mounted, swapped to, opened, or wanted by the next boot, each walked down to hardware.

proc/1/mountinfo, proc/swaps, mountinfo of other namespaces     `host.mounts`, `host.namespaces`
sys/block/loop0/loop/backing_file, sys/block/zram0/backing_dev  `host.backing`
proc/fs/jbd2/sdb1        an external journal of ext4 on the device sdb1; `sda2-8` is one inside the file system
sys/class/block/sdb/bcache     sdb belongs to a bcache
proc/spl/kstat/zfs/<pool>      an imported pool
"""

from __future__ import annotations

from hostagent.host.backing import backing_paths, swap_key
from hostagent.host.blockdev import CLASS, directory, is_numbered, kernel_name
from hostagent.host.crashdump import crash_dump
from hostagent.host.descent import Descent, node_of
from hostagent.host.filesystems import IMAGES, ZFS_MEMBERS, is_storage
from hostagent.host.hardware import Carriers, unresolved
from hostagent.host.mounts import MOUNTINFO, SWAPS, Mount, mounts, swaps
from hostagent.host.namespaces import NAMESPACES, mounts_elsewhere
from hostagent.host.nextboot import Wanted, wanted
from hostagent.host.reader import Reader
from hostagent.host.redact_names import HIDDEN
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT, BOOT, SYSTEM, KUBELET, CONTAINER, SWAP, OTHER = "root", "boot", "system", "kubelet", "container", "swap", "other"
DEVICE, NEXT_BOOT = "device", "next-boot"
CRASH, DUMP = "crash-dump", "the crash dump"
ZFS = "proc/spl/kstat/zfs"
JOURNALS = "proc/fs/jbd2"
BCACHE = "sys/fs/bcache"
POOL = "zpool"
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
_COMING = (KUBELET, CONTAINER, OTHER)


@record
class StorageUse:
    """One use of storage, and what carries it."""

    what: str
    """The mount point; `swap`; `zpool` for an imported pool of ZFS; the name of a loop device or of what else uses a
    device; `the crash dump`; `fstab` and its like for what the next boot mounts."""
    kind: str
    """root, boot, system, kubelet, container, swap, device, next-boot, crash-dump or other."""
    filesystem: str | None
    """Type of the file system. Null where it is no mount or pool."""
    source: str
    """What is mounted or used, as its file names it."""
    device: str | None
    """Number of the device that is mounted, major:minor. Null where it is no mount, and for file systems without a
    device of their own (btrfs, NFS, overlays)."""
    carriers: Carriers
    """What carries it; `unresolved` in it is not empty where the functions are not all known."""
    place: str | None
    """The file that says so, with its line where it is a file of configuration. Null only in what was a report of
    schema_version 1."""


def uses(reader: Reader) -> tuple[StorageUse, ...]:
    """All uses, in order of their names."""
    found = [use for mount in _chosen(mounts(reader)) for use in _mount(reader, mount, MOUNTINFO[0])]
    found += _nodes(reader, mounts(reader), MOUNTINFO[0])
    found += _elsewhere(reader)
    found += [_swap(reader, number, path) for number, path in enumerate(swaps(reader))]
    found += [*_made_of(reader), *_journals(reader), *_bcaches(reader), *_pools(reader)]
    found += [*_next_boot(reader), *_crash_dump(reader)]
    return tuple(sorted(_bounded(found), key=lambda use: (use.what, use.source)))


_MOST = 512


def _bounded(found: list[StorageUse]) -> Iterator[StorageUse]:
    """The first of them, and of the others those that are on something else."""
    known: set[tuple[object, ...]] = set()
    for number, use in enumerate(found):
        below = use.carriers.functions, use.carriers.unresolved, use.carriers.chain[-1:]
        if number < _MOST or below not in known:
            yield use
        known.add(below)


def kind_of(point: str) -> str:
    """What a mount point is to the host."""
    if point in ("/", "/sysroot"):
        return ROOT
    for kind, heads in _KINDS:
        if point.startswith(tuple(f"{head}/" for head in heads)) or point in heads:
            return kind
    return SYSTEM if point in _SYSTEM else OTHER


def _chosen(mounted: tuple[Mount, ...]) -> list[Mount]:
    """The mounts to report: one a file system at each mount point, and of those that come and go with pods one a file system.

    A mount under another mount at the same point is not seen by anybody, and in use all the same. Of images there, which are
    all made of the same, the uppermost is enough.
    """
    last = {(mount.point, None if mount.filesystem in IMAGES else _identity(mount)): mount for mount in mounted}
    chosen: list[Mount] = []
    carried: set[str | tuple[str, str]] = set()
    for mount in sorted(last.values(), key=lambda mount: (_rank(mount.point), mount.point)):
        kind = kind_of(mount.point)
        if not is_storage(mount):
            continue
        # Containers have overlays by the hundred, on what is mounted anyway.
        if mount.filesystem in IMAGES and mount.device is None and kind not in (ROOT, SYSTEM):
            continue
        identity = _identity(mount)
        if kind in _COMING and (identity in carried or (kind, identity) in carried):
            continue
        carried |= {(kind, identity)} if kind in (KUBELET, CONTAINER) else {identity}
        chosen.append(mount)
    return chosen


def _identity(mount: Mount) -> str:
    """What tells file systems apart; sources that are hidden do not."""
    return mount.number or (mount.source if HIDDEN not in mount.source else mount.point)


def _rank(point: str) -> int:
    return (ROOT, BOOT, SYSTEM, KUBELET, CONTAINER, OTHER).index(kind_of(point))


def _mount(reader: Reader, mount: Mount, place: str) -> Iterator[StorageUse]:
    """A mount; none for an image mounted from a file (snaps, by the dozen): the file's file system is listed itself."""
    descent = Descent(reader, mounts(reader))
    descent.mount(mount)
    carriers, kind = descent.carriers(), kind_of(mount.point)
    on_loop = is_numbered("".join(carriers.chain[:1]), ("loop",))
    if not (kind == OTHER and on_loop and descent.by_file and not carriers.unresolved):
        yield StorageUse(
            what=mount.point,
            kind=kind,
            filesystem=mount.filesystem,
            source=mount.source,
            device=mount.device,
            carriers=carriers,
            place=place,
        )


def _nodes(reader: Reader, mounted: tuple[Mount, ...], place: str) -> Iterator[StorageUse]:
    """Device nodes of block devices mounted somewhere by themselves: raw volumes of pods."""
    for mount in mounted:
        if mount.filesystem != "devtmpfs" or mount.root in (None, "/"):
            continue
        name = kernel_name(reader, node_of(mount, mount.point))
        if name is not None and directory(reader, name) is not None:
            carriers = _carriers(reader, name)
            yield _use(mount.point, kind_of(mount.point), f"/dev/{name}", carriers, place)


def _elsewhere(reader: Reader) -> Iterator[StorageUse]:
    """What is mounted in other namespaces alone."""
    mounted, _ = mounts_elsewhere(reader)
    chosen = {_identity(mount): mount for mount in mounted if is_storage(mount) and mount.filesystem not in IMAGES}
    for mount in chosen.values():
        yield from _mount(reader, mount, NAMESPACES)
    yield from _nodes(reader, mounted, NAMESPACES)


def _swap(reader: Reader, number: int, path: str) -> StorageUse:
    descent = Descent(reader, mounts(reader))
    name = kernel_name(reader, path) if path.startswith("/dev/") else None
    if name is not None and directory(reader, name) is not None:
        descent.name(name)
    else:
        descent.opened(swap_key(number), path)
    return _use(SWAP, SWAP, path, descent.carriers(), SWAPS)


def _made_of(reader: Reader) -> Iterator[StorageUse]:
    """Loop and zram devices over block devices, mounted or not; one over a file is on a file system that is listed itself."""
    for name, (place, path) in backing_paths(reader).items():
        descent = Descent(reader, mounts(reader))
        descent.name(name)
        carriers = descent.carriers()
        if not descent.by_file or carriers.unresolved:
            yield _use(name, DEVICE, path, carriers, place)


def _journals(reader: Reader) -> Iterator[StorageUse]:
    for entry in reader.names(JOURNALS):
        _, dash, inode = entry.rpartition("-")
        # `dm-3` is a device, `sda2-8` and `dm-3-8` journals in inode 8.
        if directory(reader, entry) is None and dash and inode.isdecimal():
            continue
        yield _use(f"journal {entry}", DEVICE, f"/dev/{entry}", _carriers(reader, entry), f"{JOURNALS}/{entry}")


def _bcaches(reader: Reader) -> Iterator[StorageUse]:
    """Backing and caching devices; the latter have no holder while nothing is cached."""
    for name in reader.names(CLASS) if reader.exists(BCACHE) else ():
        place = f"{CLASS}/{name}/bcache"
        if not is_numbered(name, ("bcache",)) and reader.exists(place):
            yield _use(f"bcache {name}", DEVICE, f"/dev/{name}", _carriers(reader, name), place)


def _pools(reader: Reader) -> Iterator[StorageUse]:
    """Imported ZFS pools: their volumes may be in use with nothing of them mounted."""
    for name in reader.names(ZFS):
        if reader.exists(f"{ZFS}/{name}/state"):
            yield _use(POOL, OTHER, name, unresolved(ZFS_MEMBERS), ZFS, filesystem="zfs")


def _next_boot(reader: Reader) -> Iterator[StorageUse]:
    """What is not in use now, and will be after a reboot."""
    for one in wanted(reader):
        yield _use(one.what, NEXT_BOOT, one.source, _wanted(reader, one), one.place)


def _crash_dump(reader: Reader) -> Iterator[StorageUse]:
    found = crash_dump(reader)
    if found is not None:
        path, carriers = found
        yield _use(DUMP, CRASH, path, carriers, path)


def _wanted(reader: Reader, one: Wanted) -> Carriers:
    return unresolved(one.lost or "") if one.device is None else _carriers(reader, one.device)


def _carriers(reader: Reader, name: str) -> Carriers:
    descent = Descent(reader, mounts(reader))
    descent.name(name)
    return descent.carriers()


def _use(
    what: str, kind: str, source: str, carriers: Carriers, place: str, *, filesystem: str | None = None
) -> StorageUse:
    return StorageUse(
        what=what, kind=kind, filesystem=filesystem, source=source, device=None, carriers=carriers, place=place
    )
