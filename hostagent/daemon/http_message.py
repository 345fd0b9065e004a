"""What a page gets, what it gives back, and the bounds every connection is held to.

Bodies are prepared bytes: a page picks one, it does not make one. The server adds `Content-Length`, `Date`, `Vary`
and `Content-Encoding`, leaves the body away for HEAD, and picks the gzipped form where the client accepts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from hostagent.values.record import record

# What every answer carries, errors too, where neither page nor web configuration says otherwise: a browser takes it for what it
# is called, gives it to no page of another site, and leaves no copy on a disk.
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


@record
class Request:
    """One GET or HEAD. `path` is percent-encoded as sent; `headers` has lower-case names, repeated ones comma-joined."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    peer: str

    def header(self, name: str) -> str | None:
        """The value of a header (lower-case name), or None where the client did not send it."""
        return self.headers.get(name)


@record
class Response:
    """One answer. `gzipped` is `body` compressed beforehand; `vary` names the request headers the page looked at."""

    status: int
    content_type: str
    body: bytes
    gzipped: bytes | None
    vary: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]


Page = Callable[[Request], Response]


class BadQueryError(Exception):
    """A page raises this where the query asks for what does not exist; the client gets 400 and the message."""


@record
class Limits:
    """Bounds of the server. Times in seconds, sizes in bytes.

    `connections`: at once, all listeners together; beyond, one gives way to the newcomer.
    `head_bytes`: request line and headers. `request_seconds`: from accept (TLS handshake included), or from the
    first byte of a later request, to the end of its head; no trickle of bytes extends it. `idle_seconds`: between two
    requests of one connection. `answer_seconds`: from the head to the last byte of the answer taken by the kernel.
    `stall_seconds`: an answer not taken for that long makes its connection one that may give way.
    `lifetime_seconds`: after that the connection is closed with its next answer. `linger_seconds` and
    `linger_bytes`: how long and how much of a refused request is read away so that the client sees the refusal.
    `send_buffer`: kernel memory for unsent answers, a connection. `password_checks`: wrong or new passwords waiting for bcrypt,
    at most half of them from one peer; the first one of a peer waits in any case.
    """

    connections: int
    head_bytes: int
    request_seconds: float
    idle_seconds: float
    answer_seconds: float
    stall_seconds: float
    lifetime_seconds: float
    linger_seconds: float
    linger_bytes: int
    send_buffer: int
    password_checks: int


LIMITS = Limits(
    connections=256,
    head_bytes=8192,
    request_seconds=5.0,
    idle_seconds=90.0,
    answer_seconds=10.0,
    stall_seconds=1.0,
    lifetime_seconds=600.0,
    linger_seconds=1.0,
    linger_bytes=2 << 20,
    send_buffer=200 << 10,
    password_checks=8,
)


def prepared(content_type: str, body: bytes, *, gzipped: bytes | None = None, vary: tuple[str, ...] = ()) -> Response:
    """A 200 of prepared bytes."""
    return Response(status=200, content_type=content_type, body=body, gzipped=gzipped, vary=vary, headers=())


def plain(status: int, text: str = "", *headers: tuple[str, str]) -> Response:
    """A short answer in plain text; without `text`, the phrase of the status."""
    line = text or f"{status} {HTTPStatus(status).phrase}"
    body = line.encode("utf-8", "replace") + b"\n"
    return Response(
        status=status,
        content_type="text/plain; charset=utf-8",
        body=body,
        gzipped=None,
        vary=(),
        headers=headers,
    )
