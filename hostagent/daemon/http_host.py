"""Which names a listener answers to: a page of a foreign site must not read this machine through its reader's browser.

A browser lets a page read answers of the site it came from, and goes by the name. Whoever owns a name can let it mean 127.0.0.1
a moment after the page was loaded (DNS rebinding); the request then arrives here with that foreign name in `Host`. So a listener
on a loopback address answers to

    localhost, any address of 127.0.0.0/8, [::1]      with any port or none: `ssh -L 8080:localhost:10346` is no foreigner
    the hosts in web.listen                           a name that means a loopback address here

in any case, with a trailing dot or without; everybody else gets 421 (RFC 9110, 15.5.20: this server has no authoritative answer
for that name), for 403 would say that the page is there and somebody may read it. Requests without a host (HTTP/1.0) come from
no browser. Other listeners have more names than can be known, and are there to be read from elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from hostagent.daemon.http_listen import ip_of
from hostagent.daemon.http_message import plain
from hostagent.values.listen import host_port, unix_path

MISDIRECTED = plain(421, "421 this listener answers to localhost only, and to the names in web.listen")
LOCALHOST = "localhost"


def names_of(addresses: Iterable[str]) -> frozenset[str]:
    """The hosts in addresses to listen on, as `is_called` compares them."""
    hosts = (host_port(address)[0] for address in addresses if unix_path(address) is None)
    return frozenset(_plain(host) for host in hosts if host)


def answers_to(listening: socket.socket, names: frozenset[str]) -> frozenset[str] | None:
    """The names besides the loopback's own that a listener answers to; None where it answers to all."""
    address = ip_of(listening)
    return names if address is not None and address.is_loopback else None


def is_called(host: str | None, names: frozenset[str] | None) -> bool:
    """Whether a `Host` header names this listener."""
    if names is None or not host:
        return True
    name, bracket, rest = host.partition("]") if host.startswith("[") else _split(host)
    port = rest.removeprefix(":")
    if port and (port == rest or not port.isascii() or not port.isdecimal()):
        return False
    bare = _plain(name.removeprefix("[") if bracket == "]" else name)
    if bracket != "]" and (bare in names or bare == LOCALHOST):
        return True
    return _is_loopback(bare, version=6 if bracket == "]" else 4)


def _split(host: str) -> tuple[str, str, str]:
    name, colon, port = host.partition(":")
    return name, "", colon + port


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_loopback(name: str, *, version: int) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    if address.version != version:
        return False
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (inner or address).is_loopback
