r"""Storage that is not in use now and will be after a reboot: what the configuration of the next boot names.

    etc/fstab                     UUID=0a1b /data xfs defaults 0 2            fstab(5)
    etc/crypttab                  data UUID=0a1c none luks                    crypttab(5)
    etc/systemd/system/*.mount    [Mount] What=, Options=; .swap likewise     systemd.mount(5), systemd.swap(5)
    etc/mdadm.conf                ARRAY /dev/md0 devices=/dev/sda1,/dev/sdb1  mdadm.conf(5)
    etc/multipath.conf            multipaths { multipath { wwid 3600... } }   multipath.conf(5)

Lines with `noauto` or `nofail` do not count: a boot goes on without them. What is mounted, swapped to or opened already is a
use of its own. Names are followed through udev's links (`dev/disk/by-uuid/<uuid>`); a name that has no link there is of a device
that is not plugged in, and holds nothing here. Where there are no such links at all, the way is lost.
"""

from __future__ import annotations

import errno

from hostagent.host.blockdev import directory, is_numbered, kernel_name
from hostagent.host.escapes import encoded, unescaped
from hostagent.host.mounts import mounts, swaps
from hostagent.host.reader import Reader
from hostagent.values.blanks import stripped
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FSTAB, CRYPTTAB, MULTIPATH = "etc/fstab", "etc/crypttab", "etc/multipath.conf"
MDADM = ("etc/mdadm.conf", "etc/mdadm/mdadm.conf")
UNITS = ("etc/systemd/system", "usr/lib/systemd/system")
LINKS = "dev/disk"
_TAGS = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel", "ID": "by-id"}
_OPTIONAL = frozenset(("noauto", "nofail"))
# Only root may read some of these; who may not has not looked.
_PRIVATE = (errno.EACCES, errno.EPERM)
_BY_ID = ("dm-uuid-mpath-{}", "scsi-{}", "nvme-{}", "ata-{}")


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


def wanted(reader: Reader) -> tuple[Wanted, ...]:
    """What is wanted and not in use now."""
    found = [*_fstab(reader), *_crypttab(reader), *_units(reader), *_arrays(reader), *_multipath(reader)]
    return tuple(one for one in found if one is not None)


def _numbered(reader: Reader, path: str) -> Iterator[tuple[int, str]]:
    data = reader.raw(path, tolerate=_PRIVATE) or b""
    return enumerate(data.decode("utf-8", "replace").split("\n"), 1)


def _lines(reader: Reader, path: str) -> Iterator[tuple[str, list[str]]]:
    """(file and line, words) of the lines that say something."""
    for number, line in _numbered(reader, path):
        words = line.replace("\t", " ").split(" ")
        found = [word for word in words if word]
        if found and not found[0].startswith("#"):
            yield f"{path}:{number}", found


def _optional(options: str) -> bool:
    return not _OPTIONAL.isdisjoint(options.split(","))


def _fstab(reader: Reader) -> Iterator[Wanted | None]:
    for place, words in _lines(reader, FSTAB):
        if len(words) < 3 or _optional("".join(words[3:4])):
            continue
        source, point = unescaped(words[0]), unescaped(words[1])
        yield _mounted(reader, place, source, point, swap=words[2] == "swap")


def _mounted(reader: Reader, place: str, source: str, point: str, *, swap: bool) -> Wanted | None:
    """What a line mounts or swaps to; None where it is in use now."""
    if swap:
        return _device(reader, place, "swap", source) if not _swapped(reader, source) else None
    if point.rstrip("/") in {mount.point.rstrip("/") for mount in mounts(reader)}:
        return None
    return _device(reader, place, point, source)


def _swapped(reader: Reader, source: str) -> bool:
    name = linked(reader, source)
    active = swaps(reader)
    return bool(active) and (name is None or name in {kernel_name(reader, path) for path in active})


def _device(reader: Reader, place: str, what: str, source: str) -> Wanted | None:
    """None where the source is no device, or one that is not plugged in."""
    tag, equals, _ = source.partition("=")
    if not source.startswith("/dev/") and not (equals and tag in _TAGS):
        return None
    name = linked(reader, source)
    if name is not None:
        return Wanted(what=what, source=source, place=place, device=name, lost=None)
    if (equals or source.startswith(f"/{LINKS}/")) and reader.exists(LINKS):
        return None
    if not equals and not source.startswith((f"/{LINKS}/", "/dev/mapper/")) and source.count("/") == 2:
        # A kernel name: such a device is not here.
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


def _crypttab(reader: Reader) -> Iterator[Wanted | None]:
    for place, words in _lines(reader, CRYPTTAB):
        if len(words) < 2 or _optional("".join(words[3:4])) or kernel_name(reader, f"/dev/mapper/{words[0]}"):
            continue
        yield _device(reader, place, "luks", words[1])


def _units(reader: Reader) -> Iterator[Wanted | None]:
    read: set[str] = set()
    for base in UNITS:
        for name in reader.names(base):
            if name.endswith((".mount", ".swap")) and name not in read:
                read.add(name)
                yield _unit(reader, f"{base}/{name}", swap=name.endswith(".swap"))


def _unit(reader: Reader, path: str, *, swap: bool) -> Wanted | None:
    said: dict[str, tuple[str, str]] = {}
    for number, line in _numbered(reader, path):
        name, equals, value = line.partition("=")
        if equals:
            said[stripped(name)] = f"{path}:{number}", stripped(value)
    place, source = said.get("What", (path, ""))
    if not source or _optional(said.get("Options", (path, ""))[1]):
        return None
    return _mounted(reader, place, source, said.get("Where", (path, ""))[1], swap=swap)


def _arrays(reader: Reader) -> Iterator[Wanted | None]:
    """Members of arrays by their devices=; of others, whether as many arrays run as are configured."""
    running = [name for name in reader.names("sys/block") if is_numbered(name, ("md",))]
    lines = [(place, words) for path in MDADM for place, words in _lines(reader, path) if words[0].upper() == "ARRAY"]
    lines = [(place, words) for place, words in lines if "<ignore>" not in words]
    for place, words in lines[len(running) :]:
        named = next((word for word in words if word.lower().startswith("devices=")), None)
        if named is None:
            text = f"{place}: an array that does not run, and which devices are its members is not known"
            yield Wanted(what="md", source="ARRAY", place=place, device=None, lost=text)
        for device in named.partition("=")[2].split(",") if named is not None else ():
            yield _device(reader, place, "md", device)


def _multipath(reader: Reader) -> Iterator[Wanted | None]:
    """Devices that are given a name by their WWID."""
    section: list[str] = []
    for place, words in _lines(reader, MULTIPATH):
        if words[-1] == "{":
            section.append(words[0])
        elif words[0] == "}":
            section = section[:-1]
        elif words[0] == "wwid" and len(words) > 1 and section[:1] == ["multipaths"]:
            wwid = words[1].strip('"')
            links = (f"/{LINKS}/by-id/{pattern.format(wwid)}" for pattern in _BY_ID)
            found = next((source for source in links if linked(reader, source)), None)
            if found is not None:
                yield _device(reader, place, "multipath", found)
