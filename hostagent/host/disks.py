"""Whole disks: what carries each, and what holds it.

sys/block/sda/size                512-byte sectors
sys/block/sda/holders/dm-0        a device that stands on the whole disk
sys/block/sda/sda2/holders/md127  a device that stands on a partition
"""

from __future__ import annotations

from hostagent.host.blockdev import BLOCK, directory, is_numbered, slaves
from hostagent.host.descent import Descent
from hostagent.host.holders import holders
from hostagent.host.mounts import mounts
from hostagent.host.reader import Reader
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

SECTOR = 512
# Block devices that stand on others, on memory or on nothing: what carries them is found from below.
_MADE = ("dm-", "md", "bcache")
_NO_DISKS = ("dm-", "md", "loop", "ram", "zram", "nbd", "rbd", "drbd", "bcache", "zd")


@record
class Disk:
    """One whole disk or NVMe namespace."""

    name: str
    """Kernel name, as in nvme0n1; sys/block."""
    device: str | None
    """Device number, major:minor; sys/block/<name>/dev. Null where there is no such file."""
    size: int | None
    """Bytes; sys/block/<name>/size, which has sectors of 512. Null where there is no such file."""
    functions: tuple[PciAddress, ...]
    """Addresses of the PCI functions that carry it; empty for a disk that is not on PCI."""
    bridges: tuple[PciAddress, ...]
    """Addresses of the bridges above those."""
    network: bool
    """Whether it is reached over the network."""
    in_use: bool
    """Whether `held_by`, `uses` or `held_open` has anything."""
    held_by: tuple[str, ...]
    """Block devices on it or its partitions; holders in sys/block/<name>."""
    uses: tuple[str, ...]
    """What uses it or a partition: mount points, `swap`, loop devices."""
    held_open: tuple[str, ...] | None
    """Names of the processes that have it, or a device on it, open raw. Null where nobody looked, which takes root on
    the machine itself."""


def disks(reader: Reader, standing: dict[str, tuple[str, ...]]) -> tuple[Disk, ...]:
    """Every disk; `standing` says which uses stand on a block device, by its kernel name."""
    names = [name for name in reader.names(BLOCK) if not is_numbered(name, _NO_DISKS)]
    opened = _opened(reader)
    found = [
        _disk(reader, name, standing, opened) for name in names if reader.flag(f"{BLOCK}/{name}/hidden") is not True
    ]
    return tuple(sorted(found, key=lambda disk: natural(disk.name)))


def _opened(reader: Reader) -> dict[str, set[str]] | None:
    """Kernel name of a block device to the processes that have it, or a device on it, open; None where nobody looked."""
    held = holders(reader)
    if held is None:
        return None
    found: dict[str, set[str]] = {}
    for holder in held:
        name = holder.path.removeprefix("/dev/")
        if directory(reader, name) is not None:
            descent = Descent(reader, mounts(reader))
            descent.name(name)
            for below in descent.carriers().chain:
                found.setdefault(below, set()).add(holder.process)
    return found


def _above(reader: Reader) -> dict[str, set[str]]:
    """Kernel name of a block device to those that say they are made of it, for trees in which it does not say so itself."""
    found: dict[str, set[str]] = {}
    for name in reader.names(BLOCK):
        for below in slaves(reader, f"{BLOCK}/{name}") if is_numbered(name, _MADE) else ():
            found.setdefault(below, set()).add(name)
    return found


def natural(name: str) -> tuple[int | str, ...]:
    """Sort key in which `nvme2n1` comes before `nvme10n1`: letters and numbers in turn."""
    parts: list[int | str] = [""]
    for letter in name:
        digit = letter.isascii() and letter.isdigit()
        last = parts[-1]
        if digit:
            if isinstance(last, int):
                parts[-1] = last * 10 + int(letter)
            else:
                parts.append(int(letter))
        elif isinstance(last, str):
            parts[-1] = last + letter
        else:
            parts.append(letter)
    return tuple(parts)


def _disk(reader: Reader, name: str, standing: dict[str, tuple[str, ...]], opened: dict[str, set[str]] | None) -> Disk:
    path = f"{BLOCK}/{name}"
    descent = Descent(reader, mounts(reader))
    descent.name(name)
    carriers = descent.carriers()
    sectors = reader.integer(f"{path}/size")
    above = reader.once(_above)
    held_by, uses = {*reader.names(f"{path}/holders"), *above.get(name, ())}, set(standing.get(name, ()))
    for part in reader.names(path):
        if part.startswith(name) and part != name:
            held_by.update(reader.names(f"{path}/{part}/holders"), above.get(part, ()))
            uses.update(standing.get(part, ()))
    held_open = None if opened is None else tuple(sorted(opened.get(name, ())))
    return Disk(
        name=name,
        device=reader.text(f"{path}/dev"),
        size=None if sectors is None else sectors * SECTOR,
        functions=carriers.functions,
        bridges=carriers.bridges,
        network=carriers.network,
        in_use=bool(held_by or uses or held_open),
        held_by=tuple(sorted(held_by, key=natural)),
        uses=tuple(sorted(uses)),
        held_open=held_open,
    )
