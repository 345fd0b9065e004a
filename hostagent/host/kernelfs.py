"""Which paths below a root are the kernel's own files, sysfs and procfs: nobody can make a device node there.

    /proc/self/fdinfo/5     mnt_id: 23                                        the mount that a directory is on
    /proc/self/mountinfo    23 27 0:22 / /sys rw,relatime - sysfs sysfs rw    what is mounted there, and what on top of it

(proc_pid_fdinfo(5), proc_pid_mountinfo(5).) Those files are opened without looking first (see `host.regular`), which is what
keeps the walk over the bus at eight system calls a function. statfs(2) would tell the type too, but not what is mounted over
single files: lxcfs mounts files over proc/cpuinfo, container runtimes mount /dev/null over proc/kcore, and a device node can be
mounted so as well. It would also cost `probe` the 5 ms of importing ctypes; this takes a tenth of one.

A root in another mount namespace (/proc/<pid>/root) is on a mount that our mountinfo does not list, and is not trusted.
"""

from __future__ import annotations

import os

TOPS = ("sys", "proc")
_TYPES = {"sys": b"sysfs", "proc": b"proc"}
# File systems of the kernel's own that are mounted inside those two, and in which mknod(2) fails too.
_HARMLESS = frozenset(
    (b"sysfs", b"proc", b"cgroup", b"cgroup2", b"debugfs", b"tracefs", b"securityfs", b"pstore", b"efivarfs", b"configfs",
     b"fusectl", b"selinuxfs", b"smackfs", b"binfmt_misc", b"resctrl", b"bpf", b"nfsd", b"autofs")
)  # fmt: skip
# Where something else may be mounted and spoil nothing but what is below it: no link of the kernel leads there.
_ASIDE = {
    "sys": ("sys/fs/", "sys/firmware/", "sys/kernel/debug/", "sys/kernel/config/", "sys/hypervisor/"),
    "proc": ("proc/",),
}
# Links of procfs that leave it: /proc/<pid>/root and its like, and /proc/device-tree.
_LEAVING = ("/root", "/cwd", "/exe", "/fd", "/map_files", "/task", "/device-tree")
_PATH = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class KernelFiles:
    """What is known of one root, whose directory is open as `root`; looked up when the first file is asked for."""

    def __init__(self, root: int) -> None:
        self._root = root
        # Top directory -> beginnings of paths below it to be careful with; None where all of it is.
        self._careful: dict[str, tuple[str, ...] | None] = {}

    def has(self, path: str) -> bool:
        """Whether `path` is surely a file of the kernel's. Links in it may be links of the kernel's own."""
        top = path.partition("/")[0]
        if top not in TOPS:
            return False
        if top not in self._careful:
            self._careful[top] = _careful(self._root, top)
        careful = self._careful[top]
        if careful is None or path.startswith(careful) or "//" in path or "/." in path:
            return False
        return top == "sys" or not any(word in path for word in _LEAVING)


def _careful(root: int, top: str) -> tuple[str, ...] | None:
    try:
        fd = os.open(top, _PATH, dir_fd=root)
    except OSError:
        return None
    try:
        if os.fstat(fd).st_dev == os.fstat(root).st_dev:
            # No mount of its own: an ordinary directory, whatever it is called.
            return None
        said = _own(f"fdinfo/{fd}").partition(b"mnt_id:")[2].split(None, 1)
        return careful_with(_own("mountinfo"), said[0], top) if said else None
    except OSError:
        return None
    finally:
        os.close(fd)


def _own(name: str) -> bytes:
    """A file of our own process."""
    fd = os.open(f"/proc/self/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while data := os.read(fd, 1 << 16):
            parts.append(data)
        return b"".join(parts)
    finally:
        os.close(fd)


def careful_with(mountinfo: bytes, mount: bytes, top: str) -> tuple[str, ...] | None:
    """Beginnings of the paths below `top` that are not the kernel's; None where any may be. `mount`: the number of its mount."""
    lines = mountinfo.split(b"\n")
    own = next((line.split(b" ") for line in lines if line.startswith(mount + b" ")), None)
    # A mount of a part of sysfs has links that lead out of it.
    if own is None or own[3] != b"/" or _type(own) != _TYPES[top]:
        return None
    inside = own[4] + b"/"
    found = []
    for line in lines:
        if inside not in line:
            continue
        fields = line.split(b" ")
        if not fields[4].startswith(inside) or _type(fields) in _HARMLESS:
            continue
        path = f"{top}/{os.fsdecode(fields[4][len(inside) :])}"
        # Of a process there are many names, and octal escapes are not undone here.
        if not path.startswith(_ASIDE[top]) or "\\" in path or (top == "proc" and path[5:6].isdigit()):
            return None
        found.append(path)
    return tuple(found)


def _type(fields: list[bytes]) -> bytes:
    """The type of the file system in a line of mountinfo: the field after the dash, which follows six or more."""
    return fields[fields.index(b"-", 6) + 1] if b"-" in fields[6:-1] else b""
