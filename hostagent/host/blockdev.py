"""Block devices by name and by number, and what each stands on.

Files (Documentation/ABI/stable/sysfs-block, Documentation/ABI/testing/sysfs-block-dm):

    sys/dev/block/<major>:<minor>       -> the device's directory; its name is the device's name
    sys/class/block/<name>/partition    the number of a partition; its disk is the directory above
    sys/class/block/<name>/slaves/      what dm, md and bcache devices stand on
    sys/class/block/<name>/holders/     dm, md and bcache devices that stand on it
    sys/block/<name>/size               in sectors of 512 bytes, whatever the disk's own are
    sys/block/<name>/hidden             1 for one path of a multipath namespace (nvme0c0n1)
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.host.redact_names import HIDDEN

CLASS = "sys/class/block"
BLOCK = "sys/block"
NUMBERS = "sys/dev/block"


def is_numbered(name: str, drivers: tuple[str, ...]) -> bool:
    """Whether one of `drivers` gave the name: its word and a number (`loop0`, `dm-3`, `nbd0p1`), not its word alone.

    `mdisk0`, `dm-cache-x` and `ramdisk` are other people's. md arrays may have names instead: `md_backup`, `md_d0`.
    """
    return any(
        name.startswith(driver) and (_is_number(name[len(driver) :]) or (driver == "md" and name.startswith("md_")))
        for driver in drivers
    )


def _is_number(text: str) -> bool:
    """`0`, and `0p1` of a partition."""
    number, _, part = text.partition("p")
    return text.isascii() and number.isdecimal() and (part.isdecimal() or number == text)


def directory(reader: Reader, name: str) -> str | None:
    """The sysfs directory of a block device, None where there is none."""
    if reader.exists(f"{CLASS}/{name}"):
        return f"{CLASS}/{name}"
    if reader.exists(f"{BLOCK}/{name}"):
        return f"{BLOCK}/{name}"
    # Without sys/class/block a partition is found below its disk.
    disk = _disk_name(name)
    return f"{BLOCK}/{disk}/{name}" if disk is not None and reader.exists(f"{BLOCK}/{disk}/{name}") else None


def parent(reader: Reader, name: str, path: str) -> str | None:
    """The disk of a partition; None where `path` is no partition."""
    disk = _disk_name(name)
    if not reader.exists(f"{path}/partition") and path != f"{BLOCK}/{disk}/{name}":
        return None
    above = (reader.resolve(path) or path).split("/")[-2]
    # A partition that is a directory of sys/class/block itself: only its name tells.
    return disk if above == "block" else above


def _disk_name(partition: str) -> str | None:
    """`sda` for `sda1`, `nvme0n1` for `nvme0n1p1`, None for a name without a number."""
    stem = partition.rstrip("0123456789")
    if stem == partition or not stem:
        return None
    return stem[:-1] if stem.endswith("p") and stem[-2:-1].isdigit() else stem


def slaves(reader: Reader, path: str) -> tuple[str, ...]:
    """What a device stands on; md says it a second time in `md/dev-*`, which some captures have alone."""
    found = reader.names(f"{path}/slaves")
    return found or tuple(name[4:] for name in reader.names(f"{path}/md") if name.startswith("dev-"))


def numbers(reader: Reader) -> dict[str, str]:
    """Device number to kernel name, for trees without sys/dev."""
    return reader.once(_numbers)


def _numbers(reader: Reader) -> dict[str, str]:
    found: dict[str, str] = {}
    for base in (CLASS, BLOCK):
        for name in reader.names(base):
            number = reader.text(f"{base}/{name}/dev")
            if number:
                found.setdefault(number, name)
    return found


def kernel_name(reader: Reader, source: str) -> str | None:
    """The kernel's name of a path under /dev: `/dev/sda1`, or a device-mapper name (`/dev/mapper/vg-root`)."""
    name = source.removeprefix("/dev/").replace("/", "!")
    if not name.startswith("mapper!"):
        return name
    # Names are hidden where a capture has to give the same answer: then nothing is looked up.
    return None if HIDDEN in name else reader.once(_mapper_names).get(name.removeprefix("mapper!"))


def _mapper_names(reader: Reader) -> dict[str, str]:
    """Device-mapper name to kernel name."""
    base = CLASS if reader.exists(CLASS) else BLOCK
    names = [name for name in reader.names(base) if name.startswith("dm-")]
    return {label: name for name in names if (label := reader.text(f"{base}/{name}/dm/name"))}
