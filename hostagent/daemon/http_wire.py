"""An accepted socket that never blocks, plain or TLS, and what the event loop watches it for.

An SSLSocket that does not block behaves as a socket with two more exceptions, so above this file plain and TLS are one path.
asyncio's own TLS transport is not used: it reserves 256 KiB a connection and copies what it sends.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

WANTS_READ = (BlockingIOError, ssl.SSLWantReadError)
WANTS_WRITE = (BlockingIOError, ssl.SSLWantWriteError)


class Wire:
    """Methods raise OSError (ssl.SSLError is one) where the connection is beyond use."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        *,
        readable: Callable[[], None],
        writable: Callable[[], None],
    ) -> None:
        """Nothing is watched yet."""
        self._loop, self._sock, self._fd = loop, sock, sock.fileno()
        self._on_readable, self._on_writable = readable, writable
        self._reads = self._writes = False

    @property
    def tls(self) -> ssl.SSLSocket | None:
        """The TLS side of it, None where it is plain."""
        return self._sock if isinstance(self._sock, ssl.SSLSocket) else None

    def wrap(self, context: ssl.SSLContext) -> None:
        """Become TLS; the handshake follows."""
        self._sock.getpeername()  # raises where the peer is gone already; wrap_socket would too, and lose the socket
        self._sock = context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)

    def handshake(self) -> bool:
        """One step of the handshake; True when it is done. Our side of it always fits the send buffer."""
        assert self.tls is not None
        try:
            self.tls.do_handshake()
        except WANTS_READ:
            return False
        return True

    def answer_in_plain(self, answer: bytes) -> None:
        """Where the peer does not speak TLS: say something past it, and close our direction."""
        socket.socket.send(self._sock, answer)
        self._sock.shutdown(socket.SHUT_WR)  # and an SSLSocket is a plain one from here

    def watch(self, *, read: bool, write: bool) -> None:
        """Ask the loop for what is wanted, and only where that changed: each change is a system call."""
        if read != self._reads:
            self._reads = read
            _ = self._loop.add_reader(self._fd, self._on_readable) if read else self._loop.remove_reader(self._fd)
        if write != self._writes:
            self._writes = write
            _ = self._loop.add_writer(self._fd, self._on_writable) if write else self._loop.remove_writer(self._fd)

    def receive(self, size: int) -> bytes | None:
        """What has come, b"" at the end, None where nothing has."""
        try:
            return self._sock.recv(size)
        except WANTS_READ:
            return None

    @property
    def decrypted(self) -> int:
        """Bytes OpenSSL holds ready, which the loop cannot see."""
        return 0 if self.tls is None else self.tls.pending()

    def send(self, parts: list[memoryview]) -> bool:
        """Send and take from `parts` what the kernel accepts; True when all is sent, else the loop will call."""
        while parts:
            try:
                sent = self._sock.sendmsg(parts) if self.tls is None else self._sock.send(parts[0])
            except WANTS_WRITE:
                self.watch(read=False, write=True)
                return False
            while parts and sent >= len(parts[0]):
                sent -= len(parts.pop(0))
            if sent:
                parts[0] = parts[0][sent:]
        return True

    def goodbye(self) -> None:
        """TLS's close_notify; plain sockets have none."""
        if self.tls is not None:
            with suppress(OSError, ValueError):
                self.tls.unwrap()  # that the peer's close_notify is not here yet is an SSLWantReadError

    def end_output(self) -> None:
        """Say goodbye and close our direction; what is received after this is raw."""
        self.goodbye()
        self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close; the kernel still delivers what it accepted."""
        self.watch(read=False, write=False)
        self._sock.close()
