"""Which processes hold what only one can hold: watchdogs, VFIO groups and devices, files on huge pages, disks open raw.

No file holds this fact, so it is collected on the live machine from the open files of every process, and recorded as
`holders.json` in a capture. Only root sees the files of other users' processes: anyone else does not know. Nothing is opened:
/proc/<pid>/fd/<n> are links, and reading a link arms no watchdog. Of a process only its name is kept.

A disk is named by the kernel, whatever its node is called where the process has it (a container's /dev has nodes by any name):
stat(2) of such a link tells its device number and opens nothing. Disks that the kernel itself passes on open are in configfs:

    sys/kernel/config/target/core/iblock_0/*/udev_path            of LIO
    sys/kernel/config/nvmet/subsystems/*/namespaces/*/device_path of the NVMe target

    [["/dev/nvme1n1", "qemu-system-x86"], ["/dev/watchdog0", "systemd"], ["/dev/vfio/14", "qemu-system-x86"]]
"""

from __future__ import annotations

import os
import stat

from hostagent.host.blockdev import BLOCK, CLASS
from hostagent.host.mounts import mounts
from hostagent.host.reader import Reader
from hostagent.values.blanks import stripped
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDERS = "holders.json"
# Most often; it is read and written without json, which is slow to import.
NOBODY = "[]\n"
_NODES = ("/dev/watchdog", "/dev/vfio/")
# Where something holdable shows itself; without it no process is looked at.
_SIGNS = ("sys/class/watchdog", "sys/class/vfio", "sys/class/vfio-dev", CLASS, BLOCK)
_LEGACY = "sys/module/ipmi_watchdog"
# What nearly every process has open.
_COMMON = ("/dev/null", "/dev/pts/", "/dev/urandom", "/dev/shm/", "/dev/kvm", "/dev/vhost-", "/dev/tty", "/dev/net/")  # noqa: S108 - nothing is written
_NUMBERS = "/sys/dev/block"
_CONFIG = "/sys/kernel/config"
_EXPORTS = (("LIO", "target/core/*/*/udev_path"), ("nvmet", "nvmet/subsystems/*/namespaces/*/device_path"))


@record
class Holder:
    """A process that has `path` open: a device node, or the mount point of a hugetlbfs."""

    path: str
    process: str


def holders(reader: Reader) -> tuple[Holder, ...] | None:
    """Every holder; None where nobody looked: not as root, or nothing to hold."""
    return reader.once(_holders)


def holding(reader: Reader, paths: tuple[str, ...]) -> tuple[str, ...] | None:
    """Names of the processes that have one of `paths` open; None where nobody looked."""
    found = holders(reader)
    return None if found is None else tuple(sorted({holder.process for holder in found if holder.path in paths}))


def _holders(reader: Reader) -> tuple[Holder, ...] | None:
    if reader.host.live and not (os.geteuid() == 0 and _holdable(reader)):
        return None
    pools = tuple(mount.point for mount in mounts(reader) if mount.filesystem == "hugetlbfs")
    text = reader.recorded(HOLDERS, lambda: written(collected(pools)))
    return None if text is None else _read(reader, text)


def _holdable(reader: Reader) -> bool:
    return reader.exists(_LEGACY) or any(reader.names(sign) for sign in _SIGNS)


def _read(reader: Reader, text: str) -> tuple[Holder, ...] | None:
    if stripped(text) == stripped(NOBODY):
        return ()
    import json

    try:
        pairs = json.loads(text)
        return tuple(Holder(path=str(path), process=str(process)) for path, process in pairs)
    except (ValueError, TypeError, RecursionError):
        reader.malformed(HOLDERS, "pairs of a path and a process", text)
        return None


def written(pairs: set[tuple[str, str]]) -> str:
    """The text of `holders.json`."""
    if not pairs:
        return NOBODY
    import json

    return json.dumps(sorted(pairs)) + "\n"


def collected(pools: tuple[str, ...]) -> set[tuple[str, str]]:
    """(path, process name) of every open file that counts, on the live machine."""
    found: set[tuple[str, str]] = set(_exported())
    for pid in (name for name in os.listdir("/proc") if name.isdecimal()):
        held = set(_held(f"/proc/{pid}/fd", pools))
        if held:
            found |= {(path, _name(int(pid))) for path in held}
    return found


def _held(directory: str, pools: tuple[str, ...]) -> Iterator[str]:
    for descriptor, target in open_files(directory):
        path = counted(target, pools)
        if path is None and target.startswith("/dev/") and not target.startswith(_COMMON):
            path = _disk(f"{directory}/{descriptor}")
        if path is not None:
            yield path


def _disk(link: str) -> str | None:
    """The kernel's name of an open block device, below /dev."""
    try:
        status = os.stat(link)
    except OSError:
        return None
    return _of_number(status.st_rdev) if stat.S_ISBLK(status.st_mode) else None


def _of_number(number: int) -> str | None:
    try:
        place = os.readlink(f"{_NUMBERS}/{os.major(number)}:{os.minor(number)}")
    except OSError:
        return None
    return f"/dev/{place.rpartition('/')[2]}"


def _name(pid: int) -> str:
    import psutil

    try:
        return psutil.Process(pid).name() or "?"
    except psutil.Error:
        return "?"


def _exported() -> Iterator[tuple[str, str]]:
    """Disks that the kernel's own targets pass on."""
    for who, pattern in _EXPORTS:
        for path in _matching(_CONFIG, pattern.split("/")):
            try:
                with open(path, "rb") as file:
                    number = os.stat(stripped(file.read(4096).decode("utf-8", "replace"))).st_rdev
            except (OSError, ValueError):
                # Removed meanwhile, or a file of its own.
                continue
            name = _of_number(number)
            if name is not None:
                yield name, who


def _matching(directory: str, pattern: list[str]) -> Iterator[str]:
    """Paths of a pattern whose `*` stand for any name."""
    if not pattern:
        yield directory
        return
    try:
        names = os.listdir(directory) if pattern[0] == "*" else pattern[:1]
    except OSError:
        return
    for name in names:
        yield from _matching(f"{directory}/{name}", pattern[1:])


def open_files(directory: str) -> Iterator[tuple[str, str]]:
    """(name, target) of the links of an fd directory. psutil's own list leaves device nodes out."""
    try:
        names = os.listdir(directory)
    except OSError:
        # The process has ended.
        return
    for name in names:
        try:
            yield name, os.readlink(f"{directory}/{name}")
        except OSError:
            # The file has been closed.
            continue


def counted(target: str, pools: tuple[str, ...]) -> str | None:
    """What an open file counts as: its device node, or the hugetlbfs it is on."""
    if target.startswith(_NODES):
        return target.removesuffix(" (deleted)")
    return next((pool for pool in pools if target.startswith(f"{pool}/")), None)
