"""When all connections are taken: whoever asks is answered, whatever the others do."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostagent.daemon.http_message import LIMITS
from hostagent.daemon.http_phase import Phase
from hostagent.daemon.http_room import YOUNG_SECONDS, peer_of, victim
from hostagent.values.record import replaced
from tests.daemon.http_running import ask, is_closed_by_peer, read_answer, running
from tests.daemon.test_http_guard import basic, web_config


class One:
    def __init__(self, peer: str, phase: Phase, since: float) -> None:
        self.peer, self.phase, self.since = peer, phase, since

    def __repr__(self) -> str:
        return f"{self.peer} {self.phase.value} {self.since}"


IDLE, READING, CHECKING, ANSWERING = Phase.IDLE, Phase.READING, Phase.CHECKING, Phase.ANSWERING


@pytest.mark.parametrize(
    ("held", "place"),
    [
        ([], None),
        # of those alike the one that is so for longest
        ([One("a", IDLE, 1), One("b", IDLE, 2)], 0),
        # the peer that holds more, whatever its connections do
        ([One("a", IDLE, 1), One("b", IDLE, 2), One("b", CHECKING, 3)], 1),
        ([One("a", READING, 1), One("b", CHECKING, 2), One("b", CHECKING, 3)], 1),
        # of one peer the silent ones, then the quiet ones
        ([One("a", ANSWERING, 0), One("a", CHECKING, 0), One("a", IDLE, 1), One("a", READING, 2)], 3),
        ([One("a", ANSWERING, 0), One("a", CHECKING, 0), One("a", IDLE, 1)], 2),
        # the young last, those of the greedy before others
        ([One("b", READING, 9.9), One("b", READING, 9.9), One("a", IDLE, 9.99)], 2),
        ([One("a", READING, 9.9), One("b", READING, 9.9), One("b", READING, 9.95)], 1),
        # who takes an answer stays
        ([One("a", ANSWERING, 9.5), One("b", ANSWERING, 9.5)], None),
        ([One("a", ANSWERING, 9.5), One("a", CHECKING, 9.9)], 1),
    ],
)
def test_who_gives_way(held: list[One], place: int | None) -> None:
    assert victim(held, now=10.0, stall_seconds=1.0) is (None if place is None else held[place])


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        (("192.0.2.1", 5), "192.0.2.1"),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 2), "fe80::/64"),
        ("", "unix"),
    ],
)
def test_peer_of(address: object, peer: str) -> None:
    assert peer_of(address) == peer


def test_silent_connections_push_out_each_other_only() -> None:
    with running(limits=replaced(LIMITS, connections=10)) as site, site.connect() as scraper:
        silent = [site.connect() for _ in range(9)]
        time.sleep(YOUNG_SECONDS + 0.05)
        for _ in range(5):
            assert ask(scraper)[0] == 200
            assert site.get()[0] == 200
        assert is_closed_by_peer(silent[0])
        assert site.server.dropped["refused"] == 0
        for sock in silent:
            sock.close()


def test_newcomers_that_come_together_are_all_answered() -> None:
    with running(limits=replaced(LIMITS, connections=20)) as site, contextlib.ExitStack() as stack:
        for _ in range(20):
            assert ask(stack.enter_context(site.connect()))[0] == 200
        for _ in range(5):
            held, go = threading.Event(), threading.Event()
            site.loop.call_soon_threadsafe(held.set)
            site.loop.call_soon_threadsafe(go.wait, 5)
            held.wait(5)  # the loop is busy, so that all ten are accepted in one turn
            ten = [stack.enter_context(site.connect()) for _ in range(10)]
            for sock in ten:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            go.set()
            assert [read_answer(sock)[0] for sock in ten] == [200] * 10


def test_newcomers_whose_request_is_on_its_way_still_stay() -> None:
    with running(limits=replaced(LIMITS, connections=20)) as site, contextlib.ExitStack() as stack:
        for _ in range(20):
            assert ask(stack.enter_context(site.connect()))[0] == 200
        ten = [stack.enter_context(site.connect()) for _ in range(10)]
        site.until(lambda: site.server.dropped["evicted"] == 10)
        assert [ask(sock)[0] for sock in ten] == [200] * 10


def storm(port: int, stop: threading.Event, count: int, request: Callable[[int], bytes]) -> None:
    """Clients that ask, read, ask again, and come back when they are cut off."""
    chooser, asked, own = selectors.DefaultSelector(), 0, set[socket.socket]()

    def come() -> None:
        sock = socket.socket()
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.connect(("127.0.0.1", port))
        own.add(sock)
        chooser.register(sock, selectors.EVENT_WRITE)

    for _ in range(count):
        come()
    while not stop.is_set():
        for key, _events in chooser.select(0.05):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            try:
                if key.events == selectors.EVENT_WRITE:
                    asked += 1
                    sock.send(request(asked))
                    chooser.modify(sock, selectors.EVENT_READ)
                elif sock.recv(65536):
                    chooser.modify(sock, selectors.EVENT_WRITE)
                else:
                    raise ConnectionResetError
            except OSError:
                chooser.unregister(sock)
                sock.close()
                own.discard(sock)
                come()
        time.sleep(0.01)
    for sock in own:
        sock.close()
    chooser.close()


@contextlib.contextmanager
def storming(port: int, count: int, request: Callable[[int], bytes]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=storm, args=(port, stop, count, request))
    thread.start()
    try:
        time.sleep(0.5)
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("same", [False, True])
def test_a_password_storm_costs_a_remembered_password_nothing(tmp_path: Path, same: bool) -> None:  # noqa: FBT001
    config = web_config(tmp_path, cost=10, bob="b")
    with running(web_config=config, limits=replaced(LIMITS, connections=40)) as site:
        right = basic("bob", "b")
        assert site.get("/metrics", right)[0] == 200

        def wrong(number: int) -> bytes:
            password = "wrong" if same else f"wrong {number}"
            return f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n{basic('bob', password)}\r\n\r\n".encode()

        with storming(site.port, 60, wrong):
            assert [site.get("/metrics", right)[0] for _ in range(20)] == [200] * 20


def test_a_storm_of_quick_questions_costs_others_nothing() -> None:
    with (
        running(limits=replaced(LIMITS, connections=40)) as site,
        storming(site.port, 60, lambda _number: b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ):
        assert [site.get()[0] for _ in range(20)] == [200] * 20


def test_idle_connections_give_way_next() -> None:
    with (
        running(limits=replaced(LIMITS, connections=2)) as site,
        site.connect() as first,
        site.connect() as second,
    ):
        assert (ask(first)[0], ask(second)[0]) == (200, 200)
        assert site.get()[0] == 200
        assert is_closed_by_peer(first)
        assert ask(second)[0] == 200


def test_stalled_readers_give_way_last() -> None:
    with running(limits=replaced(LIMITS, connections=2, stall_seconds=0.1, send_buffer=4096)) as site:
        socks = [site.connect() for _ in range(2)]
        for sock in socks:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        site.until(lambda: site.server.requests[200] == 2)
        with site.connect() as refused:  # both are being served, as far as can be told yet
            assert read_answer(refused)[0] == 503
        time.sleep(0.15)
        assert site.get()[0] == 200
        assert site.server.dropped == {"refused": 1, "evicted": 1}
        for sock in socks:
            sock.close()
