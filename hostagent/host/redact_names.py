"""Names that people gave, and what stands for each in everything that is shown to others.

One `Pseudonyms` serves one machine: a name is replaced by the same pseudonym wherever it stands, so that a mount in
mountinfo, the `dm/name` in sysfs and the line of crypttab still speak of one thing. Pseudonyms are numbers in the order in which
names are met; no key is kept, and nothing about a name can be worked out from its number (docs/adr/0005).

    /dev/mapper/acme-root       /dev/mapper/[redacted-1]
    /home/alice/vm              /home/[redacted-2]/[redacted-3]
    enx001122334455             enxmac1          13 to 15 letters, the last 12 hexadecimal: a MAC address or an ID
    md_acme                     md_[redacted-4]  an md array that the kernel calls as its owner did

What passes is listed: names of directories that every host has (`WORDS`), names the kernel gives (`is_kernel_name`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "[redacted]"
_NUMBERED = "[redacted-"

# Components of paths that name no person: hier(7), file-hierarchy(7), and where node components keep their data.
WORDS = frozenset((
    # hier(7)
    "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run", "sbin",
    "srv", "sys",
    "tmp", "usr", "var", "local", "share", "cache", "log", "spool", "lock", "mail", "grub", "grub2", "efi", "EFI",
    "loader",
    # file-hierarchy(7), ostree, NixOS
    "user", "machines", "portables", "credentials", "audit", "journal", "sysroot", "ostree", "deploy", "nix",
    "store", "nfs",
    "systemd", "binfmt_misc", "rpc_pipefs", "crash", "swap", "swapfile", "swap.img", "swaps", "snap", "lost+found",
    # below /dev and /sys
    "mapper", "md", "control", "disk", "by-id", "by-label", "by-partlabel", "by-partuuid", "by-path", "by-uuid",
    "by-diskseq", "block",
    "char", "bus", "pts", "shm", "mqueue", "hugepages", "hugepages-1Gi", "hugepages-2Mi", "hugepages1G",
    "hugepages-1048576kB",
    "hugepages-2048kB", "pagesize-1GB", "pagesize-2MB", "1G", "2M", "zvol", "vfio", "devices", "watchdog", "fuse",
    "cciss", "ida",
    "rd", "i2o", "fs", "cgroup", "unified", "memory", "kernel", "debug", "tracing", "security", "config", "pstore",
    "bpf",
    "firmware", "efivars", "connections", "selinux", "null", "zero", "urandom", "net", "tun",
    # the kubelet, container runtimes, libvirt, Proxmox, Ceph
    "kubelet", "pods", "volumes", "plugins", "plugins_registry", "device-plugins", "volumeDevices",
    "volume-subpaths", "globalmount",
    "mount", "kubernetes.io", "kubernetes.io~csi", "kubernetes.io~empty-dir", "kubernetes.io~projected",
    "kubernetes.io~secret",
    "kubernetes.io~configmap", "kubernetes.io~local-volume", "containers", "containerd", "docker", "crio",
    "rancher", "k3s", "rke2",
    "agent", "storage", "overlay", "overlay-containers", "overlay2", "overlayfs", "merged", "userdata",
    "snapshots", "rootfs",
    "io.containerd.snapshotter.v1.overlayfs", "io.containerd.runtime.v2.task", "k8s.io", "etcd", "etcd-data",
    "kubevirt", "libvirt",
    "images", "qemu", "lxc", "lxd", "incus", "pve", "vz", "ceph", "osd", "longhorn", "portworx", "topolvm",
    "database", "data",
    "postgresql", "mysql", "backup",
))  # fmt: skip

# Block devices as the kernel numbers them (Documentation/admin-guide/devices.txt): with letters, and with digits.
_LETTERED = ("sd", "hd", "vd", "xvd", "dasd", "ubd", "rssd", "skd")
_COUNTED = (
    "nvme", "mmcblk", "pmem", "dm-", "md_d", "md", "loop", "zram", "ram", "nbd", "rbd", "rnbd", "drbd", "bcache",
    "zd", "sr", "scd",
    "fd", "ublkb", "ubiblock", "mtdblock", "mtd", "ndblk", "nullb", "dcssblk", "etherd", "st", "sg", "ttyS", "tty",
    "nst",
    "watchdog",
)  # fmt: skip
# What follows the number of a namespace, path or partition, and of the parts of an eMMC (boot0, gp1, rpmb).
_DECIMAL = "0123456789"
_NUMBERING = frozenset(_DECIMAL + "ncps")
_HARDWARE_PARTS = ("boot", "rpmb", "gp")
_LETTERS, _DIGITS, _LINK, _LONGEST = 4, 5, 15, 12
_HEX = frozenset("0123456789abcdefABCDEF")
_MAC = 12
# Between the name of a unit and what systemd makes of it.
_SUFFIXES = (
    ".service", ".socket", ".target", ".mount", ".automount", ".swap", ".timer", ".path", ".slice", ".scope",
    ".device",
    ".target.wants", ".target.requires", ".service.wants", ".service.requires", ".service.d", ".target.d",
    ".mount.d", ".swap.d",
    ".wants", ".requires", ".rules", ".conf", ".xml", ".d", ".upholds",
)  # fmt: skip


def is_hidden(text: str) -> bool:
    """Whether `text` stands for a name already."""
    return text == HIDDEN or (
        text.startswith(_NUMBERED) and text.endswith("]") and text[len(_NUMBERED) : -1].isdecimal()
    )


def is_kernel_name(text: str) -> bool:
    """Whether the kernel itself gives such a name to a block device: `sda1`, `nvme0n1p2`, `dm-3`, and `c0d0p1` of cciss."""
    for head in _LETTERED:
        letters = text.removeprefix(head).rstrip(_DECIMAL)
        if text.startswith(head) and 0 < len(letters) <= _LETTERS and letters.isascii() and letters.islower():
            return True
    if text.startswith("c"):
        controller, d, drive = text[1:].partition("d")
        return bool(d) and controller.isdecimal() and drive[:1].isdecimal() and _counted(drive)
    return any(text.startswith(head) and _counted(text[len(head) :]) for head in _COUNTED)


def _counted(rest: str) -> bool:
    """A number, and the numbers of namespaces, paths and partitions behind it: `0n1p2`, `0boot0`."""
    for mark in _HARDWARE_PARTS:
        rest = rest.replace(mark, "p")
    return rest[:1].isdecimal() and len(rest) <= _LONGEST and _NUMBERING.issuperset(rest)


def has_mac(link: str) -> bool:
    """Whether the name of a network link ends in the 12 digits of a MAC address (systemd.net-naming-scheme(7): enx, wlx, wwx)."""
    return _MAC <= len(link) <= _LINK and _HEX.issuperset(link[-_MAC:])


class Pseudonyms:
    """What stands for which name on one machine."""

    def __init__(self, links: Iterable[str] = ()) -> None:
        """`links`: names of all network links, so that theirs are numbered in the order of their names whatever is read first."""
        self._shown: dict[tuple[str, str, str], str] = {}
        self._real: dict[str, str] = {}
        self._count = 0
        self._taken = frozenset(links)
        self.links: dict[str, str] = {}
        for link in sorted(self._taken):
            self.link(link)

    def link(self, name: str) -> str:
        """A network link."""
        if not has_mac(name):
            return name
        if name not in self.links:
            number = len(self.links) + 1
            while (shown := f"{name[:-_MAC]}mac{number}") in self._taken or shown in self._real:
                number += 1
            self.links[name], self._real[shown] = shown, name
        return self.links[name]

    def hidden(self, name: str) -> str:
        """The pseudonym of a name, whatever it is."""
        if not name or is_hidden(name):
            return name
        return self._kept(name)

    def _kept(self, name: str, *, head: str = "", tail: str = "") -> str:
        # A file `a.mount` and a directory of that name are two things: the one keeps its ending.
        key = name, head, tail
        if key not in self._shown:
            self._count += 1
            self._shown[key] = f"{head}{_NUMBERED}{self._count}]{tail}"
            self._real[self._shown[key]] = name
        return self._shown[key]

    def component(self, name: str) -> str:
        """One component of a path, or the name of a volume: itself where it is nobody's."""
        if name in WORDS or name in ("", ".", "..") or is_kernel_name(name) or is_hidden(name):
            return name
        if name.isascii() and name.isdecimal() and len(name) <= _DIGITS:
            return name
        return self.block(name) if name.startswith("md_") else self._kept(name)

    def block(self, name: str) -> str:
        """A block device by the name the kernel has for it, which for an md array may be its owner's."""
        if not name.startswith("md_") or is_kernel_name(name) or is_hidden(name[3:]):
            return name
        return self._kept(name, head="md_")

    def file(self, name: str) -> str:
        """The name of a file or a unit that is listed and not read: its ending, which says what it is, stays."""
        tail = max((end for end in _SUFFIXES if name.endswith(end)), key=len, default="")
        stem = name[: len(name) - len(tail)]
        return name if not stem or is_hidden(stem) or stem in WORDS else self._kept(name, tail=tail)

    def path(self, path: str) -> str:
        """A path of files or devices, component by component: what is below what stays as it is."""
        deleted = " (deleted)"
        if path.endswith(deleted):
            return self.path(path.removesuffix(deleted)) + deleted
        return "/".join([self.component(part) for part in path.split("/")])

    def real(self, shown: str) -> str:
        """What a pseudonym stands for; anything else stands for itself."""
        return self._real.get(shown, shown)
