r"""Storage that is not in use now and will be after a reboot: what the configuration of the next boot names.

    etc/fstab                     UUID=0a1b /data xfs defaults 0 2            fstab(5)
    etc/crypttab                  data UUID=0a1c /key:LABEL=stick luks        crypttab(5)
    etc/veritytab                 data /dev/sda1 /dev/sda2 <root hash>        veritytab(5)
    etc/integritytab              data /dev/sda1                              integritytab(5)
    .mount and .swap units        `hostagent.host.nextboot_units`
    mdadm, multipath              `hostagent.host.nextboot_arrays`

Lines with `noauto` or `nofail` do not count: a boot goes on without them.
"""

from __future__ import annotations

from hostagent.host.blockdev import kernel_name
from hostagent.host.escapes import unescaped
from hostagent.host.mounts import DEVICES
from hostagent.host.nextboot_arrays import array_files, arrays, multipath, multipath_files
from hostagent.host.nextboot_units import units
from hostagent.host.reader import Reader
from hostagent.host.wanted import Wanted, device, forbidden, is_optional, lines, linked, mounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FSTAB", "TABLES", "Wanted", "linked", "wanted"]

FSTAB = "etc/fstab"
# By file: what it makes, the columns of devices, and the one of options. A key may be on a device of its own.
TABLES = {
    "etc/crypttab": ("luks", (1,), 3),
    "etc/veritytab": ("verity", (1, 2), 4),
    "etc/integritytab": ("integrity", (1,), 3),
}
_KEY = 2
_GENERATED = ("/dev/urandom", "/dev/random", "/dev/hw_random", "/dev/null")


def wanted(reader: Reader) -> tuple[Wanted, ...]:
    """What is wanted and not in use now."""
    found = [*_fstab(reader), *_tables(reader), *units(reader), *arrays(reader), *multipath(reader)]
    private = (FSTAB, *TABLES, *array_files(reader), *multipath_files(reader))
    return tuple(one for one in (*found, *forbidden(reader, private)) if one is not None)


def _fstab(reader: Reader) -> Iterator[Wanted | None]:
    for place, words in lines(reader, FSTAB):
        options = "".join(words[3:4])
        if len(words) < 3 or is_optional(options):
            continue
        source, point = unescaped(words[0]), unescaped(words[1])
        yield mounted(reader, place, source, point, swap=words[2] == "swap")
        for name, value in _settings(options):
            if name in DEVICES:
                yield device(reader, place, point, unescaped(value))


def _tables(reader: Reader) -> Iterator[Wanted | None]:
    """Volumes that are not open now, by the devices below them; of dm-crypt, by those of the key and the header too."""
    for path, (what, columns, last) in TABLES.items():
        for place, words in lines(reader, path):
            options = "".join(words[last : last + 1])
            if len(words) < 2 or is_optional(options) or kernel_name(reader, f"/dev/mapper/{words[0]}"):
                continue
            named = [word for column in columns for word in words[column : column + 1]]
            if what == "luks":
                headers = (value for name, value in _settings(options) if name == "header")
                named += [one for word in (*words[_KEY : _KEY + 1], *headers) for one in _beside(word)]
            for source in named:
                yield device(reader, place, what, source)


def _settings(options: str) -> Iterator[tuple[str, str]]:
    """`journal_path=/dev/sdb1` among options."""
    for option in options.split(","):
        name, equals, value = option.partition("=")
        if equals:
            yield name, value


def _beside(key: str) -> Iterator[str]:
    """The device that a key or header is read from: itself, or `/key:UUID=0a1b`, a file of one's file system."""
    if key.startswith("/dev/"):
        yield from () if key in _GENERATED else (key,)
    else:
        yield key.partition(":")[2]
