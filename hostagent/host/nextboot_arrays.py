"""Arrays that mdadm assembles, and devices that multipathd gives a name.

    etc/mdadm.conf                ARRAY /dev/md0 metadata=1.2          mdadm.conf(5): keywords may be cut to three letters, and
                                     devices=/dev/sda1,/dev/sdb1       a line that begins with a blank goes on with the last
    etc/multipath.conf            multipaths { multipath { wwid 3600... } }                                 multipath.conf(5)

and what the directories beside them hold: etc/mdadm.conf.d, etc/mdadm/mdadm.conf.d, etc/multipath/conf.d.
"""

from __future__ import annotations

from hostagent.host.blockdev import is_numbered
from hostagent.host.reader import Reader
from hostagent.host.wanted import LINKS, Wanted, device, lines, linked, numbered, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MDADM = ("etc/mdadm.conf", "etc/mdadm/mdadm.conf")
MULTIPATH = "etc/multipath.conf"
_MORE = "etc/multipath/conf.d"
_BY_ID = ("dm-uuid-mpath-{}", "scsi-{}", "nvme-{}", "ata-{}")
_PATTERNS = frozenset("*?[")

Line = tuple[str, list[str]]


def array_files(reader: Reader) -> tuple[str, ...]:
    """The files of mdadm."""
    return tuple(path for main in MDADM for path in (main, *_below(reader, f"{main}.d")))


def multipath_files(reader: Reader) -> tuple[str, ...]:
    """The files of multipathd."""
    return (MULTIPATH, *_below(reader, _MORE))


def _below(reader: Reader, base: str) -> list[str]:
    return [f"{base}/{name}" for name in reader.names(base) if name.endswith(".conf")]


def arrays(reader: Reader) -> Iterator[Wanted | None]:
    """Members of arrays by their devices=; of others, whether as many arrays run as are configured."""
    running = {name for name in reader.names("sys/block") if is_numbered(name, ("md",))}
    waiting = [line for path in array_files(reader) for line in _configured(reader, path)]
    named = {place: name for place, said in waiting if (name := _array(reader, said)) in running}
    waiting = [(place, said) for place, said in waiting if place not in named]
    unnamed = len(running - set(named.values()))
    for number, (place, said) in enumerate(waiting):
        members = [one for word in said if word.lower().startswith("devices=") for one in word[8:].split(",")]
        for member in members:
            yield (
                _lost(place, f"which devices {member} names")
                if _PATTERNS & set(member)
                else device(reader, place, "md", member)
            )
        if not members and number >= unnamed:
            yield _lost(place, "an array that does not run, and which devices are its members")


def _configured(reader: Reader, path: str) -> Iterator[Line]:
    """ARRAY lines, each with the lines that go on with it."""
    found: list[Line] = []
    for number, line in numbered(reader, path):
        said = words(line)
        if said and line[0] in " \t" and found:
            found[-1][1].extend(said)
        elif said:
            found.append((f"{path}:{number}", said))
    return (line for line in found if line[1][0].lower().startswith("arr") and "<ignore>" not in line[1])


def _array(reader: Reader, said: list[str]) -> str | None:
    """The kernel name of the array that a line calls `/dev/md0`, `/dev/md/0`, `0`, or by a name that udev has a link for."""
    if len(said) < 2 or "=" in said[1]:
        return None
    name = said[1].removeprefix("/dev/").removeprefix("md/")
    return f"md{name}" if name.isdecimal() else reader.target(f"dev/md/{name}") or name


def _lost(place: str, what: str) -> Wanted:
    return Wanted(what="md", source="ARRAY", place=place, device=None, lost=f"{place}: {what} is not known")


def multipath(reader: Reader) -> Iterator[Wanted | None]:
    """Devices that are given a name by their WWID."""
    for path in multipath_files(reader):
        for place, wwid in _wwids(reader, path):
            links = [f"/{LINKS}/by-id/{pattern.format(wwid)}" for pattern in _BY_ID]
            # Without udev's links nothing tells; the way is lost by any of them.
            source = next((link for link in links if linked(reader, link)), links[0])
            yield device(reader, place, "multipath", source)


def _wwids(reader: Reader, path: str) -> Iterator[tuple[str, str]]:
    """(place, WWID) of what stands in `multipaths`; a brace may stand in a line of its own, or anywhere in one."""
    sections: list[str] = []
    last = ""
    for place, line in lines(reader, path):
        for word in " ".join(line).replace("{", " { ").replace("}", " } ").split(" "):
            if word == "{":
                sections.append(last)
            elif word == "}":
                sections = sections[:-1]
            elif last == "wwid" and word and sections[:1] == ["multipaths"]:
                yield place, word.strip('"')
            last = word or last
