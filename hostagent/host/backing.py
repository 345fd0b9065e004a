"""What files are that block devices and swap were made of: on which file system, or which device their node is of.

    sys/block/loop0/loop/backing_file   /var/lib/kubelet/plugins/.../dev/4b1e   as the process that opened it saw it
    sys/block/zram0/backing_dev         /dev/sdb1, or none
    proc/swaps                          /swapfile partition 8388604 0 -2

A path does not tell: it may have been opened before something else was mounted there, its file system may be unmounted since
(umount --lazy), it may be another namespace's, and it may be a device node anywhere. lstat does, of the live machine alone,
and is recorded as `backing.txt` in a capture. Nothing is opened.

    loop0 node 259:3
    loop3 none 0:0
    swap0 file 8:2
"""

from __future__ import annotations

import os
import stat

from hostagent.host.blockdev import BLOCK, CLASS, directory, is_numbered
from hostagent.host.mounts import swaps
from hostagent.host.problem import Problem
from hostagent.host.reader import Reader
from hostagent.values.record import record

BACKING = "backing.txt"
NODE, FILE, GONE = "node", "file", "none"
DELETED = " (deleted)"
_MADE_OF = (("loop", "loop/backing_file"), ("zram", "backing_dev"))


@record
class Backing:
    """What a path led to. `kind`: node, file, or none. `number`: of the device its node is of, or its file system is on."""

    kind: str
    number: str


def backing_paths(reader: Reader) -> dict[str, tuple[str, str]]:
    """Kernel names of the loop and zram devices that have something below them: the file that says so, and the path it says."""
    return reader.once(_backing_paths)


def _backing_paths(reader: Reader) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name in reader.names(BLOCK) or reader.names(CLASS):
        last = next((last for driver, last in _MADE_OF if is_numbered(name, (driver,))), None)
        base = None if last is None else directory(reader, name)
        path = None if base is None else reader.text(f"{base}/{last}")
        if path and path != "none":
            found[name] = f"{base}/{last}", path
    return found


def swap_key(number: int) -> str:
    """The name of the swap in the line `number` of proc/swaps, from 0."""
    return f"swap{number}"


def backing(reader: Reader, key: str) -> Backing | None:
    """What the path of a device, or of a swap, led to; None where nobody looked."""
    return reader.once(_looked_at).get(key)


def _looked_at(reader: Reader) -> dict[str, Backing]:
    paths = {name: path for name, (_, path) in backing_paths(reader).items()}
    paths |= {swap_key(number): path for number, path in enumerate(swaps(reader))}
    if not paths:
        return {}
    text = reader.recorded(BACKING, lambda: _written(reader, paths), anywhere=True)
    return {} if text is None else _read(reader, text)


def _written(reader: Reader, paths: dict[str, str]) -> str:
    found = {key: seen for key, path in paths.items() if (seen := _seen(reader, path)) is not None}
    return "".join(f"{key} {seen.kind} {seen.number}\n" for key, seen in sorted(found.items()))


def _seen(reader: Reader, path: str) -> Backing | None:
    """What is at a path now; None where that is hidden from us."""
    if path.endswith(DELETED):
        return None
    found = reader.host.ask("status", path.lstrip("/"))
    if not isinstance(found, os.stat_result):
        return None if isinstance(found, Problem) else Backing(kind=GONE, number="0:0")
    node = stat.S_ISBLK(found.st_mode)
    number = found.st_rdev if node else found.st_dev
    return Backing(kind=NODE if node else FILE, number=f"{os.major(number)}:{os.minor(number)}")


def _read(reader: Reader, text: str) -> dict[str, Backing]:
    found = {}
    for line in text.split("\n"):
        key, _, rest = line.partition(" ")
        kind, _, number = rest.partition(" ")
        if kind in (NODE, FILE, GONE) and number:
            found[key] = Backing(kind=kind, number=number)
        elif line:
            reader.malformed(BACKING, "a name, what it is, and a number", line)
    return found
