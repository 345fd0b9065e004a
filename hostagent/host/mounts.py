r"""What is mounted, and what is swapped to, as the host's first process sees it.

    proc/1/mountinfo    36 35 98:0 /mnt1 /mnt/my\040disk rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue
    proc/swaps          Filename  Type  Size  Used  Priority
                        /dev/dm-1 partition 8388604 0 -2

(proc_pid_mountinfo(5), proc_swaps(5).) `proc/self/mountinfo` is read where process 1 is hidden from us; `mounts`, which
has no device numbers, where neither is there. Blanks in names are octal escapes. Of super block options only
those that name devices are taken.
"""

from __future__ import annotations

from hostagent.host.escapes import unescaped
from hostagent.host.limits import MOUNTS as MOST
from hostagent.host.reader import Reader
from hostagent.values.blanks import fields
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOUNTINFO = ("proc/1/mountinfo", "proc/self/mountinfo")
MOUNTS = ("proc/1/mounts", "proc/self/mounts", "proc/mounts")
SWAPS = "proc/swaps"
MEMINFO = "proc/meminfo"
_HEADING = "Filename"
_DELETED = " (deleted)"
DEVICES = frozenset(("logdev", "rtdev", "jdev", "journal_path"))


@record
class Mount:
    """One mount.

    `device`: `major:minor` of its block device, None where it has none or only proc/mounts was there. `number`: the same, of
    file systems without a block device too (`0:35`): two mounts of one number are of one file system. `root`: what of the file
    system is mounted (`/`, a directory, or one device node of devtmpfs). Both None where only proc/mounts was there.
    `more`: further devices that its options name: logs and journals, volumes for data.
    """

    point: str
    filesystem: str
    source: str
    device: str | None
    number: str | None
    root: str | None
    more: tuple[str, ...]


def mounts(reader: Reader) -> tuple[Mount, ...]:
    """All mounts in the order of mounting; read once a survey."""
    return reader.once(_mounts)[0]


def all_known(reader: Reader) -> bool:
    """Whether there are mounts, and each of them could be read: what is mounted behind a line that could not is in use too."""
    found, lines = reader.once(_mounts)
    return 0 < len(found) == lines


def _mounts(reader: Reader) -> tuple[tuple[Mount, ...], int]:
    """The mounts, and how many lines there are."""
    for paths, parse in ((MOUNTINFO, mountinfo_line), (MOUNTS, mounts_line)):
        for path in paths:
            lines = reader.lines(path)
            if len(lines) > MOST:
                reader.too_large(path, f"{MOST} mounts")
            if lines:
                return tuple(_parsed(reader, path, lines[:MOST], parse)), len(lines)
    return (), 0


def _parsed(reader: Reader, path: str, lines: tuple[str, ...], parse: Callable[[str], Mount | None]) -> Iterator[Mount]:
    for line in lines:
        mount = parse(line)
        if mount is None:
            reader.malformed(path, "a mount", line)
        else:
            yield mount


def mountinfo_line(line: str) -> Mount | None:
    """A line of mountinfo, or None. The optional fields before `-` vary in number.

    Only blanks part fields: the kernel escapes those in names, and no other white space.
    """
    fields = line.split(" ")
    if len(fields) < 9 or "-" not in fields[6:-2]:
        return None
    dash = fields.index("-", 6)
    major, colon, minor = fields[2].partition(":")
    if not (colon and major.isdecimal() and minor.isdecimal()):
        return None
    return Mount(
        point=unescaped(fields[4]),
        filesystem=fields[dash + 1],
        source=unescaped(fields[dash + 2]),
        # Major 0 is for numbers the kernel makes up: tmpfs, NFS, overlays, and btrfs too.
        device=None if major == "0" else fields[2],
        number=fields[2],
        root=unescaped(fields[3]),
        more=_more(fields[dash + 3 :]),
    )


def _more(options: list[str]) -> tuple[str, ...]:
    """Devices in the options of a super block: `logdev=/dev/sdb1` and `rtdev=` (xfs(5)), `journal_path=` (ext4(5)), `jdev=`."""
    if not options or ("dev=/" not in options[0] and "journal_path=/" not in options[0]):
        return ()
    pairs = (option.partition("=") for option in options[0].split(","))
    return tuple(unescaped(value) for name, _, value in pairs if name in DEVICES and value.startswith("/"))


def mounts_line(line: str) -> Mount | None:
    """A line of proc/mounts, or None."""
    fields = line.split(" ")
    if len(fields) < 4:
        return None
    return Mount(
        point=unescaped(fields[1]),
        filesystem=fields[2],
        source=unescaped(fields[0]),
        device=None,
        number=None,
        root=None,
        more=_more(fields[3:4]),
    )


def swaps(reader: Reader) -> tuple[str, ...]:
    """The files and devices swapped to. What they hold changes from second to second and is not read."""
    return reader.once(_swaps)[0]


def swaps_known(reader: Reader) -> bool:
    """Whether each line could be read. A kernel without swap has no such file, and says `SwapTotal: 0 kB`."""
    return reader.once(_swaps)[1]


def _swaps(reader: Reader) -> tuple[tuple[str, ...], bool]:
    lines = reader.lines(SWAPS)
    found, known = [], lines[0].startswith(_HEADING) if lines else _without_swap(reader)
    for line in lines:
        if line.startswith(_HEADING):
            continue
        name = unescaped(line.replace("\t", " ").partition(" ")[0])
        if not name.startswith("/"):
            reader.malformed(SWAPS, "a path", line)
            known = False
            continue
        found.append(name.removesuffix(_DELETED))
    return tuple(found), known


def _without_swap(reader: Reader) -> bool:
    return any(fields(line) == ["SwapTotal:", "0", "kB"] for line in reader.lines(MEMINFO))


def holding(found: tuple[Mount, ...], path: str) -> Mount | None:
    """The mount that the file `path` is on: the deepest mount point above it, the last one mounted there."""
    best: Mount | None = None
    for mount in found:
        inside = mount.point in ("/", path) or path.startswith(f"{mount.point}/")
        if inside and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best
