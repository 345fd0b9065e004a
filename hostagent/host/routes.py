"""Which links the host's routing tables use: default routes, and any route at all.

    proc/1/net/route         Iface Destination Gateway Flags ...      IPv4, main table; addresses are hex
    proc/1/net/ipv6_route    destination length source length next-hop metric refcnt use flags device

(Documentation/networking; fs/proc of the kernel.) Process 1's tables are the host's, whatever namespace we are in. Where it is
hidden (ProtectProc=invisible), ours are read if they are the host's: with PrivateNetwork= they are empty, and "no routes"
would let go of the NIC the node lives on. A multipath route shows its first next hop only, and other tables than the main one
do not show at all: `hostagent.host.addresses` has those. A line that is no route, and a table that cannot be read, may be of any
link: routes are lost then. No address leaves this module.
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.host.unread import unread
from hostagent.values.blanks import fields, stripped
from hostagent.values.number import whole
from hostagent.values.record import record

_UP, _REJECT = 0x1, 0x200
_HOST, _OWN = "proc/1/net", "proc/net"
NET = "sys/class/net"
# A plain file among the directories, where the bonding module is loaded.
NO_LINKS = frozenset(("bonding_masters",))
# What stands for the link of a route that has none (blackhole).
_NO_LINK = "*"


@record
class Lost:
    """Something that the host uses and nobody can find."""

    path: str
    """The file that says so, or could not be read; relative to the root."""
    link: str | None
    """The link that a route leads through and that is not among the links. Null where what is lost may be any."""


@record
class Routes:
    """Names of links, sorted. `default`: with a default route. `any`: with a route beyond the link itself, and `paths` of these.

    `known`: whether a table could be read.
    """

    known: bool
    default: tuple[str, ...]
    any: tuple[str, ...]
    paths: dict[str, str]
    lost: tuple[Lost, ...]


def as_read(name: str) -> str:
    """A name from a listing as a file has it: bytes that are not UTF-8 are U+FFFD there."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def routes(reader: Reader) -> Routes:
    """The links that IPv4 and IPv6 routes name; read once a survey."""
    return reader.once(_routes)


def _routes(reader: Reader) -> Routes:
    default: set[str] = set()
    every: dict[str, str] = {}
    lost: dict[Lost, None] = {}
    known = False
    for name, parse in (("route", _ipv4), ("ipv6_route", _ipv6)):
        path = _table(reader, name)
        if path is None and unread(reader, "read", f"{_HOST}/{name}"):
            lost[Lost(path=f"{_HOST}/{name}", link=None)] = None
        known = known or path is not None
        for line in reader.lines(path) if path else ():
            found = parse(fields(line))
            if found is None:
                reader.malformed(str(path), "a route", f"{len(fields(line))} fields")
                lost[Lost(path=str(path), link=None)] = None
                continue
            link, leads = found
            every |= {link: str(path)} if leads else {}
            default |= {link} if leads == "default" else set()
    return Routes(known=known, default=tuple(sorted(default)), any=tuple(sorted(every)), paths=every, lost=tuple(lost))


def _table(reader: Reader, name: str) -> str | None:
    if reader.text(f"{_HOST}/{name}") is not None:
        return f"{_HOST}/{name}"
    return f"{_OWN}/{name}" if _own_is_the_hosts(reader) and reader.text(f"{_OWN}/{name}") is not None else None


def _own_is_the_hosts(reader: Reader) -> bool:
    """Whether our network namespace has every link that sysfs shows, and one of hardware among them.

    Up to systemd 252 sysfs shows the host's links to a service with PrivateNetwork=, from 253 on the loopback alone.
    """
    lines = reader.lines(f"{_OWN}/dev")
    own = {stripped(line.partition(":")[0]) for line in lines if ":" in line}
    # Somebody else's capture has no such file: its tables are what there is.
    shown = {as_read(name): name for name in reader.names(NET) if name not in NO_LINKS}
    # Every namespace may have tunl0, sit0 and their like: only a link of hardware tells the host's.
    hardware = any(reader.exists(f"{NET}/{name}/device") for text, name in shown.items() if text in own)
    return not lines or (hardware and own.issuperset(shown))


def _ipv4(words: list[str]) -> tuple[str, str] | None:
    """(link, "default", "other" or "" for none that counts), or None."""
    if words[:1] == ["Iface"]:
        return words[0], ""
    if len(words) < 8 or (flags := whole(words[3], 16)) is None:
        return None
    if not flags & _UP or flags & _REJECT or words[0] == _NO_LINK:
        return words[0], ""
    return words[0], "default" if set(words[1] + words[7]) == {"0"} else "other"


def _ipv6(words: list[str]) -> tuple[str, str] | None:
    """As `_ipv4`. Link-local and multicast routes are on every link that is up, and the loopback's say nothing."""
    if len(words) < 10 or (flags := whole(words[8], 16)) is None:
        return None
    destination, length, link = words[0].lower(), words[1], words[9]
    if not flags & _UP or flags & _REJECT or link == "lo" or destination.startswith(("fe8", "ff")):
        return link, ""
    return link, "default" if length == "00" and set(destination) == {"0"} else "other"
