"""From `--web.listen-address` to a listening socket (`hostagent.values.listen` has the forms), and whether there could be one."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hostagent.values.listen import host_port, unix_path

BACKLOG = 128
ALL = ("::", "0.0.0.0")  # noqa: S104 - asked for by `:port`


class ListenError(Exception):
    """An address that cannot be listened on; the message says which and why."""


def listener(address: str, *, send_buffer: int) -> socket.socket:
    """A bound, listening, non-blocking socket for `address`."""
    with _named(address):
        path = unix_path(address)
        sock = _bound(address) if path is None else _unix(path)
        try:
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
    return adopt(sock, send_buffer=send_buffer)


def adopt(sock: socket.socket, *, send_buffer: int) -> socket.socket:
    """A listening socket (ours or inherited) made fit for the server. Accepted sockets inherit the options (tcp(7))."""
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def examine(addresses: Sequence[str], ours: Sequence[socket.socket]) -> None:
    """Whether a server could listen on all of `addresses` once `ours` are closed, or ListenError. Nothing is accepted."""
    held: list[socket.socket] = []
    try:
        for address in addresses:
            with _named(address):
                path = unix_path(address)
                if path is not None:
                    _examine_unix(path, ours)
                    continue
                held.append(_free(address, ours))
                if any(_covers(one, held[-1]) or _covers(held[-1], one) for one in held[:-1]):
                    raise OSError(errno.EADDRINUSE, f"{os.strerror(errno.EADDRINUSE)} by another address of the list")
    finally:
        for sock in held:
            sock.close()


def name_of(sock: socket.socket) -> str:
    """How to say where a listener listens: `127.0.0.1:10346`, `[::]:10346`, `unix:/run/...`."""
    if sock.family == socket.AF_UNIX:
        return f"unix:{sock.getsockname()}"
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if sock.family == socket.AF_INET6 else f"{host}:{port}"


def ip_of(sock: socket.socket) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a socket is bound to, IPv4 out of its IPv6 form; None where it is no TCP socket."""
    if sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    found = ipaddress.ip_address(str(sock.getsockname()[0]).partition("%")[0])
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


@contextmanager
def _named(address: str) -> Iterator[None]:
    """Trouble becomes a ListenError that names the address."""
    try:
        yield
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror or error}") from error
    except ValueError as error:  # UnicodeError is one: a host name that none can be
        raise ListenError(f"cannot listen on {address!r}: {error}") from error


def _bound(address: str, *, shared: bool = False) -> socket.socket:
    """A socket bound to `address`. `shared`: beside others that say so too."""
    host, port = host_port(address)
    if host == "":
        host = ALL[0] if socket.has_dualstack_ipv6() else ALL[1]
        dual = True
    else:
        dual = False
    family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a predecessor may linger
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        sock.bind(where)
    except OSError:
        sock.close()
        raise
    return sock


def _free(address: str, ours: Sequence[socket.socket]) -> socket.socket:
    """A socket bound to `address`, that nobody but `ours` was in the way of."""
    try:
        return _bound(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
    tcp = [sock for sock in ours if sock.family != socket.AF_UNIX]
    try:
        for sock in tcp:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return _bound(address, shared=True)
    finally:
        for sock in tcp:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)


def _covers(one: socket.socket, other: socket.socket) -> bool:
    """Whether nobody could listen on `other` where somebody listens on `one`."""
    mine, theirs = ip_of(one), ip_of(other)
    if mine is None or theirs is None or one.getsockname()[1] != other.getsockname()[1]:
        return False
    both = one.family == socket.AF_INET6 and not one.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return mine == theirs or (mine.is_unspecified and (both or mine.version == theirs.version))


def _unix(path: str) -> socket.socket:
    """A path socket for owner and group. What a dead predecessor left is removed; a live one's is not."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_dead_socket(path):
            os.unlink(path)
        sock.bind(path)
        os.chmod(path, 0o660)
    except OSError:
        sock.close()
        raise
    return sock


def _examine_unix(path: str, ours: Sequence[socket.socket]) -> None:
    if any(sock.family == socket.AF_UNIX and sock.getsockname() == path for sock in ours):
        return
    _unix(path).close()
    os.unlink(path)


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
