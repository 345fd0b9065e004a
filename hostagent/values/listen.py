"""Addresses to listen on, as people write them: `127.0.0.1:10346`, `[::1]:10346`, `name:10346`, `:10346`, `unix:/run/web.sock`.

An empty host means all interfaces, IPv4 and IPv6; port 0 lets the kernel choose.
"""

from __future__ import annotations

UNIX = "unix:"
_FORMS = "expected host:port, [ipv6]:port, :port or unix:/path"
_PORTS = 65535


def host_port(address: str) -> tuple[str, int]:
    """Host and port of a TCP address. A ValueError says what was expected."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or len(port) > 5 or int(port) > _PORTS:
        raise ValueError(_FORMS)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"an IPv6 address stands in brackets, as in [::1]:{port}")
    if not host.isprintable() or " " in host or "/" in host:
        raise ValueError(_FORMS)
    return host, int(port)


def unix_path(address: str) -> str | None:
    """The path of a `unix:` address, None for the others. A ValueError where the path is not absolute."""
    if not address.startswith(UNIX):
        return None
    path = address.removeprefix(UNIX)
    if not path.startswith("/") or path.endswith("/") or "\0" in path:
        raise ValueError(_FORMS)
    return path
