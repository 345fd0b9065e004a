"""Addresses and routes of every table, from rtnetlink(7) itself: four dumps, read message by message.

pyroute2 costs 125 ms to import, which `probe` does not have; it is the witness in the tests. Asked are, without strict checking,

    RTM_GETLINK                  names by number           struct ifinfomsg, IFLA_IFNAME
    RTM_GETADDR                  AF_UNSPEC                 struct ifaddrmsg, IFA_ADDRESS, IFA_LOCAL
    RTM_GETROUTE                 AF_UNSPEC: every family   struct rtmsg, RTA_TABLE, RTA_OIF, RTA_MULTIPATH, RTA_NH_ID
    RTM_GETNEXTHOP               Linux 5.3                 struct nhmsg, NHA_OIF, NHA_GROUP

(include/uapi/linux/{netlink,rtnetlink,if_addr,if_link,nexthop}.h.) Next hops are asked for only where a route names one and no
link: so it is with net.ipv4.nexthop_compat_mode=0. No address leaves this module.
"""

from __future__ import annotations

import os
from sys import byteorder

from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    # What `_socket.socket` is; the module `socket` takes 6 ms to import.
    import _socket
    from collections.abc import Iterator

    Attributes = dict[int, bytes]
    # Number of a link to its tables, and whether a default route is in each.
    Tables = dict[int, dict[int, bool]]

_NEWLINK, _GETLINK, _NEWADDR, _GETADDR, _NEWROUTE, _GETROUTE, _NEWNEXTHOP, _GETNEXTHOP = (
    16,
    18,
    20,
    22,
    24,
    26,
    104,
    106,
)
_REQUEST_DUMP = 0x1 | 0x300
_INTERRUPTED = 0x10
_ERROR, _DONE, _OVERRUN = 2, 3, 4
_HEADER = 16
# The kernel fills at most 32 KiB of a dump at a time.
_BUFFER = 1 << 16
# 30,000 routes take 2 MiB and half a second: a router with all the Internet's is asked no further.
LIMIT = 2 << 20
_TRIES, _SECONDS = 4, 2.0
_IPV4, _IPV6 = 2, 10
FAMILIES = {_IPV4: "ipv4", _IPV6: "ipv6"}
# IPv4, IPv6, MPLS, and multicast routing of both: the families whose routes are a struct rtmsg.
_ROUTED = frozenset((_IPV4, _IPV6, 28, 128, 129))
_CLONED = 0x200
# blackhole, unreachable, prohibit, throw: they lead nowhere.
_NOWHERE = frozenset((6, 7, 8, 9))
_IFLA_IFNAME, _IFLA_EXT_MASK, _SKIP_STATS = 3, 29, 8
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_MULTIPATH, _RTA_TABLE, _RTA_NH_ID = 1, 4, 9, 15, 30
_NHA_ID, _NHA_GROUP, _NHA_OIF = 1, 2, 5


class DumpError(Exception):
    """Netlink's answer is not whole: says why."""


@record
class Spoken:
    """What the kernel said, by number of the link. `names`: every link of the namespace.

    `families`: ipv4, ipv6 of addresses beyond link-local IPv6. `tables`: those with a route through the link, other than those
    the kernel makes for any link, and whether a default route is among them.
    """

    names: dict[int, str]
    families: dict[int, set[str]]
    tables: Tables


def spoken() -> Spoken:
    """Everything, of the network namespace we are in. Raises OSError or DumpError."""
    from _socket import AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW, socket

    link = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)
    try:
        link.settimeout(_SECONDS)
        names = _names(dumped(link, _GETLINK, bytes(16) + _attribute(_IFLA_EXT_MASK, _u32(_SKIP_STATS))))
        families = _families(dumped(link, _GETADDR, bytes(8)))
        tables, unresolved = _tables(dumped(link, _GETROUTE, bytes(12)))
        if unresolved:
            _through_next_hops(tables, unresolved, next_hops(dumped(link, _GETNEXTHOP, bytes(8))))
    finally:
        link.close()
    return Spoken(names=names, families=families, tables=tables)


def dumped(link: _socket.socket, kind: int, body: bytes) -> list[tuple[int, bytes]]:
    """(type, payload) of every message of one dump; asked again where the kernel says that it changed meanwhile."""
    for number in range(1, _TRIES + 1):
        sequence = kind << 8 | number
        size = _HEADER + len(body)
        link.send(_u32(size) + _u16(kind) + _u16(_REQUEST_DUMP) + _u32(sequence) + _u32(0) + body)
        whole, messages = _answer(link, sequence)
        if whole:
            return messages
    raise DumpError(f"links, addresses or routes changed during each of {_TRIES} dumps")


def _answer(link: _socket.socket, sequence: int) -> tuple[bool, list[tuple[int, bytes]]]:
    """Whether nothing changed during the dump, and its messages."""
    whole, size = True, 0
    found: list[tuple[int, bytes]] = []
    while True:
        data = link.recv(_BUFFER)
        size += len(data)
        if len(data) in (0, _BUFFER) or size > LIMIT:
            raise DumpError(f"more than {LIMIT} bytes")
        for kind, flags, payload in messages(data, sequence):
            whole = whole and not flags & _INTERRUPTED
            if kind in (_ERROR, _DONE):
                _raise_error(payload)
                if kind == _DONE:
                    return whole, found
            elif kind == _OVERRUN:
                raise DumpError("messages were lost")
            else:
                found.append((kind, payload))


def messages(data: bytes, sequence: int) -> Iterator[tuple[int, int, bytes]]:
    """(type, flags, payload) of the messages in one piece of an answer that belong to a request."""
    at = 0
    while at < len(data):
        size = _number(data[at : at + 4])
        if size < _HEADER or at + size > len(data):
            raise DumpError(f"a message of {size} bytes in {len(data) - at}")
        if _number(data[at + 8 : at + 12]) == sequence:
            yield _number(data[at + 4 : at + 6]), _number(data[at + 6 : at + 8]), data[at + _HEADER : at + size]
        at += size + 3 & ~3


def _raise_error(payload: bytes) -> None:
    code = -int.from_bytes(payload[:4], byteorder, signed=True)
    if code > 0:
        raise OSError(code, os.strerror(code))


def attributes(data: bytes, at: int) -> Attributes:
    """Payload by type of the attributes that begin at `at`; nested and byte order marks are no part of a type."""
    found = {}
    while at + 4 <= len(data):
        size = _number(data[at : at + 2])
        if size < 4 or at + size > len(data):
            raise DumpError(f"an attribute of {size} bytes in {len(data) - at}")
        found[_number(data[at + 2 : at + 4]) & 0x3FFF] = data[at + 4 : at + size]
        at += size + 3 & ~3
    return found


def _names(links: list[tuple[int, bytes]]) -> dict[int, str]:
    """Names by number of the link, as Reader would read them from a file."""
    found = {}
    for kind, body in links:
        if kind == _NEWLINK:
            name = attributes(body, 16).get(_IFLA_IFNAME, b"")
            found[_number(body[4:8])] = name.rstrip(b"\0").decode("utf-8", "replace")
    return found


def _families(addresses: list[tuple[int, bytes]]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for kind, body in addresses:
        family = FAMILIES.get(body[0])
        if kind != _NEWADDR or family is None:
            continue
        given = attributes(body, 8)
        # Of a link with a peer, IFA_ADDRESS is the peer's.
        both = [given[name] for name in (_IFA_ADDRESS, _IFA_LOCAL) if name in given]
        if not both or not all(_is_link_local(family, address) for address in both):
            found.setdefault(_number(body[4:8]), set()).add(family)
    return found


def _is_link_local(family: str, address: bytes) -> bool:
    return family == "ipv6" and address[:1] == b"\xfe" and address[1:2] != b"" and address[1] & 0xC0 == 0x80


def _tables(routes: list[tuple[int, bytes]]) -> tuple[Tables, list[tuple[int, int, bool]]]:
    """Tables by number of the link, and (next hop, table, is default) of the routes that name no link themselves."""
    found: Tables = {}
    unresolved = []
    for kind, body in routes:
        if kind != _NEWROUTE or body[0] not in _ROUTED or body[7] in _NOWHERE or _number(body[8:12]) & _CLONED:
            continue
        given = attributes(body, 12)
        if _is_of_any_link(body, given):
            continue
        table = _number(given[_RTA_TABLE]) if _RTA_TABLE in given else body[4]
        # A default route leads to all; a route that matches one source only (`from`) is no less of one.
        is_default = body[0] in FAMILIES and body[1] == 0
        links = _links(given)
        for link in links:
            _lead(found, link, table, is_default=is_default)
        if not links and _RTA_NH_ID in given:
            unresolved.append((_number(given[_RTA_NH_ID]), table, is_default))
        elif not links and body[0] in FAMILIES:
            # No link at all, and not refused: what it leads through is not known. Links are numbered from 1.
            _lead(found, 0, table, is_default=is_default)
    return found, unresolved


def _is_of_any_link(body: bytes, given: Attributes) -> bool:
    """Whether a route is one of those the kernel makes for every link that is up: fe80::/64, its addresses', ff00::/8."""
    if body[0] != _IPV6 or _RTA_DST not in given:
        return False
    address = given[_RTA_DST]
    return _is_link_local("ipv6", address) or (address[:1] == b"\xff" and body[1] <= 8)


def _links(given: Attributes) -> list[int]:
    """Numbers of the links a route leads through: its own, and those of a multipath route (struct rtnexthop)."""
    found = [_number(given[_RTA_OIF])] if _RTA_OIF in given else []
    several, at = given.get(_RTA_MULTIPATH, b""), 0
    while at + 8 <= len(several):
        size = _number(several[at : at + 2])
        found.append(_number(several[at + 4 : at + 8]))
        if size < 8:
            raise DumpError(f"a next hop of {size} bytes")
        at += size + 3 & ~3
    return found


def _lead(found: Tables, link: int, table: int, *, is_default: bool) -> None:
    tables = found.setdefault(link, {})
    tables[table] = tables.get(table, False) or is_default


def next_hops(answer: list[tuple[int, bytes]]) -> dict[int, set[int]]:
    """Numbers of links by next hop; of a group, its members' (struct nexthop_grp). A blackhole leads through none."""
    found: dict[int, set[int]] = {}
    groups: dict[int, list[int]] = {}
    for kind, body in answer:
        given = attributes(body, 8) if kind == _NEWNEXTHOP else {}
        if _NHA_ID not in given:
            continue
        number, members = _number(given[_NHA_ID]), given.get(_NHA_GROUP, b"")
        found[number] = {_number(given[_NHA_OIF])} if _NHA_OIF in given else set()
        groups[number] = [_number(members[at : at + 4]) for at in range(0, len(members), 8)]
    for number, members_ in groups.items():
        # Groups are of next hops, never of groups.
        for member in members_:
            found[number] |= found.get(member, {0})
    return found


def _through_next_hops(tables: Tables, routes: list[tuple[int, int, bool]], hops: dict[int, set[int]]) -> None:
    for hop, table, is_default in routes:
        # One that went meanwhile led somewhere: 0 is no link.
        for link in hops.get(hop, {0}):
            _lead(tables, link, table, is_default=is_default)


def _attribute(kind: int, payload: bytes) -> bytes:
    return _u16(4 + len(payload)) + _u16(kind) + payload


def _number(data: bytes) -> int:
    return int.from_bytes(data, byteorder)


def _u16(value: int) -> bytes:
    return value.to_bytes(2, byteorder)


def _u32(value: int) -> bytes:
    return value.to_bytes(4, byteorder)
