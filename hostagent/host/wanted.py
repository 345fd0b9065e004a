"""A device that configuration names: how it is found, and whether it is in use already.

    UUID=0a1b, LABEL=, PARTUUID=, PARTLABEL=, ID=     udev's links, `dev/disk/by-uuid/0a1b` (systemd-udevd.service(8))
    /dev/disk/by-path/...                             the same
    /dev/sda1, /dev/mapper/vg-lv, /dev/vg/lv          the kernel's own names, and device-mapper's

What is mounted, swapped to or opened already is a use of its own. A name that has no link in dev/disk is of a device that is not
plugged in, and keeps nothing here. Where there are no such links at all, or where the device is one that is made of others and
is not made yet (`/dev/md0`, `/dev/vg/lv`), the way is lost.
"""

from __future__ import annotations

import errno

from hostagent.host.blockdev import NUMBERS, directory, is_numbered, kernel_name, numbers
from hostagent.host.escapes import encoded
from hostagent.host.filesystems import is_storage
from hostagent.host.mounts import mounts, swaps
from hostagent.host.reader import Reader
from hostagent.host.unread import unread
from hostagent.values.blanks import fields
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINKS = "dev/disk"
_TAGS = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel", "ID": "by-id"}
# The first access mounts it, whenever that is.
_ON_ACCESS = "x-systemd.automount"
# Block devices that are made of others: that one is not there says that it was not made yet.
_MADE = ("md", "dm-", "bcache")
# Only root may read some of these.
_PRIVATE = (errno.EACCES, errno.EPERM)


@record
class Wanted:
    """One device that the next boot uses.

    `what`: the mount point, `swap`, `luks` or `md`. `source`: its device as the file names it.
    `place`: file and line. `device`: its kernel name, None where the way to it is `lost`.
    """

    what: str
    source: str
    place: str
    device: str | None
    lost: str | None


def numbered(reader: Reader, path: str) -> Iterator[tuple[int, str]]:
    """The lines of a file from 1 on, those that say nothing too."""
    data = reader.raw(path, tolerate=_PRIVATE) or b""
    return enumerate(data.decode("utf-8", "replace").split("\n"), 1)


def words(line: str) -> list[str]:
    """What blanks part; none of a comment."""
    found = fields(line)
    return [] if found[:1] and found[0].startswith("#") else found


def lines(reader: Reader, path: str) -> Iterator[tuple[str, list[str]]]:
    """(file and line, words) of the lines that say something."""
    for number, line in numbered(reader, path):
        found = words(line)
        if found:
            yield f"{path}:{number}", found


def forbidden(reader: Reader, paths: Iterable[str]) -> Iterator[Wanted]:
    """Files, asked for before, that are there and that we may not read: what they name may be any device."""
    for path in paths:
        if unread(reader, "read", path) and reader.raw(path, tolerate=_PRIVATE) is None:
            text = f"{path} could not be read; `hostagent probe -o json` as root on the machine reads it"
            yield Wanted(what=path, source=path, place=path, device=None, lost=text)


def is_optional(options: str) -> bool:
    """Whether a boot goes on without it, and nothing waits for an access to it."""
    given = options.split(",")
    return "nofail" in given or ("noauto" in given and _ON_ACCESS not in given)


def mounted(reader: Reader, place: str, source: str, point: str, *, swap: bool) -> Wanted | None:
    """What a line mounts or swaps to; None where it is in use now."""
    if swap:
        return device(reader, place, "swap", source) if not _is_swapped(reader, source) else None
    return device(reader, place, point, source) if not _is_mounted(reader, source, point) else None


def _is_mounted(reader: Reader, source: str, point: str) -> bool:
    """Whether it is what is mounted there. An automount's autofs, a tmpfs or another device is not.

    The root file system is mounted before anybody reads fstab, whatever that says of it.
    """
    here = [one for one in mounts(reader) if one.point.rstrip("/") == point.rstrip("/") and is_storage(one)]
    name = linked(reader, source) if here and point != "/" else None
    if name is None or any(mount.device is None for mount in here):
        return bool(here)
    found = {reader.target(f"{NUMBERS}/{one.device}") or numbers(reader).get(str(one.device)) for one in here}
    return name in found or None in found


def _is_swapped(reader: Reader, source: str) -> bool:
    """Whether it is swapped to; of one that leads nowhere, whether something that it may be is. zram has no line anywhere."""
    name = linked(reader, source)
    active = {kernel_name(reader, path) or path for path in swaps(reader) if path.startswith("/dev/")}
    if name is not None:
        return name in active
    volume = not source.partition("=")[1]
    return any(is_numbered(one, ("dm-",)) if volume else not is_numbered(one, ("zram",)) for one in active)


def device(reader: Reader, place: str, what: str, source: str) -> Wanted | None:
    """None where the source is no device, or one that is not plugged in."""
    tag, equals, _ = source.partition("=")
    if not source.startswith("/dev/") and not (equals and tag in _TAGS):
        return None
    name = linked(reader, source)
    if name is not None:
        return Wanted(what=what, source=source, place=place, device=name, lost=None)
    if (equals or source.startswith(f"/{LINKS}/")) and reader.exists(LINKS):
        return None
    plain = not equals and not source.startswith((f"/{LINKS}/", "/dev/mapper/")) and source.count("/") == 2
    if plain and not is_numbered(source.removeprefix("/dev/"), _MADE):
        # A disk's kernel name: such a disk is not here.
        return None
    return Wanted(what=what, source=source, place=place, device=None, lost=f"{place}: {source} leads to no device")


def linked(reader: Reader, source: str) -> str | None:
    """The kernel name of a device by its tag, by a link of udev's, by a device-mapper name, or as it is."""
    tag, equals, value = source.partition("=")
    if equals and tag in _TAGS:
        source = f"/{LINKS}/{_TAGS[tag]}/{encoded(value.strip(chr(34)))}"
    if source.startswith(f"/{LINKS}/"):
        return reader.target(source.lstrip("/"))
    name = kernel_name(reader, source)
    if name is not None and directory(reader, name) is not None:
        return name
    # A logical volume: device-mapper doubles the hyphens of both names.
    group, slash, volume = source.removeprefix("/dev/").partition("/")
    if slash and group != "mapper" and "/" not in volume:
        return kernel_name(reader, f"/dev/mapper/{group.replace('-', '--')}-{volume.replace('-', '--')}")
    return None
