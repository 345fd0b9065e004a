"""Clients that mean ill, or are broken in ways that look so: everybody else is served on, and they end by themselves."""

from __future__ import annotations

import errno
import resource
import socket
import time

import pytest

from hostagent.daemon.http_message import LIMITS
from hostagent.values.record import replaced
from tests.daemon.http_running import BIG, ask, is_closed_by_peer, read_answer, running

SHORT = replaced(
    LIMITS,
    request_seconds=0.4,
    idle_seconds=0.4,
    answer_seconds=0.4,
    linger_seconds=0.3,
    stall_seconds=0.05,
    send_buffer=4096,
)


def seconds_until_closed(sock: socket.socket) -> float:
    began = time.monotonic()
    assert is_closed_by_peer(sock)
    return time.monotonic() - began


def drip(sock: socket.socket, data: bytes) -> None:
    for byte in data:
        sock.sendall(bytes([byte]))
        time.sleep(0.02)


def test_silence_ends_at_the_deadline() -> None:
    with running(limits=SHORT) as site, site.connect() as sock:
        assert 0.3 < seconds_until_closed(sock) < 2.0
        assert site.server.dropped == {"deadline": 1}


def test_what_h11_refuses_is_told_in_words() -> None:
    with running() as site, site.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost a\r\n\r\n")
        assert read_answer(sock)[2] == b"400 illegal header line\n"


def test_two_lengths_are_refused_and_nothing_behind_them_is_believed() -> None:
    head = (
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    with running() as site, site.connect() as sock:
        sock.sendall(head + b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, headers, _ = read_answer(sock)
        assert (status, headers["connection"]) == (400, "close")
        assert is_closed_by_peer(sock)
        assert site.server.requests == {400: 1}


@pytest.mark.parametrize("count", [1, 2, 5, 20, 300])
def test_what_was_asked_before_the_end_is_answered(count: int) -> None:
    with running() as site, site.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * count)
        sock.shutdown(socket.SHUT_WR)
        got = b""
        while data := sock.recv(65536):
            got += data
        assert got.count(b"up 1\n") == count
        site.until(lambda: site.server.open_connections == 0)


def test_a_trickle_of_bytes_does_not_extend_the_deadline() -> None:
    with running(limits=SHORT) as site, site.connect() as sock:
        began = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            drip(sock, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200)
        assert time.monotonic() - began > 0.3


def test_a_trickle_on_a_kept_connection_has_a_deadline_too() -> None:
    with running(limits=replaced(SHORT, idle_seconds=30.0)) as site, site.connect() as sock:
        assert ask(sock)[0] == 200
        sock.sendall(b"G")
        assert 0.3 < seconds_until_closed(sock) < 2.0
        assert site.server.dropped == {"deadline": 1}


def test_kept_connection_ends_when_idle_and_that_is_nobodys_fault() -> None:
    with running(limits=SHORT) as site, site.connect() as sock:
        assert ask(sock)[0] == 200
        assert 0.3 < seconds_until_closed(sock) < 2.0
        assert site.server.dropped == {}


def test_half_a_request_and_gone() -> None:
    with running() as site:
        for _ in range(20):
            with site.connect() as sock:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHo")
        assert site.get()[0] == 200
        site.until(lambda: site.server.open_connections == 0)


def test_reset_instead_of_goodbye() -> None:
    with running() as site:
        for request in (b"", b"GET /metrics HTTP/1.1\r\n", b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            sock = site.connect()
            sock.sendall(request)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if b"big" in request:
                site.until(lambda: site.server.requests[200] == 1)
            else:
                site.until(lambda: site.server.open_connections == 1)
            sock.close()
            site.until(lambda: site.server.open_connections == 0)
        assert site.server.dropped == {"reset": 3}


def test_reset_while_lingering() -> None:
    with running() as site, site.connect() as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert read_answer(sock)[0] == 400
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        site.until(lambda: site.server.open_connections == 0)


@pytest.mark.parametrize("size", [8192, 20_000, 1_000_000])
def test_huge_headers_are_refused_and_the_client_learns_why(size: int) -> None:
    with running() as site, site.connect() as sock:
        status, headers, _ = ask(sock, "/metrics", "X: " + "a" * size)
        assert (status, headers["connection"]) == (431, "close")
        assert is_closed_by_peer(sock)
        assert site.server.requests == {431: 1}


def test_head_of_exactly_the_bound() -> None:
    line = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: "
    with running() as site, site.connect() as sock:
        sock.sendall(line + b"a" * (8192 - len(line) - 4) + b"\r\n\r\n")
        assert read_answer(sock)[0] == 200


def test_a_million_tiny_headers_end_early() -> None:
    with running() as site, site.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 100_000)
        assert read_answer(sock)[0] == 431


def test_endless_refused_request_is_not_read_for_ever() -> None:
    limits = replaced(LIMITS, linger_bytes=300_000, linger_seconds=30.0)
    with running(limits=limits) as site, site.connect() as sock:
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            sock.sendall(b"a" * 65_000_000)
        site.until(lambda: site.server.open_connections == 0)


def test_refused_and_silent_ends_at_the_linger_deadline() -> None:
    with running(limits=SHORT) as site, site.connect() as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert read_answer(sock)[0] == 400
        site.until(lambda: site.server.open_connections == 0, seconds=1.0)
        assert site.server.dropped == {}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300), 400),  # TLS on the plain port
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", 413),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n", 413),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", 405),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET /met\x00rics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /metrics HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\r\n\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_for_us(raw: bytes, status: int) -> None:
    with running() as site, site.connect() as sock:
        sock.sendall(raw)
        assert read_answer(sock)[0] == status
        assert is_closed_by_peer(sock)
        assert site.get()[0] == 200


def test_slow_reader_ends_at_the_deadline_and_is_held_in_little_memory() -> None:
    with running(limits=SHORT) as site:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        socks = [site.connect() for _ in range(20)]
        for sock in socks:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert site.get()[0] == 200
        site.until(lambda: site.server.dropped["deadline"] == 20, seconds=2.0)
        for sock in socks:
            sock.close()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB; 20 copies were 160 MB


def test_reader_that_takes_its_time_gets_all() -> None:
    with running(limits=replaced(LIMITS, send_buffer=4096)) as site, site.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        time.sleep(0.1)
        assert read_answer(sock)[2] == BIG


def test_client_that_left_before_it_was_accepted(caplog: pytest.LogCaptureFixture) -> None:
    """accept(2) may hand over the network error of the client; Linux does not do it on loopback."""
    with running() as site:
        aborted = ConnectionAbortedError(errno.ECONNABORTED, "Software caused connection abort")
        site.call(lambda: site.server._not_accepted(next(iter(site.server._listeners)), aborted))
        assert site.get()[0] == 200
    assert caplog.messages == []


def test_out_of_descriptors_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with running() as site:
        silent = [site.connect() for _ in range(3)]
        site.until(lambda: site.server.open_connections == 3)
        waiting = [socket.socket() for _ in range(4)]
        highest = max(sock.fileno() for sock in waiting)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        try:
            for sock in waiting:
                sock.settimeout(5)
                sock.connect(("127.0.0.1", site.port))
            site.until(lambda: site.server.dropped["evicted"] >= 1)
            assert ask(waiting[0])[0] == 200
            time.sleep(0.3)  # the others wait still, and it is tried again and again
            assert len(caplog.messages) == 1
            assert caplog.messages[0].startswith("cannot accept on 127.0.0.1:")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for sock in (*silent, *waiting):
                sock.close()
        assert site.get()[0] == 200
