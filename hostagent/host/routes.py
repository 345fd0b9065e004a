"""Which links the host's routing tables use: default routes, and any route at all.

    proc/1/net/route         Iface Destination Gateway Flags ...      IPv4, main table; addresses are hex
    proc/1/net/ipv6_route    destination length source length next-hop metric refcnt use flags device

(Documentation/networking; fs/proc of the kernel.) Process 1's tables are the host's, whatever namespace we are in. Where it is
hidden (ProtectProc=invisible), ours are read if they are the host's: with PrivateNetwork= they are empty, and "no routes"
would let go of the NIC the node lives on. A multipath route shows its first next hop only, and other tables than the main one
do not show at all; a link with an address has a route to its own network all the same, so it counts among `any`. No address
leaves this module.
"""

from __future__ import annotations

from hostagent.host.reader import Reader, whole
from hostagent.values.record import record

_UP, _REJECT = 0x1, 0x200
_HOST, _OWN = "proc/1/net", "proc/net"
_LINKS = "sys/class/net"


@record
class Routes:
    """Names of links, sorted. `default`: with a default route. `any`: with a route beyond the link itself.

    `known`: whether a table could be read.
    """

    known: bool
    default: tuple[str, ...]
    any: tuple[str, ...]


def routes(reader: Reader) -> Routes:
    """The links that IPv4 and IPv6 routes name; read once a survey."""
    return reader.once(_routes)


def _routes(reader: Reader) -> Routes:
    default: set[str] = set()
    every: set[str] = set()
    known = False
    for name, parse in (("route", _ipv4), ("ipv6_route", _ipv6)):
        path = _table(reader, name)
        known = known or path is not None
        for line in reader.lines(path) if path else ():
            found = parse(line.split())
            if found is None:
                reader.malformed(str(path), "a route", f"{len(line.split())} fields")
                continue
            link, leads = found
            every |= {link} if leads else set()
            default |= {link} if leads == "default" else set()
    return Routes(known=known, default=tuple(sorted(default)), any=tuple(sorted(every)))


def _table(reader: Reader, name: str) -> str | None:
    if reader.text(f"{_HOST}/{name}") is not None:
        return f"{_HOST}/{name}"
    return f"{_OWN}/{name}" if _own_is_the_hosts(reader) and reader.text(f"{_OWN}/{name}") is not None else None


def _own_is_the_hosts(reader: Reader) -> bool:
    """Whether our network namespace has every link that sysfs shows, and one of hardware among them.

    Up to systemd 252 sysfs shows the host's links to a service with PrivateNetwork=, from 253 on the loopback alone.
    """
    lines = reader.lines(f"{_OWN}/dev")
    own = {line.partition(":")[0].strip() for line in lines if ":" in line}
    # Somebody else's capture has no such file: its tables are what there is.
    shown = set(reader.names(_LINKS)) - {"bonding_masters"}
    # Every namespace may have tunl0, sit0 and their like: only a link of hardware tells the host's.
    hardware = any(reader.exists(f"{_LINKS}/{name}/device") for name in shown & own)
    return not lines or (hardware and own.issuperset(shown))


def _ipv4(fields: list[str]) -> tuple[str, str] | None:
    """(link, "default", "other" or "" for none that counts), or None."""
    if fields[:1] == ["Iface"]:
        return fields[0], ""
    if len(fields) < 8 or (flags := whole(fields[3], 16)) is None:
        return None
    if not flags & _UP or flags & _REJECT:
        return fields[0], ""
    return fields[0], "default" if set(fields[1] + fields[7]) == {"0"} else "other"


def _ipv6(fields: list[str]) -> tuple[str, str] | None:
    """As `_ipv4`. Link-local and multicast routes are on every link that is up, and the loopback's say nothing."""
    if len(fields) < 10 or (flags := whole(fields[8], 16)) is None:
        return None
    destination, length, link = fields[0].lower(), fields[1], fields[9]
    if not flags & _UP or flags & _REJECT or link == "lo" or destination.startswith(("fe8", "ff")):
        return link, ""
    return link, "default" if length == "00" and set(destination) == {"0"} else "other"
