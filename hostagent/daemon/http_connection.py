"""One connection: a wire, h11 for the protocol, one deadline at a time.

There is no task and no transport: callbacks on a descriptor, answers out of the prepared bytes without a copy. All a
silent client holds is one descriptor until its deadline.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import h11

from hostagent.daemon.http_answer import PHRASES, TWO_LENGTHS, answer_of, refusal, request_of
from hostagent.daemon.http_gate import NOT_ALLOWED
from hostagent.daemon.http_guard import Protection
from hostagent.daemon.http_host import MISDIRECTED, is_called
from hostagent.daemon.http_message import ALWAYS, BadQueryError, Request, Response, plain
from hostagent.daemon.http_phase import Phase
from hostagent.daemon.http_wire import Wire
from hostagent.daemon.tls import client_is_allowed, is_admitted

if TYPE_CHECKING:
    from hostagent.daemon.http import Server

DISCARD = 65536
_ALWAYS = "".join(f"{name}: {value}\r\n" for name, value in ALWAYS)
PLAIN_ON_TLS = f"HTTP/1.0 400 Bad Request\r\n{_ALWAYS}Connection: close\r\n\r\n400 this port speaks HTTPS\n".encode()


class Connection:
    """Drives one accepted socket from handshake to close; the server is told of every phase and every drop."""

    def __init__(
        self, server: Server, sock: socket.socket, peer: str, protection: Protection, names: frozenset[str] | None
    ) -> None:
        """Read what is there already. The first deadline runs from here and covers the TLS handshake.

        `names`: what the listener answers to (http_host.py).
        """
        self._server, self._loop, self._limits = server, server.loop, server.limits
        self._wire = Wire(self._loop, sock, readable=self._readable, writable=self._writable)
        self.peer, self._protection, self._names = peer, protection, names
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head_bytes)
        self._request: Request | None = None
        self._out: list[memoryview] = []
        self._discarded = 0
        self._refused = self._last = False
        self._born = self.since = self._loop.time()
        self._timer = self._loop.call_later(self._limits.request_seconds, self._expire)
        self.phase = Phase.READING
        self._start(protection)

    def _start(self, protection: Protection) -> None:
        if protection.tls is not None:
            try:
                self._wire.wrap(protection.tls)
            except OSError:  # it left before we came to it
                self.drop("reset")
                return
        self._enter(Phase.READING if protection.tls is None else Phase.HANDSHAKE)
        self._wire.watch(read=True, write=False)
        self._readable()  # before the next is accepted, who might need the room

    # phases and deadlines

    def _enter(self, phase: Phase, seconds: float | None = None) -> None:
        """Change phase; with `seconds`, the deadline too."""
        self.phase, self.since = phase, self._loop.time()
        self._server.moved(self)
        if seconds is not None:
            self._timer.cancel()
            self._timer = self._loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        """The deadline: an ordinary end between requests and after a refusal, the peer's fault elsewhere."""
        if self.phase in {Phase.IDLE, Phase.LINGERING}:
            self._wire.goodbye()
            self._close()
        else:
            self.drop("deadline")

    def drop(self, reason: str) -> None:
        """Close without another word."""
        self._server.dropped[reason] += 1
        self._close()

    def finish(self) -> None:
        """The server is closing: answer what was asked, then go; go at once where nothing was."""
        self._last = True
        unasked = self.phase is Phase.READING and not self._h11.trailing_data[0]
        if unasked or self.phase in {Phase.HANDSHAKE, Phase.IDLE, Phase.LINGERING}:
            self._wire.goodbye()
            self._close()

    def _close(self) -> None:
        self._timer.cancel()
        self._wire.close()
        self._out.clear()
        self.phase = Phase.CLOSED
        self._server.gone(self)

    # reading

    def _readable(self) -> None:
        if self.phase is Phase.HANDSHAKE:
            self._handshake()
        elif self.phase is Phase.LINGERING:
            self._discard()
        elif self.phase in {Phase.READING, Phase.IDLE}:
            self._receive()

    def _handshake(self) -> None:
        try:
            if not self._wire.handshake():
                return
        except OSError as error:
            self._not_tls() if getattr(error, "reason", "") == "HTTP_REQUEST" else self.drop("handshake")
            return
        tls = self._wire.tls
        sans = self._protection.allowed_sans
        if sans is not None and tls is not None and not client_is_allowed(tls.getpeercert(), sans):
            self.drop("handshake")
            return
        self._enter(Phase.READING)
        self._receive()  # a client sends its request right behind the handshake

    def _not_tls(self) -> None:
        """Plain HTTP on the TLS port: tell, as Go does, and count it as a failed handshake."""
        try:
            self._wire.answer_in_plain(PLAIN_ON_TLS)
        except OSError:
            self.drop("handshake")
            return
        self._server.dropped["handshake"] += 1
        self._enter(Phase.LINGERING, self._limits.linger_seconds)
        self._wire.watch(read=True, write=False)

    def _receive(self) -> None:
        # never hold more than a head's worth: h11 bounds only heads that are incomplete
        room = self._limits.head_bytes + 1 - len(self._h11.trailing_data[0])
        try:
            data = self._wire.receive(room)
        except OSError:
            self.drop("reset")
            return
        if data == b"":
            self._close()
        elif data is not None:
            self._h11.receive_data(data)
            self._advance()

    def _listen(self) -> None:
        """Wait for more, or come back for what the loop cannot see; not a call, a thousand requests are no recursion."""
        self._wire.watch(read=True, write=False)
        if self._wire.decrypted:
            self._loop.call_soon(self._readable)

    def _advance(self) -> None:
        """Take the next event out of what was received."""
        if self.phase not in {Phase.READING, Phase.IDLE}:
            return
        try:
            event = self._h11.next_event()
            if isinstance(event, h11.Request):
                self._begin(event)
                return
            if self.phase is Phase.IDLE and self._h11.trailing_data[0]:
                self._enter(Phase.READING, self._limits.request_seconds)
            self._listen()
        except h11.RemoteProtocolError as error:
            self._refuse(refusal(error))

    def _begin(self, event: h11.Request) -> None:
        protection = self._server.protection()
        if protection is not self._protection and not is_admitted(
            self._wire.tls, protection.tls, protection.allowed_sans
        ):
            self.drop("reconfigured")
            return
        self._protection = protection
        if not event.http_version.startswith(b"1."):
            self._refuse(plain(505))
            return
        try:
            self._request = request_of(event, peer=self.peer)
        except BadQueryError as error:
            self._refuse(plain(400, f"400 {error}"))
            return
        if {"content-length", "transfer-encoding"} <= self._request.headers.keys():
            self._refuse(TWO_LENGTHS)
            return
        if not isinstance(self._h11.next_event(), h11.EndOfMessage):
            self._refuse(plain(413) if self._request.method in {"GET", "HEAD"} else NOT_ALLOWED)
            return
        self._enter(Phase.CHECKING, self._limits.answer_seconds)
        if is_called(self._request.header("host"), self._names):
            self._server.gate.pass_through(self._request, protection, self._respond)
        else:
            self._respond(MISDIRECTED)
        if self._checks():
            self._wire.watch(read=False, write=False)

    def _checks(self) -> bool:
        return self.phase is Phase.CHECKING

    def _discard(self) -> None:
        try:
            data = self._wire.receive(DISCARD)
        except OSError:
            data = b""
        if data is not None:
            self._discarded += len(data)
            if not data or self._discarded > self._limits.linger_bytes:
                self._close()

    # answering

    def _refuse(self, response: Response) -> None:
        """Answer, close, and read away what is still coming."""
        self._refused = True
        self._enter(Phase.CHECKING, self._limits.answer_seconds)
        self._respond(response)

    def _respond(self, response: Response) -> None:
        if not self._checks():  # the deadline came before the verdict on the password
            return
        self._server.requests[response.status] += 1
        answer = answer_of(response, self._request, always=self._protection.headers)
        if self._refused or self._last or self._loop.time() - self._born > self._limits.lifetime_seconds:
            answer.headers.append(("Connection", "close"))
        reason = PHRASES.get(answer.status, b"")
        head = h11.Response(status_code=answer.status, headers=answer.headers, reason=reason)
        parts = [self._h11.send(head) or b""]
        if self._request is None or self._request.method != "HEAD":
            parts += self._h11.send_with_data_passthrough(h11.Data(data=answer.body)) or []
        self._h11.send(h11.EndOfMessage())
        self._out = [memoryview(part) for part in parts if part]
        self._enter(Phase.ANSWERING)
        self._writable()

    def _writable(self) -> None:
        try:
            if self._wire.send(self._out):
                self._answered()
        except OSError:
            self.drop("reset")

    def _answered(self) -> None:
        self._request = None
        if self._refused:
            self._wire.end_output()
            self._enter(Phase.LINGERING, self._limits.linger_seconds)
            self._wire.watch(read=True, write=False)
        elif not self._last and self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            self._enter(Phase.IDLE, self._limits.idle_seconds)
            if self._h11.trailing_data[0]:  # first what was received, then what may be the end
                self._wire.watch(read=False, write=False)
                self._loop.call_soon(self._advance)
            else:
                self._listen()
        else:
            self._wire.goodbye()
            self._close()
