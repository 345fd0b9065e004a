"""Which processes hold what only one can hold: watchdogs, VFIO groups and devices, files on huge pages.

No file holds this fact, so it is collected on the live machine from the open files of every process, and recorded as
`holders.json` in a capture. Only root sees the files of other users' processes: anyone else does not know. Nothing is opened:
/proc/<pid>/fd/<n> are links, and reading a link arms no watchdog. Of a process only its name is kept.

    [["/dev/watchdog0", "systemd"], ["/dev/vfio/14", "qemu-system-x86"]]
"""

from __future__ import annotations

import os

from hostagent.host.mounts import mounts
from hostagent.host.reader import Reader
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDERS = "holders.json"
_NODES = ("/dev/watchdog", "/dev/vfio/")
# Where something holdable shows itself; without it no process is looked at.
_SIGNS = ("sys/class/watchdog", "sys/class/vfio", "sys/class/vfio-dev")
_LEGACY = "sys/module/ipmi_watchdog"


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
    import json

    try:
        pairs = json.loads(text)
        return tuple(Holder(path=str(path), process=str(process)) for path, process in pairs)
    except (ValueError, TypeError, RecursionError):
        reader.malformed(HOLDERS, "pairs of a path and a process", text)
        return None


def written(pairs: set[tuple[str, str]]) -> str:
    """The text of `holders.json`."""
    import json

    return json.dumps(sorted(pairs)) + "\n"


def collected(pools: tuple[str, ...]) -> set[tuple[str, str]]:
    """(path, process name) of every open file that counts, on the live machine."""
    import psutil

    found: set[tuple[str, str]] = set()
    for process in psutil.process_iter(["name"]):
        for target in open_files(f"{psutil.PROCFS_PATH}/{process.pid}/fd"):
            held = counted(target, pools)
            if held is not None:
                found.add((held, process.info["name"] or "?"))
    return found


def open_files(directory: str) -> Iterator[str]:
    """What the links of an fd directory point to. psutil's own list leaves device nodes out."""
    try:
        names = os.listdir(directory)
    except OSError:
        # The process has ended.
        return
    for name in names:
        try:
            yield os.readlink(f"{directory}/{name}")
        except OSError:
            # The file has been closed.
            continue


def counted(target: str, pools: tuple[str, ...]) -> str | None:
    """What an open file counts as: its device node, or the hugetlbfs it is on."""
    if target.startswith(_NODES):
        return target.removesuffix(" (deleted)")
    return next((pool for pool in pools if target.startswith(f"{pool}/")), None)
