r"""Sources, mount points and options of mounts as others may see them, wherever they stand.

    /dev/mapper/acme-root        /dev/mapper/[redacted-1]
    UUID=0a1b-22                 UUID=[redacted-2]         as the link in dev/disk/by-uuid is called then
    files.acme.example:/alice    [redacted-3]
    tmpfs                        tmpfs                     a type, or a word that systemd and the kernel put there
    rw,errors=continue           [redacted]
    rw,logdev=/dev/sdb1          logdev=/dev/sdb1,[redacted]

(proc_pid_mountinfo(5), proc_swaps(5), fstab(5), mount(8).) Of options those pass that name a device, or say whether and when
something is mounted.
"""

from __future__ import annotations

from hostagent.host.escapes import encoded, unescaped
from hostagent.host.redact_names import HIDDEN, Pseudonyms

TAGS = ("UUID", "LABEL", "PARTUUID", "PARTLABEL", "ID")
# What stands as the source of mounts that have none.
SOURCES = frozenset((
    "none", "udev", "systemd-1", "cgroup", "cgroup2", "rootfs", "shm", "sunrpc", "nfsd", "gvfsd-fuse", "portal",
    "composefs",
    "hugetlbfs", "mqueue", "debugfs", "tracefs", "configfs", "fusectl", "lxcfs", "rpc_pipefs", "swap", "run",
    "dev", "tmp", "sysfs",
    "proc", "devpts", "devtmpfs", "tmpfs", "overlay", "ramfs", "securityfs", "pstore", "bpf", "efivarfs",
    "selinuxfs", "binfmt_misc",
    "nsfs",
))  # fmt: skip
# Whether and when a line of fstab or a unit is mounted.
WHEN = (
    "noauto",
    "nofail",
    "auto",
    "bind",
    "rbind",
    "loop",
    "_netdev",
    "x-systemd.automount",
    "x-initrd.mount",
    "x-initrd.attach",
)
# Devices of a file system besides the one it is mounted from: ext4, XFS, btrfs, ReiserFS, dm-crypt.
DEVICES = ("logdev", "rtdev", "journal_path", "journal_dev", "jdev", "device", "x-systemd.requires", "header", "offset")


def source(text: str, names: Pseudonyms, kind: str | None = None) -> str:
    """What is mounted, swapped to or opened; `kind`: the type of its file system."""
    tag, equals, value = text.partition("=")
    if equals and tag in TAGS:
        quote = '"' if value.startswith('"') and value.endswith('"') and len(value) > 1 else ""
        # By the name that udev's link has, for it is looked for by what stands here.
        bare = value[1:-1] if quote else value
        return f"{tag}={quote}{names.component(encoded(bare))}{quote}"
    if text.startswith("/dev/") or (text.startswith("/") and not text.startswith("//")):
        return names.path(text)
    return text if text in SOURCES or text == kind else names.hidden(text)


def options(text: str, names: Pseudonyms, when: tuple[str, ...] = ()) -> str:
    """Comma-separated options: those of `when` and of DEVICES."""
    kept, hidden = [], False
    for option in text.split(","):
        name, equals, value = option.partition("=")
        if option in when:
            kept.append(option)
        elif name == "header" and beside(value):
            kept.append(f"{name}={key(value, names)}")
        elif equals and name in DEVICES and (value.startswith("/") or value.isdecimal()):
            kept.append(f"{name}={names.path(value)}")
        elif equals and name in DEVICES and value.partition("=")[0] in TAGS:
            kept.append(f"{name}={source(value, names)}")
        else:
            hidden = True
    return ",".join([*dict.fromkeys(kept), *([HIDDEN] if hidden else [])])


def beside(text: str) -> str:
    """The device whose file system has a key or header: `UUID=0a1b` of `/key:UUID=0a1b`; none for what is a device itself."""
    return "" if text.startswith("/dev/") else text.partition(":")[2]


def key(text: str, names: Pseudonyms) -> str:
    """Where a key or header comes from: nowhere, a device, a file, or a file of the file system on a device."""
    if text in ("none", "-", "/dev/urandom", "/dev/random"):
        return text
    if text.startswith("/dev/"):
        return names.path(text)
    device = beside(text)
    return f"{HIDDEN}:{source(device, names)}" if device else HIDDEN


def mount_line(line: str, names: Pseudonyms) -> str:
    """A line of mountinfo.

    `36 35 98:0 /a /mnt rw,noatime master:1 - ext4 /dev/mapper/host-root rw,errors=continue`
    """
    fields = line.split(" ")
    # The separator comes after six fields and any number of optional ones.
    dash = fields.index("-", 6) if "-" in fields[6:] else len(fields)
    if len(fields) < dash + 3:
        # No mount: how many fields there are says that as well.
        return " ".join([HIDDEN for _ in fields])
    kind = fields[dash + 1]
    nodes = "/dev" if kind == "devtmpfs" else ""  # what is bound from there is a device node
    fields[3] = names.path(nodes + unescaped(fields[3])).removeprefix(nodes)
    fields[4] = names.path(unescaped(fields[4]))
    fields[dash + 2] = source(unescaped(fields[dash + 2]), names, kind)
    return " ".join([*fields[: dash + 3], *(options(field, names) for field in fields[dash + 3 : dash + 4])])


def mounts_line(line: str, names: Pseudonyms) -> str:
    """A line of proc/mounts: `files.example.org:/alice /srv nfs4 rw,addr=10.0.0.1 0 0`."""
    fields = line.split(" ")
    if len(fields) < 4:
        return " ".join([HIDDEN for _ in fields])
    point = names.path(unescaped(fields[1]))
    return " ".join([source(unescaped(fields[0]), names, fields[2]), point, fields[2], options(fields[3], names)])


def swap_line(line: str, names: Pseudonyms) -> str:
    """A line of proc/swaps, its columns kept."""
    name = line.replace("\t", " ").partition(" ")[0]
    if name == "Filename" or not name:
        return line
    return names.path(unescaped(name)) + line[len(name) :]
