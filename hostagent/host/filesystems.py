"""What file systems stand on, by their types, where they have no block device of their own.

Those that join devices list them in sysfs:

    sys/fs/btrfs/<uuid>/devices/         links named as the members are
    sys/fs/bcachefs/<uuid>/dev-0/block   -> a member
"""

from __future__ import annotations

from hostagent.host.mounts import Mount
from hostagent.host.reader import Reader

FILESYSTEMS = "sys/fs"
REMOTE_FILESYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "ceph", "afs", "lustre", "beegfs", "gpfs", "orangefs", "coda", "fuse.glusterfs",
     "fuse.sshfs", "fuse.ceph-fuse")
)  # fmt: skip
# Filesystems of virtual machines and the virtio drivers that carry them.
SHARED_FILESYSTEMS = {"virtiofs": ("virtiofs",), "9p": ("9pnet_virtio", "9p")}
# Filesystems that join devices.
JOINED = frozenset(("btrfs", "bcachefs"))
# Made of directories or files of other filesystems.
IMAGES = frozenset(("overlay", "erofs"))
# Why the devices of a pool are not known.
ZFS_MEMBERS = "zfs: sysfs does not say which devices a pool has"
MEMORY_FILESYSTEMS = frozenset(("tmpfs", "ramfs", "rootfs", "devtmpfs", "hugetlbfs"))


def is_storage(mount: Mount) -> bool:
    """Whether a mount stands on a device or a server, rather than on the kernel's own data."""
    if mount.device is not None:
        return True
    kind = mount.filesystem
    if kind in IMAGES or kind in REMOTE_FILESYSTEMS or kind in SHARED_FILESYSTEMS or kind in JOINED or kind == "zfs":
        return True
    # /dev/fuse is a source too; file systems in user space say nothing of what they stand on.
    return (
        mount.source.startswith("/dev/")
        and kind not in MEMORY_FILESYSTEMS
        and not (kind == "fuse" or kind.startswith("fuse."))
    )


def members(reader: Reader, kind: str) -> list[tuple[str, ...]]:
    """For each filesystem of a kind that joins devices, the kernel names of its members."""
    base = f"{FILESYSTEMS}/{kind}"
    found = []
    for name in reader.names(base):
        if kind == "btrfs":
            names = reader.names(f"{base}/{name}/devices")
        else:
            entries = [entry for entry in reader.names(f"{base}/{name}") if entry.startswith("dev-")]
            targets = (reader.target(f"{base}/{name}/{entry}/block") for entry in entries)
            names = tuple(target for target in targets if target is not None)
        found.append(names)
    return [names for names in found if names]
