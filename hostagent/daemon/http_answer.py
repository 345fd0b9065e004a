"""Between h11's events and ours: a request as pages see it, an answer as h11 sends it."""

from __future__ import annotations

import time
from http import HTTPStatus
from urllib.parse import parse_qsl

import h11

from hostagent.daemon.http_message import ALWAYS, BadQueryError, Request, Response, plain
from hostagent.daemon.http_negotiate import accepts_gzip
from hostagent.values.record import record

PARAMETERS = 100  # of one query

PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}

# Another server on the way may have believed the other one (RFC 9112, 6.1): whatever follows is not trusted.
TWO_LENGTHS = plain(400, "400 both Content-Length and Transfer-Encoding")

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@record
class Answer:
    """A response as it goes out: the head's fields, and the body in the form the client accepts."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def request_of(event: h11.Request, *, peer: str) -> Request:
    """The request as pages see it. A query with too many parameters is a BadQueryError."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    authority, path, query = _target(event.target.decode("latin-1"))
    if authority is not None:
        headers["host"] = authority
    return Request(method=event.method.decode("ascii"), path=path, query=query, headers=headers, peer=peer)


def _target(target: str) -> tuple[str | None, str, tuple[tuple[str, str], ...]]:
    """Host, path and query of a request target. The host of the absolute form stands for the header (RFC 9112, 3.2.2)."""
    authority = None
    if not target.startswith("/"):
        _, double_slash, rest = target.partition("://")
        if double_slash:
            authority, _, rest = rest.partition("/")
            target = "/" + rest
    path, _, query = target.partition("?")
    try:
        return (
            authority,
            path,
            tuple(parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=PARAMETERS)),
        )
    except ValueError as error:
        raise BadQueryError(f"the query has more than {PARAMETERS} parameters") from error


def refusal(error: h11.RemoteProtocolError) -> Response:
    """What h11 found wrong, without the bytes it found, which it shows as Python would."""
    said = str(error).partition(": bytearray(")[0]
    return plain(error.error_status_hint, f"{error.error_status_hint} {said}")


def answer_of(response: Response, request: Request | None, *, always: tuple[tuple[str, str], ...]) -> Answer:
    """What goes out for `response`; `always` are the configured headers of every answer."""
    gzip = response.gzipped is not None and request is not None and accepts_gzip(request.header("accept-encoding"))
    body = response.gzipped if gzip and response.gzipped is not None else response.body
    vary = (*response.vary, "Accept-Encoding") if response.gzipped is not None else response.vary
    headers = [
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(body))),
        ("Date", http_date()),
    ]
    if gzip:
        headers.append(("Content-Encoding", "gzip"))
    if vary:
        headers.append(("Vary", ", ".join(vary)))
    chosen = {name.lower(): (name, value) for name, value in (*ALWAYS, *response.headers, *always)}
    return Answer(status=response.status, headers=[*headers, *chosen.values()], body=body)


def http_date(seconds: float | None = None) -> str:
    """The time as HTTP writes it, whatever the locale."""
    now = time.gmtime(seconds)
    day, month = _DAYS[now.tm_wday], _MONTHS[now.tm_mon - 1]
    return f"{day}, {now.tm_mday:02} {month} {now.tm_year} {now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02} GMT"
