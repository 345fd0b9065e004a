"""Passwords and rates. Hashes have bcrypt's least cost (4), but for those whose slowness is the point."""

from __future__ import annotations

import base64
import contextlib
import time
from pathlib import Path

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.daemon.http_guard import (
    TokenBucket,
    bcrypt_matches,
    credentials,
    decoy,
)
from hostagent.daemon.http_message import LIMITS
from hostagent.daemon.webconfig import WebConfigFile
from hostagent.values.record import replaced
from tests.daemon.http_running import ask, read_answer, running


def hashed(password: str, cost: int = 4) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def basic(user: str, password: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def web_config(directory: Path, cost: int = 4, **users: str) -> WebConfigFile:
    lines = [f"  {user}: '{hashed(password, cost)}'" for user, password in users.items()]
    (directory / "web.yml").write_text("\n".join(("basic_auth_users:", *lines, "")))
    return WebConfigFile(str(directory / "web.yml"))


def test_password(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path, alice="sésame:open", bob="b")) as site:
        status, headers, body = site.get()
        assert (status, body) == (401, b"401 Unauthorized\n")
        assert headers["www-authenticate"] == 'Basic realm="hostagent", charset="UTF-8"'
        for _ in range(2):  # checked, then remembered
            assert site.get("/metrics", basic("alice", "sésame:open"))[0] == 200
        assert site.get("/metrics", basic("bob", "b"))[0] == 200
        for user, password in (
            ("alice", "b"),
            ("bob", "sésame:open"),
            ("carol", "b"),
            ("", ""),
            ("alice", ""),
        ):
            assert site.get("/metrics", basic(user, password))[0] == 401
        assert site.get("/nowhere")[0] == 401  # what exists is not told to strangers
        assert site.get("/nowhere", basic("bob", "b"))[0] == 404
        assert site.get("/metrics", basic("bob", "b"), method="POST")[0] == 405


def test_password_on_a_kept_connection(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path, bob="b")) as site, site.connect() as sock:
        for password, status in (("x", 401), ("b", 200), ("x", 401), ("b", 200)):
            assert ask(sock, "/metrics", basic("bob", password))[0] == status


def test_pipelined_behind_a_check(tmp_path: Path) -> None:
    request = f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n{basic('bob', 'b')}\r\n\r\n".encode()
    with running(web_config=web_config(tmp_path, bob="b")) as site, site.connect() as sock:
        sock.sendall(request * 3)
        got = b""
        while got.count(b"up 1\n") < 3:
            got += sock.recv(4096)


def test_changed_password_holds_at_once(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path, bob="old")) as site:
        assert site.get("/metrics", basic("bob", "old"))[0] == 200
        web_config(tmp_path, bob="new")
        assert site.get("/metrics", basic("bob", "old"))[0] == 401
        assert site.get("/metrics", basic("bob", "new"))[0] == 200


def test_removing_all_passwords_needs_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(web_config=web_config(tmp_path, bob="b")) as site:
        (tmp_path / "web.yml").write_text("")  # what an editor leaves for a moment, too
        for _ in range(3):
            assert site.get()[0] == 401
        message = (
            f"{tmp_path}/web.yml: would take away all passwords: restart to do that; the old web configuration stays"
        )
        assert [text for text in caplog.messages if "would take" in text] == [message]
    with running(web_config=WebConfigFile(str(tmp_path / "web.yml"))) as site:
        assert site.get()[0] == 200


def test_storm_of_wrong_passwords_does_not_stall_who_is_known(tmp_path: Path) -> None:
    config = web_config(tmp_path, cost=11, bob="b")  # about 150 ms a check
    with running(web_config=config) as site, contextlib.ExitStack() as stack:
        right = basic("bob", "b")
        assert site.get("/metrics", right)[0] == 200
        socks = [stack.enter_context(site.connect()) for _ in range(60)]
        for place, sock in enumerate(socks):
            user = "bob" if place % 2 else "nobody"
            request = f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n{basic(user, f'wrong {place}')}\r\n\r\n"
            sock.sendall(request.encode())
        times = []
        for _ in range(20):
            began = time.monotonic()
            assert site.get("/metrics", right)[0] == 200
            times.append(time.monotonic() - began)
        assert sorted(times)[10] < 0.1
        statuses = [read_answer(sock)[0] for sock in socks]
        assert 4 <= statuses.count(401) < 20  # half of the queue for one address, and what came when it had moved on
        assert statuses.count(401) + statuses.count(503) == 60


def test_deadline_before_the_verdict(tmp_path: Path) -> None:
    config = web_config(tmp_path, cost=10, bob="b")
    with (
        running(web_config=config, limits=replaced(LIMITS, answer_seconds=0.01)) as site,
        site.connect() as sock,
    ):
        request = f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n{basic('bob', 'b')}\r\n\r\n"
        sock.sendall(request.encode())
        assert sock.recv(1) == b""
        time.sleep(0.3)  # the verdict comes to nobody
        assert site.server.dropped == {"deadline": 1}
        assert site.server.requests == {}


def test_closing_during_a_check(tmp_path: Path) -> None:
    # The check takes four seconds of processor time, on busy machines more: closing does not wait for its end.
    config = web_config(tmp_path, cost=16, bob="b")
    with running(web_config=config) as site, site.connect() as sock:
        request = f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n{basic('bob', 'b')}\r\n\r\n"
        sock.sendall(request.encode())
        site.until(lambda: site.server.open_connections == 1)
        time.sleep(0.02)
        assert site.close(0.0) < 3


def test_unknown_name_costs_as_much_as_the_costliest_hash() -> None:
    users = {b"a": hashed("x", 4).encode(), b"b": hashed("x", 6).encode()}
    assert decoy(users)[:7] == b"$2b$06$"
    assert len(decoy(users)) == 60
    assert not bcrypt_matches(b"x", decoy(users))
    assert decoy({}) == b""


def test_hashes_of_htpasswd_and_long_passwords() -> None:
    long = b"a" * 100
    made = bcrypt.hashpw(long[:72], bcrypt.gensalt(4))
    assert bcrypt_matches(long, made.replace(b"$2b$", b"$2y$"))
    assert not bcrypt_matches(b"a", made)
    assert not bcrypt_matches(b"a\0b", made)


def test_hash_bcrypt_does_not_know(caplog: pytest.LogCaptureFixture) -> None:
    assert not bcrypt_matches(b"x", b"$1$nonsense")
    assert caplog.messages == ["bcrypt refuses a password hash: Invalid salt"]


@pytest.mark.parametrize(
    ("header", "pair"),
    [
        ("Basic YTpi", (b"a", b"b")),
        ("basic   YTpi ", (b"a", b"b")),
        ("Basic YTpiOmM=", (b"a", b"b:c")),
        ("Basic Og==", (b"", b"")),
        ("Basic YQ==", None),
        ("Basic YTpi!", None),
        ("Basic YTp", None),
        ("Basic \xe9", None),
        ("Basic", None),
        ("Bearer YTpi", None),
        ("", None),
        (None, None),
    ],
)
def test_credentials(header: str | None, pair: tuple[bytes, bytes] | None) -> None:
    assert credentials(header) == pair


@given(st.binary(max_size=20).filter(lambda user: b":" not in user), st.binary(max_size=80))
def test_credentials_round_trip(user: bytes, password: bytes) -> None:
    header = "Basic " + base64.b64encode(user + b":" + password).decode()
    assert credentials(header) == (user, password)


def test_token_bucket() -> None:
    now = [0.0]
    bucket = TokenBucket(interval=0.5, burst=2, now=lambda: now[0])
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_rate_limit_and_its_change(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text("rate_limit: {interval: 1h, burst: 2}\n")
    with running(web_config=WebConfigFile(str(tmp_path / "web.yml"))) as site:
        answers = [site.get() for _ in range(3)]
        assert [status for status, _, _ in answers] == [200, 200, 429]
        assert answers[2][1]["retry-after"] == "1"
        (tmp_path / "web.yml").write_text("rate_limit: {interval: 1h, burst: 2}\n# touched\n")
        assert site.get()[0] == 429  # the bucket is not filled by rewriting the file
        (tmp_path / "web.yml").write_text("rate_limit: {interval: 0, burst: 2}\n")
        assert site.get()[0] == 200


def test_configured_headers_come_with_every_answer(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(
        "http_server_config:\n  headers:\n    X-Content-Type-Options: nosniff\n    X-XSS-Protection: 0\n"
        "    X-Frame-Options: deny\n    Content-Security-Policy: \"default-src 'none'\"\n    Strict-Transport-Security:\n"
    )
    with running(web_config=WebConfigFile(str(tmp_path / "web.yml"))) as site, site.connect() as sock:
        for path in ("/metrics", "/nowhere"):
            _, headers, _ = ask(sock, path)
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-xss-protection"] == "0"
            assert headers["x-frame-options"] == "deny"
            assert headers["content-security-policy"] == "default-src 'none'"
            assert "strict-transport-security" not in headers
