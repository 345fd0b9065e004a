"""From `--web.listen-address` to a listening socket.

Forms: `127.0.0.1:10346`, `[::1]:10346`, `name:10346`, `:10346` (all interfaces, IPv4 and IPv6), `unix:/run/hostagent/web.sock`.
Port 0 lets the kernel choose.
"""

from __future__ import annotations

import os
import socket
import stat

BACKLOG = 128


class ListenError(Exception):
    """An address that cannot be listened on; the message says which and why."""


def listener(address: str, *, send_buffer: int) -> socket.socket:
    """A bound, listening, non-blocking socket for `address`."""
    try:
        if address.startswith("unix:"):
            sock = _unix(address.removeprefix("unix:"))
        else:
            host, port = _host_port(address)
            sock = _all_interfaces(port) if host == "" else _tcp(host, port)
    except (OSError, UnicodeError) as error:
        raise ListenError(f"cannot listen on {address}: {error}") from error
    return adopt(sock, send_buffer=send_buffer)


def adopt(sock: socket.socket, *, send_buffer: int) -> socket.socket:
    """A listening socket (ours or inherited) made fit for the server. Accepted sockets inherit the options (tcp(7))."""
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def name_of(sock: socket.socket) -> str:
    """How to say where a listener listens: `127.0.0.1:10346`, `[::]:10346`, `unix:/run/...`."""
    if sock.family == socket.AF_UNIX:
        return f"unix:{sock.getsockname()}"
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if sock.family == socket.AF_INET6 else f"{host}:{port}"


def _host_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ListenError(f"cannot listen on {address!r}: expected host:port, [ipv6]:port, :port or unix:/path")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ListenError(f"cannot listen on {address!r}: an IPv6 address stands in brackets, as in [::1]:{port}")
    return host, int(port)


def _tcp(host: str, port: int) -> socket.socket:
    family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(where[:2], family=family, backlog=BACKLOG)


def _all_interfaces(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
    return socket.create_server(("0.0.0.0", port), backlog=BACKLOG)  # noqa: S104 - asked for by `:port`


def _unix(path: str) -> socket.socket:
    """A path socket for owner and group. What a dead predecessor left is removed; a live one's is not."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_dead_socket(path):
            os.unlink(path)
        sock.bind(path)
        os.chmod(path, 0o660)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _is_dead_socket(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
    return False
