"""Which links the host's routing tables use: default routes, and any route at all.

    proc/1/net/route         Iface Destination Gateway Flags ...      IPv4, main table; addresses are hex
    proc/1/net/ipv6_route    destination length source length next-hop metric refcnt use flags device

(Documentation/networking; fs/proc of the kernel.) Process 1's tables are the host's, whatever namespace we are in; ours are read
where process 1 is hidden. A link with an address has a route to its own network. No address leaves this module.
"""

from __future__ import annotations

from hostagent.host.reader import Reader, whole
from hostagent.values.record import record

_UP, _REJECT = 0x1, 0x200
_PLACES = ("proc/1/net", "proc/net")


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
        path = next((path for place in _PLACES if reader.text(path := f"{place}/{name}") is not None), None)
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
