"""The web server: prepared bytes to many scrapers, while hostile clients get nothing but their deadline.

    server = Server(routes={"/metrics": page}, limits=LIMITS, web_config=None)
    await server.start(("127.0.0.1:10346",))     # or listening sockets, as systemd hands them over
    ...
    await server.close(within=2.0)

Everything runs on the event loop's thread, pages too: a page must only pick bytes. When all connections are taken, one
gives way to the newcomer (http_room.py says which).
`requests` counts answers by status code, `dropped` connections closed without an answer by reason: "deadline", "evicted",
"refused" (none could give way), "reset", "handshake", "reconfigured", "shutdown".
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from hostagent.daemon.http_connection import Connection
from hostagent.daemon.http_gate import Gate
from hostagent.daemon.http_guard import OPEN, Protection
from hostagent.daemon.http_host import answers_to, names_of
from hostagent.daemon.http_listen import adopt, ip_of, listener, name_of
from hostagent.daemon.http_message import ALWAYS, Limits, Page
from hostagent.daemon.http_passwords import Passwords
from hostagent.daemon.http_room import peer_of, victim

if TYPE_CHECKING:
    from hostagent.daemon.webconfig import WebConfigFile

log = logging.getLogger("hostagent.web")

ACCEPTS_AT_ONCE = 32  # then others have their turn
OUT_OF_DESCRIPTORS_SECONDS = 0.1
CHECK_SECONDS = 0.1  # most bcrypt checks are done in that time
QUIET_SECONDS = 60.0  # without that trouble, and the next time is news again
_ALWAYS = "".join(f"{name}: {value}\r\n" for name, value in ALWAYS)
FULL = f"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n{_ALWAYS}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()

Listener = str | socket.socket


class Server:
    """Listeners, connections and counters. One event loop, one life: after `close` make another."""

    def __init__(self, *, routes: Mapping[str, Page], limits: Limits, web_config: WebConfigFile | None) -> None:
        """`routes`: exact path -> page; read on every request, so its owner may change it."""
        self.limits = limits
        self.requests: Counter[int] = Counter()
        self.dropped: Counter[str] = Counter()
        self._passwords = Passwords(waiting=limits.password_checks)
        self.gate = Gate(routes, self._passwords)
        self.loop: asyncio.AbstractEventLoop
        self._web_config = web_config
        self._listeners: dict[socket.socket, frozenset[str] | None] = {}  # and the names each answers to
        self._connections: dict[Connection, None] = {}  # the one that changed phase longest ago comes first
        self._empty = asyncio.Event()
        self._starved_at = float("-inf")
        self.inherited = False  # whether others opened what it listens on

    async def start(self, listeners: Sequence[Listener], *, called: Sequence[str] = ()) -> None:
        """Listen on addresses and on given sockets, or raise ListenError with none of them open.

        `called`: addresses whose hosts name the given sockets too.
        """
        self.loop = asyncio.get_running_loop()
        opened: list[socket.socket] = []
        try:
            for where in listeners:
                if isinstance(where, str):
                    opened.append(listener(where, send_buffer=self.limits.send_buffer))
                else:
                    opened.append(adopt(where, send_buffer=self.limits.send_buffer))
        except BaseException:
            for sock in opened:
                sock.close()
            raise
        self.inherited = any(isinstance(where, socket.socket) for where in listeners)
        names = names_of((*called, *(where for where in listeners if isinstance(where, str))))
        self._listeners = {sock: answers_to(sock, names) for sock in opened}
        for sock in opened:
            self.loop.add_reader(sock, self._accept, sock)
            log.info("listening on %s%s", name_of(sock), "" if self.protection().tls is None else " (TLS)")
        self.warn()

    def warn(self) -> None:
        """Say where everybody who reaches this machine is served."""
        if self.protection().asks_who:
            return
        for sock in self._listeners:
            address = ip_of(sock)
            if address is not None and address.is_unspecified:
                log.warning(
                    "%s serves whoever reaches any interface of this machine, without a password: "
                    "listen on one address, or name a file with basic_auth_users in web.config",
                    name_of(sock),
                )

    @property
    def listening(self) -> tuple[socket.socket, ...]:
        """The sockets it listens on."""
        return tuple(self._listeners)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens, with the ports the kernel chose."""
        return tuple(name_of(sock) for sock in self._listeners)

    @property
    def open_connections(self) -> int:
        """How many connections there are now, for a metric."""
        return len(self._connections)

    async def close(self, within: float) -> bool:
        """Stop listening, let begun answers end, and cut what is left after `within` seconds.

        False where a password is still being checked: its thread must not meet an interpreter that takes itself apart.
        """
        for sock in self._listeners:
            self.loop.remove_reader(sock)
            sock.close()
        self._listeners = {}
        for connection in tuple(self._connections):
            connection.finish()
        if self._connections:
            self._empty.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), within)
        for connection in tuple(self._connections):
            connection.drop("shutdown")
        return self._passwords.close(CHECK_SECONDS)

    def protection(self) -> Protection:
        """What the web configuration demands now."""
        return OPEN if self._web_config is None else self._web_config.current()

    @property
    def web_config_holds(self) -> bool | None:
        """Whether the web configuration is as last read, None where there is none."""
        return None if self._web_config is None else self._web_config.holds

    def moved(self, connection: Connection) -> None:
        """A connection changed phase: it is the youngest now."""
        self._connections.pop(connection, None)
        self._connections[connection] = None

    def gone(self, connection: Connection) -> None:
        """A connection is closed."""
        self._connections.pop(connection, None)
        if not self._connections:
            self._empty.set()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                sock, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._not_accepted(listening, error)
                return
            sock.setblocking(False)
            self._admit(sock, peer_of(address), self._listeners[listening])

    def _not_accepted(self, listening: socket.socket, error: OSError) -> None:
        """Out of descriptors, the listener stays readable: make one free and look away, or the loop would spin."""
        if error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
            return  # the client left before it was accepted (accept(2) hands over its network error)
        now = self.loop.time()
        if now - self._starved_at > QUIET_SECONDS:
            log.warning("cannot accept on %s: %s", name_of(listening), error)
        self._starved_at = now
        self._make_room()
        self.loop.remove_reader(listening)
        self.loop.call_later(OUT_OF_DESCRIPTORS_SECONDS, self._look_again, listening)

    def _look_again(self, listening: socket.socket) -> None:
        if listening in self._listeners:
            self.loop.add_reader(listening, self._accept, listening)

    def _admit(self, sock: socket.socket, peer: str, names: frozenset[str] | None) -> None:
        protection = self.protection()
        if len(self._connections) >= self.limits.connections and not self._make_room():
            self.dropped["refused"] += 1
            with suppress(OSError):
                _ = sock.send(FULL) if protection.tls is None else 0
            sock.close()
            return
        Connection(self, sock, peer, protection, names)

    def _make_room(self) -> bool:
        """Drop the connection others need least; False where every one is being served."""
        found = victim(self._connections, now=self.loop.time(), stall_seconds=self.limits.stall_seconds)
        if found is not None:
            found.drop("evicted")
        return found is not None
