"""Names a loopback listener answers to, headers of every answer, and listeners that are open to all: over real sockets."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from hostagent.daemon.http import FULL
from hostagent.daemon.http_connection import PLAIN_ON_TLS
from hostagent.daemon.http_host import is_called, names_of
from hostagent.daemon.http_listen import ListenError, adopt, examine, listener
from hostagent.daemon.http_message import LIMITS, Page, Request, Response, plain
from hostagent.daemon.webconfig import WebConfigFile
from hostagent.values.record import replaced
from tests.daemon.http_running import ALWAYS, PAGES, read_answer, running
from tests.daemon.running import SECONDS

HASH = "$2b$04$" + "." * 53
needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")


def asked(sock: socket.socket, host: str, *, target: str = "/metrics") -> int:
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
    return read_answer(sock)[0]


OURS = (
    *("localhost", "LOCALHOST", "localhost.", "localhost:10346", "LocalHost.:8080", "localhost:"),
    *("127.0.0.1", "127.0.0.1:80", "127.255.255.254", "127.0.0.1.", "[::1]", "[::1]:10346", "[0:0:0:0:0:0:0:1]"),
    *("[::ffff:127.0.0.1]", ""),
)
FOREIGN = (
    *("attacker.example", "attacker.example:10346", "localhost.attacker.example", "127.0.0.1.attacker.example"),
    *("localhost:x", "localhost:80:80", "localhost..", "localhost@attacker.example", "attacker.example#localhost"),
    *(
        "128.0.0.1",
        "10.0.0.1",
        "0.0.0.0",
        "[::2]",
        "[::]",
        "[::1",
        "::1",
        "[127.0.0.1]",
        "[localhost]",
        "[::1]x",
        "[::1]:x",
    ),
    *("notlocalhost", "localhost, attacker.example", "l\xf6calhost", "2130706433", "."),
)


@pytest.mark.parametrize("host", OURS)
def test_the_loopback_answers_to_its_names(host: str) -> None:
    with running() as site, site.connect() as sock:
        assert asked(sock, host) == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_and_to_no_foreign_one(host: str) -> None:
    with running() as site, site.connect() as sock:
        assert asked(sock, host) == 421
        assert asked(sock, "localhost") == 200, "the connection goes on"
        assert site.server.requests == {421: 1, 200: 1}


@needs_ipv6
def test_the_other_loopback_too() -> None:
    with running(listeners=("[::1]:0",)) as site, socket.create_connection(("::1", site.port), timeout=SECONDS) as sock:
        assert (asked(sock, "attacker.example"), asked(sock, "[::1]:1"), asked(sock, "localhost")) == (
            421,
            200,
            200,
        )


def test_a_request_without_a_host_comes_from_no_browser() -> None:
    with running() as site, site.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert read_answer(sock)[0] == 200
    with running() as site, site.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.0\r\nHost: attacker.example\r\n\r\n")
        assert read_answer(sock)[0] == 421


def test_the_host_of_an_absolute_target_counts() -> None:
    with running() as site, site.connect() as sock:
        assert asked(sock, "localhost", target="http://attacker.example/metrics") == 421
        assert asked(sock, "attacker.example", target="http://localhost:1/metrics") == 200


def test_names_in_the_settings_are_ours() -> None:
    names = names_of(("Node-7.Example.org.:10346", "127.0.0.1:1", ":10346", "unix:/run/a", "[::1]:2"))
    assert names == {"node-7.example.org", "127.0.0.1", "::1"}
    assert is_called("node-7.example.org:10346", names)
    assert not is_called("node-8.example.org", names)
    given = socket.create_server(("127.0.0.1", 0))
    with running(listeners=(given,), called=("node-7.example.org:10346",)) as site, site.connect() as sock:
        assert (asked(sock, "node-7.example.org"), asked(sock, "node-8.example.org")) == (200, 421)


@pytest.mark.parametrize("where", [":0", "0.0.0.0:0", "unix"])
def test_listeners_for_others_have_names_nobody_knows(tmp_path: Path, where: str) -> None:
    path = str(tmp_path / "web.sock")
    with running(listeners=(f"unix:{path}" if where == "unix" else where,)) as site:
        if where == "unix":
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(5)
            sock.connect(path)
        else:
            sock = site.connect()
        with sock:
            assert asked(sock, "node-7.example.org") == 200


def test_a_foreign_name_learns_nothing_of_passwords_and_costs_no_rate(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{bob: '{HASH}'}}\nrate_limit: {{interval: 1h, burst: 1}}\n")
    with running(web_config=WebConfigFile(str(file))) as site, site.connect() as sock:
        assert [asked(sock, host) for host in ("attacker.example", "attacker.example", "localhost")] == [421, 421, 401]


def _fails(_request: Request) -> Response:
    raise ZeroDivisionError


def test_every_answer_says_what_browsers_may_do_with_it(tmp_path: Path) -> None:
    """Whatever the status; 304 is one that no page gives today."""
    routes: Mapping[str, Page] = {**PAGES, "/same": lambda _: replaced(plain(304), body=b""), "/broken": _fails}
    seen: dict[int, dict[str, str]] = {}
    with running(routes=routes) as site:
        for path, method, headers in (
            *(("/metrics", "GET", ()), ("/metrics", "HEAD", ()), ("/nowhere", "GET", ()), ("/metrics", "POST", ())),
            *(("/same", "GET", ()), ("/broken", "GET", ()), ("/metrics", "GET", ("Content-Length: 3",))),
            *(("/metrics?" + "&" * 200 + "a=1&" * 101, "GET", ()), ("/metrics", "GET", ("X: " + "a" * 9000,))),
        ):
            status, found, _ = site.get(path, *headers, method=method)
            assert {key: found.get(key) for key in ALWAYS} == ALWAYS, (path, method, status)
            seen[status] = found
        with site.connect() as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n")
            status, seen[421], _ = read_answer(sock)
        with site.connect() as sock:
            sock.sendall(b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n")
            status, seen[400], _ = read_answer(sock)
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{bob: '{HASH}'}}\nrate_limit: {{interval: 1h, burst: 1}}\n")
    with running(web_config=WebConfigFile(str(file))) as site:
        for status in (401, 429):
            found_status, seen[status], _ = site.get()
            assert found_status == status
    assert set(seen) == {200, 304, 400, 401, 404, 405, 413, 421, 429, 431, 500}
    assert {status: {key: found.get(key) for key in ALWAYS} for status, found in seen.items()} == dict.fromkeys(
        seen, ALWAYS
    )
    for raw in (FULL, PLAIN_ON_TLS):
        lines = raw.decode().lower().split("\r\n")
        assert [f"{key}: {value}" for key, value in ALWAYS.items() if f"{key}: {value}" not in lines] == []


def test_a_configured_header_stands_once_and_wins(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    file.write_text("http_server_config: {headers: {X-Content-Type-Options: nosniff}}\n")
    with running(web_config=WebConfigFile(str(file))) as site, site.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        got = b""
        while data := sock.recv(4096):
            got += data
    assert got.lower().count(b"x-content-type-options: nosniff\r\n") == 1


OPEN_TO_ALL = "serves whoever reaches any interface of this machine, without a password"


@pytest.mark.parametrize(
    ("where", "users", "warned"),
    [
        (":0", False, True),
        ("0.0.0.0:0", False, True),
        pytest.param("[::]:0", False, True, marks=needs_ipv6),
        (":0", True, False),
        ("127.0.0.1:0", False, False),
        ("unix", False, False),
    ],
)
def test_listening_for_all_without_a_password_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str, *, users: bool, warned: bool
) -> None:
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{bob: '{HASH}'}}\n")
    caplog.set_level(logging.INFO)
    address = f"unix:{tmp_path}/web.sock" if where == "unix" else where
    with running(listeners=(address,), web_config=WebConfigFile(str(file)) if users else None) as site:
        said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert [OPEN_TO_ALL in line for line in said] == [True] * warned
        assert all(line.startswith(site.server.addresses[0]) for line in said)


def test_what_could_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as mine:
        taken, ours = other.getsockname()[1], mine.getsockname()[1]
        examine((f":{ours}",), (mine,))
        examine((f"127.0.0.1:{ours}", f"127.0.0.2:{ours}", "127.0.0.1:0"), (mine,))
        for addresses in ((f"127.0.0.1:{taken}",), (f":{taken}",), (f"127.0.0.2:{ours}", f":{taken}")):
            with pytest.raises(ListenError, match=f":{taken}: Address already in use"):
                examine(addresses, (mine,))
        with pytest.raises(ListenError, match=f":{ours}: Address already in use"):
            examine((f":{ours}",), ())
        with pytest.raises(ListenError, match=f":{ours}: Address already in use"):
            examine((f":{ours}", f"127.0.0.1:{ours}"), (mine,))  # each alone could be, both cannot
        # Nothing of it stays: who connects reaches its owner.
        with socket.create_connection(("127.0.0.1", ours), timeout=SECONDS):
            mine.accept()[0].close()


@pytest.mark.parametrize("address", ["192.0.2.1:80", "no.such.host.invalid:80", "localhost", "unix:/nonexistent/a/b"])
def test_what_could_not(address: str) -> None:
    with pytest.raises(ListenError, match="cannot listen on"):
        examine((address,), ())


def test_a_path_is_examined_and_left_as_it_was(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/web.sock"
    examine((address,), ())
    assert list(tmp_path.iterdir()) == []
    with listener(address, send_buffer=65536) as mine:
        examine((address,), (mine,))
        assert [path.name for path in tmp_path.iterdir()] == ["web.sock"]
        with pytest.raises(ListenError, match="Address already in use"):
            examine((address,), ())


def test_limits_of_names_hold_for_inherited_sockets() -> None:
    given = adopt(socket.create_server(("127.0.0.1", 0)), send_buffer=LIMITS.send_buffer)
    with running(listeners=(given,)) as site, site.connect() as sock:
        assert (asked(sock, "attacker.example"), asked(sock, "localhost")) == (421, 200)
