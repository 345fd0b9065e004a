"""Who has a password checked when: a turn for every peer, and no more waiting than can be served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hostagent.daemon import http_passwords
from hostagent.daemon.http_guard import OPEN, Protection, bcrypt_matches, decoy
from hostagent.daemon.http_passwords import ALIKE, PEERS, Passwords
from hostagent.values.record import replaced
from tests.daemon.http_running import running
from tests.daemon.running import SECONDS
from tests.daemon.test_http_guard import basic, hashed, web_config


def protected(cost: int = 4, **users: str) -> Protection:
    hashes = {user.encode(): hashed(password, cost).encode() for user, password in users.items()}
    return replaced(OPEN, users=hashes, decoy=decoy(hashes))


class Asked:
    """Questions about bob, whose password is b, and the verdicts in the order they come."""

    def __init__(self, *, waiting: int, cost: int = 4) -> None:
        self.passwords = Passwords(waiting=waiting)
        self.verdicts: list[tuple[bytes, bool]] = []
        self._protection = protected(cost, bob="b")

    def __call__(self, password: bytes, peer: str) -> bool | None:
        def done(right: bool) -> None:  # noqa: FBT001 - the verdict
            self.verdicts.append((password, right))

        return self.passwords.check(self._protection, b"bob", password, peer=peer, done=done)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(SECONDS):
            while len(self.verdicts) < count:  # noqa: ASYNC110 - the thread under test sets no event for us
                await asyncio.sleep(0.005)


def on_a_loop(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_same_question_is_checked_once_and_the_queue_is_bounded() -> None:
    async def scenario() -> None:
        asked = Asked(waiting=4, cost=6)
        assert [asked(b"b", "one") for _ in range(ALIKE + 1)] == [None] * ALIKE + [False]
        assert (asked(b"1", "one"), asked(b"2", "one")) == (None, None)
        assert asked(b"3", "one") is False  # half of the four, beside the one in hand
        assert (asked(b"3", "two"), asked(b"4", "two")) == (None, None)
        assert asked(b"5", "two") is False
        await asked.until(ALIKE + 4)
        assert asked(b"b", "one") is True
        assert asked.verdicts[:ALIKE] == [(b"b", True)] * ALIKE
        assert asked.passwords.close(5)

    on_a_loop(scenario)


def test_every_peer_has_its_turn() -> None:
    async def scenario() -> None:
        asked = Asked(waiting=8)
        for place in range(20):
            asked(b"wrong %d" % place, "one")
            asked(b"bad %d" % place, "two")
        assert asked(b"b", "scraper") is None  # though the queue is full
        await asked.until(9)
        order = [password for password, _ in asked.verdicts]
        assert order[:5] == [b"wrong 0", b"bad 0", b"wrong 1", b"b", b"bad 1"]
        assert asked.passwords.close(5)

    on_a_loop(scenario)


def test_peers_are_bounded() -> None:
    async def scenario() -> None:
        asked = Asked(waiting=2)
        given = [asked(b"%d" % place, f"peer {place}") for place in range(PEERS + 2)]
        assert given == [None] * (PEERS + 1) + [False]  # and one in hand
        assert asked.passwords.close(5)

    on_a_loop(scenario)


def test_what_waits_at_the_end_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bytes] = []

    def counting(password: bytes, hashed: bytes) -> bool:
        checked.append(password)
        return bcrypt_matches(password, hashed)

    monkeypatch.setattr(http_passwords, "bcrypt_matches", counting)

    async def scenario() -> None:
        asked = Asked(waiting=8, cost=10)
        for place in range(8):
            asked(b"%d" % place, f"peer {place % 2}")
        assert asked.passwords.close(SECONDS)  # which waits for the thread's end: nothing is checked after it
        assert len(checked) <= 1
        await asyncio.sleep(0.01)
        assert len(asked.verdicts) <= 1

    on_a_loop(scenario)


def test_verdict_after_the_loop_has_gone() -> None:
    async def ask_and_leave() -> Passwords:
        asked = Asked(waiting=2, cost=8)
        assert asked(b"b", "p") is None
        return asked.passwords

    passwords = asyncio.run(ask_and_leave())
    time.sleep(0.1)
    assert passwords.close(5)


def test_closing_without_a_check() -> None:
    assert Passwords(waiting=2).close(0.0)


def test_a_first_login_is_not_starved_by_two_addresses(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path, cost=8, bob="b")) as site:

        def check(password: str, peer: str) -> None:
            protection = site.server.protection()
            site.server._passwords.check(protection, b"bob", password.encode(), peer=peer, done=lambda _right: None)

        for place in range(100):
            site.call(partial(check, f"wrong {place}", f"192.0.2.{place % 2}"))
        assert site.get("/metrics", basic("bob", "b"))[0] == 200
