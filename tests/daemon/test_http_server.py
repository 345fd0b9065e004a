"""The protocol as a well-behaved client sees it, over real sockets."""

from __future__ import annotations

import logging
import socket
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from hostagent.daemon.http import Server
from hostagent.daemon.http_answer import http_date
from hostagent.daemon.http_listen import ListenError, adopt, listener, name_of
from hostagent.daemon.http_message import LIMITS, BadQueryError, Request, Response, plain, prepared
from hostagent.values.record import replaced
from tests.daemon.http_running import ALWAYS, BIG, PAGES, ask, is_closed_by_peer, read_answer, running
from tests.daemon.running import SECONDS


def test_page_with_everything_a_scraper_needs() -> None:
    with running() as site:
        status, headers, body = site.get()
        date = parsedate_to_datetime(headers.pop("date"))
        assert abs(date.timestamp() - time.time()) < 5
        assert (status, body) == (200, b"up 1\n")
        assert headers == {
            "content-type": "text/plain; charset=utf-8",
            "content-length": "5",
            "vary": "Accept, Accept-Encoding",
            **ALWAYS,
        }


def test_bytes_on_the_wire() -> None:
    with running() as site, site.connect() as sock:
        sock.sendall(b"GET /nowhere HTTP/1.0\r\n\r\n")
        got = b""
        while data := sock.recv(4096):
            got += data
        lines = got.split(b"\r\n")
        assert lines.pop(3).startswith(b"Date: ")
        assert lines == [
            b"HTTP/1.1 404 Not Found",
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Length: 14",
            b"X-Content-Type-Options: nosniff",
            b"Cross-Origin-Resource-Policy: same-origin",
            b"Cache-Control: no-store",
            b"Connection: close",
            b"",
            b"404 Not Found\n",
        ]


def test_gzip_where_accepted() -> None:
    with running() as site:
        status, headers, body = site.get("/metrics", "Accept-Encoding: gzip")
        assert (status, body) == (200, b"(gzipped)")
        assert (headers["content-encoding"], headers["content-length"]) == ("gzip", "9")


def test_page_without_gzip_varies_by_nothing() -> None:
    with running() as site, site.connect() as sock:
        _, headers, body = ask(sock, "/big", "Accept-Encoding: gzip")
        assert body == BIG
        assert sorted(headers.keys() - ALWAYS.keys()) == ["content-length", "content-type", "date"]


def test_head_has_the_headers_and_no_body() -> None:
    with running() as site, site.connect() as sock:
        status, headers, body = ask(sock, method="HEAD")
        assert (status, headers["content-length"], body) == (200, "5", b"")
        assert ask(sock)[2] == b"up 1\n"  # nothing of a body stands in the way of the next answer


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"])
def test_other_methods(method: str) -> None:
    with running() as site:
        status, headers, _ = site.get(method=method)
        assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_connect_and_upgrade_are_not_spoken() -> None:
    with running() as site:
        assert site.get("node:22", method="CONNECT")[0] == 405
        assert site.get("/metrics", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")[0] == 200


def test_not_found_is_counted_and_says_so() -> None:
    with running() as site:
        status, headers, body = site.get("/nowhere")
        assert (status, body, headers["x-content-type-options"]) == (404, b"404 Not Found\n", "nosniff")
        site.get()
        assert site.server.requests == {404: 1, 200: 1}


@pytest.mark.parametrize("path", ["/metrics/", "/Metrics", "/%6detrics", "//metrics", "/../metrics"])
def test_paths_are_exact(path: str) -> None:
    with running() as site:
        assert site.get(path)[0] == 404


def test_what_a_page_sees() -> None:
    seen: list[Request] = []

    def page(request: Request) -> Response:
        seen.append(request)
        return plain(200)

    with running(routes={"/metrics": page}) as site:
        site.get("http://localhost:1/metrics?collect%5B%5D=pci&x=a+b&empty=", "Accept: a", "accept: b", "X-Odd: \xff")
    assert seen == [
        Request(
            method="GET",
            path="/metrics",
            query=(("collect[]", "pci"), ("x", "a b"), ("empty", "")),
            headers={"host": "localhost:1", "accept": "a, b", "x-odd": "\xff"},
            peer="127.0.0.1",
        )
    ]


def test_too_many_parameters() -> None:
    with running() as site:
        status, _, body = site.get("/metrics?" + "&".join(f"a{n}=1" for n in range(101)))
        assert (status, body) == (400, b"400 the query has more than 100 parameters\n")


def test_page_that_refuses_the_query() -> None:
    def page(request: Request) -> Response:
        raise BadQueryError("unknown collector 'x'")

    with running(routes={"/metrics": page}) as site:
        assert site.get()[::2] == (400, b"400 unknown collector 'x'\n")


def test_page_that_fails_costs_one_answer(caplog: pytest.LogCaptureFixture) -> None:
    def page(request: Request) -> Response:
        raise ZeroDivisionError

    with running(routes={**PAGES, "/broken": page}) as site, site.connect() as sock:
        assert ask(sock, "/broken")[0] == 500
        assert ask(sock)[0] == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "page /broken failed"
    ]


def test_keep_alive_and_its_ends() -> None:
    with running() as site:
        with site.connect() as sock:
            for _ in range(3):
                assert ask(sock)[0] == 200
            assert ask(sock, "/metrics", "Connection: close")[1]["connection"] == "close"
            assert is_closed_by_peer(sock)
        with site.connect() as sock:
            sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert read_answer(sock)[0] == 200
            assert is_closed_by_peer(sock)
        assert site.server.dropped == {}


def test_lifetime_ends_with_an_answer() -> None:
    with running(limits=replaced(LIMITS, lifetime_seconds=0.0)) as site, site.connect() as sock:
        assert ask(sock)[1]["connection"] == "close"
        assert is_closed_by_peer(sock)


def test_a_thousand_pipelined_requests() -> None:
    count = 1000
    with running() as site, site.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * count)
        got = b""
        while got.count(b"up 1\n") < count:
            got += sock.recv(1 << 20)
        assert site.server.requests == {200: count}


def test_request_in_pieces() -> None:
    with running() as site, site.connect() as sock:
        for piece in (b"GE", b"T /metrics HT", b"TP/1.1\r\nHost", b": localhost\r\n", b"\r\n"):
            sock.sendall(piece)
            time.sleep(0.01)
        assert read_answer(sock)[0] == 200


def test_many_pages_change_under_the_server() -> None:
    pages = dict(PAGES)
    with running(routes=pages) as site:
        assert site.get("/new")[0] == 404
        pages["/new"] = lambda _: prepared("text/html", b"x")
        assert site.get("/new")[0] == 200


def test_close_waits_for_a_begun_answer_and_not_for_silence() -> None:
    with running() as site, site.connect() as silent, site.connect() as idle, site.connect() as reader:
        assert ask(idle)[0] == 200
        reader.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        site.until(lambda: site.server.requests[200] == 2)
        site.loop.call_soon_threadsafe(lambda: None)
        import threading

        got: list[int] = []
        thread = threading.Thread(target=lambda: got.append(len(read_answer(reader)[2])))
        thread.start()
        assert site.close(4.0) < 3.0
        thread.join()
        assert got == [len(BIG)]
        assert is_closed_by_peer(silent)
        assert is_closed_by_peer(idle)
        assert site.server.dropped == {}
        with pytest.raises(ConnectionRefusedError):
            site.connect()


def test_close_cuts_what_does_not_end() -> None:
    with running() as site, site.connect() as half, site.connect() as slow:
        half.sendall(b"GET /metr")
        slow.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        site.until(lambda: site.server.requests[200] == 1 and site.server.open_connections == 2)
        time.sleep(0.05)
        assert 0.15 < site.close(0.2) < 2.0
        assert site.server.dropped == {"shutdown": 2}


def test_http_date_has_no_locale() -> None:
    assert http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


# listeners


def test_several_listeners_one_of_them_inherited(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    given = socket.create_server(("127.0.0.1", 0))
    with running(listeners=("127.0.0.1:0", given, f"unix:{path}", "localhost:0")) as site:
        assert path.stat().st_mode & 0o777 == 0o660
        for address in (site.server.addresses[0], site.server.addresses[1]):
            with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=SECONDS) as sock:
                assert ask(sock)[0] == 200
        assert site.server.addresses[2] == f"unix:{path}"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            sock.connect(str(path))
            assert ask(sock)[0] == 200


def test_unix_socket_of_the_dead_is_replaced_and_of_the_living_is_not(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/web.sock"
    listener(address, send_buffer=65536).close()
    with listener(address, send_buffer=65536), pytest.raises(ListenError, match="Address already in use"):
        listener(address, send_buffer=65536)


def test_unix_socket_does_not_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "web.sock").write_text("precious")
    with pytest.raises(ListenError, match="Address already in use"):
        listener(f"unix:{tmp_path}/web.sock", send_buffer=65536)
    assert (tmp_path / "web.sock").read_text() == "precious"


def test_all_interfaces() -> None:
    with listener(":0", send_buffer=65536) as sock:
        port = sock.getsockname()[1]
        assert name_of(sock) in {f"[::]:{port}", f"0.0.0.0:{port}"}
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")
def test_ipv6() -> None:
    with listener("[::1]:0", send_buffer=65536) as sock:
        assert name_of(sock) == f"[::1]:{sock.getsockname()[1]}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "10346",
        "localhost",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.0.0.1:65536",
        "::1:80",
        "127.0.0.1:-1",
        "a:²",
    ],
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(ListenError, match="cannot listen on"):
        listener(address, send_buffer=65536)


def test_address_that_is_not_ours_names_itself() -> None:
    with pytest.raises(ListenError, match=r"192\.0\.2\.1:80"):
        listener("192.0.2.1:80", send_buffer=65536)


def test_failed_start_leaves_nothing_open() -> None:
    import asyncio

    given = socket.create_server(("127.0.0.1", 0))
    server = Server(routes=PAGES, limits=LIMITS, web_config=None)
    with pytest.raises(ListenError):
        asyncio.run(server.start((given, "nonsense")))
    assert (given.fileno(), server.addresses) == (-1, ())


def test_adopted_socket_does_not_block() -> None:
    with (
        adopt(socket.create_server(("127.0.0.1", 0)), send_buffer=65536) as sock,
        pytest.raises(BlockingIOError),
    ):
        sock.accept()
