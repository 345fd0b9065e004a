"""Wake sources: the kernel's own sockets, and what a full buffer does."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from hostagent.daemon.wake import OVERFLOW, ROUTE, UEVENT, Ears, Routes, Uevents, routes, uevents
from tests.cli.run import REPOSITORY
from tests.daemon.running import SECONDS

LO = "/sys/class/net/lo/uevent"
writable = pytest.mark.skipif(not os.access(LO, os.W_OK), reason=f"only root may write to {LO}")


class Heard:
    def __init__(self) -> None:
        self.rings: list[str] = []

    async def until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        async with asyncio.timeout(SECONDS):
            while not holds(self.rings):  # noqa: ASYNC110 - what rings is the kernel
                await asyncio.sleep(0.01)
        return self.rings


def change(path: str = LO) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write("change")


@writable
def test_a_uevent_of_the_kernel_rings() -> None:
    async def main() -> list[str]:
        heard = Heard()
        source = await uevents(heard.rings.append, unexpected)
        change()
        found = await heard.until(bool)
        source.close()
        change()
        await asyncio.sleep(0.05)
        return found

    assert set(asyncio.run(main())) == {UEVENT}


@writable
def test_other_subsystems_do_not_ring() -> None:
    async def main() -> list[str]:
        heard = Heard()
        source = await uevents(heard.rings.append, unexpected)
        change("/sys/class/mem/null/uevent")
        await asyncio.sleep(0.1)
        source.close()
        return heard.rings

    assert asyncio.run(main()) == []


@writable
def test_uevents_that_were_lost_ring() -> None:
    """The kernel's own ENOBUFS: a buffer for two or three uevents, and a loop that does not get round to reading."""

    async def main() -> tuple[list[str], list[str]]:
        heard = Heard()
        source = await uevents(heard.rings.append, unexpected)
        source._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(50):
            change()
        lossy = list(await heard.until(lambda rings: OVERFLOW in rings))
        heard.rings.clear()
        change()
        later = list(await heard.until(lambda rings: UEVENT in rings))
        source.close()
        return lossy, later

    lossy, later = asyncio.run(main())
    assert lossy.count(OVERFLOW) == 1
    assert later.count(UEVENT) >= 1


def unexpected() -> None:
    raise AssertionError("a source died")


class Pipe:
    """A monitor as pyudev has one: readable, then a device, nothing, or an error."""

    def __init__(self, *answers: object) -> None:
        self._ends = socket.socketpair()
        self._answers = list(answers)
        self.empty = False
        self._ends[1].send(b"x")

    def fileno(self) -> int:
        return self._ends[0].fileno()

    def poll(self, timeout: float | None = None) -> object | None:
        assert timeout == 0
        answer = self._answers.pop(0) if self._answers else None
        if not self._answers:
            self._ends[0].recv(1)
            self._answers = [None] * 9
            self.empty = True
        if isinstance(answer, OSError):
            raise answer
        return answer

    def close(self) -> None:
        for end in self._ends:
            end.close()


def heard_of(*answers: object) -> list[str]:
    async def main() -> list[str]:
        rings: list[str] = []
        monitor = Pipe(*answers)
        source = Uevents(asyncio.get_running_loop(), monitor, rings.append, lambda: rings.append("died"))
        async with asyncio.timeout(SECONDS):
            while not monitor.empty and "died" not in rings:  # noqa: ASYNC110 - the loop under test sets no event
                await asyncio.sleep(0.01)
        source.close()
        monitor.close()
        return rings

    return asyncio.run(main())


def test_a_full_buffer_rings_and_listening_goes_on() -> None:
    full = OSError(errno.ENOBUFS, "No buffer space available")
    assert heard_of("device", "device", full, "device") == [UEVENT, UEVENT, OVERFLOW, UEVENT]


def test_another_error_ends_listening_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert heard_of(OSError(errno.EBADF, "Bad file descriptor"), "device") == ["died", OVERFLOW]
    assert caplog.messages == ["uevents are not heard any more: [Errno 9] Bad file descriptor"]


def test_a_flood_lets_others_have_their_turn() -> None:
    assert len(heard_of(*["device"] * 600)) == 600


def on_routes(act: Callable[[Routes, list[str]], None], wanted: Callable[[list[str]], bool]) -> list[str]:
    async def main() -> list[str]:
        heard = Heard()
        source = await routes(heard.rings.append, lambda: heard.rings.append("died"))
        act(source, heard.rings)
        found = list(await heard.until(wanted))
        source.close()
        await asyncio.sleep(0)
        return found

    return asyncio.run(main())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change a link")
def test_a_link_message_rings() -> None:
    code = "from pyroute2 import IPRoute\nwith IPRoute() as ip: ip.link('set', index=1, state='up')"

    def act(_source: Routes, _rings: list[str]) -> None:
        script = f"{code}; ip.link('set', index=1, mtu=65535); ip.link('set', index=1, mtu=65536)"
        subprocess.run([sys.executable, "-c", script], check=True)

    assert set(on_routes(act, bool)) == {ROUTE}


def test_an_error_of_the_socket_rings_and_listening_goes_on() -> None:
    def act(source: Routes, _rings: list[str]) -> None:
        protocol = source._listening.protocol
        protocol.error_received(OSError(errno.ENOBUFS, "No buffer space available"))
        source._listening.enqueue(b"from the kernel", (0, 1))
        source._listening.enqueue(b"from some process", (4711, 0))

    assert on_routes(act, lambda rings: len(rings) == 2) == [OVERFLOW, ROUTE]


def test_a_socket_that_was_lost_is_told() -> None:
    def act(source: Routes, _rings: list[str]) -> None:
        source._listening.transport.abort()

    assert on_routes(act, lambda rings: len(rings) == 2) == ["died", OVERFLOW]


def test_a_source_that_died_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> list[dict[str, bool]]:
        up: dict[str, bool] = {}
        ears = Ears(lambda _source: None, up)
        await ears.listen()
        seen = [dict(up)]
        uevent, route = ears._open[UEVENT], ears._open[ROUTE]
        assert isinstance(uevent, Uevents)
        assert isinstance(route, Routes)
        uevent._monitor = Pipe(OSError(errno.EBADF, "Bad file descriptor"))
        uevent._readable()
        route._listening.transport.abort()
        await asyncio.sleep(0.01)
        seen.append(dict(up))
        await ears.listen()
        seen.append(dict(up))
        assert ears._open[UEVENT] is not uevent
        uevent._monitor.close()
        ears.close()
        await asyncio.sleep(0)
        return seen

    both, neither = {UEVENT: True, ROUTE: True}, {UEVENT: False, ROUTE: False}
    assert asyncio.run(main()) == [both, neither, both]
    assert caplog.messages == [
        "uevents are not heard any more: [Errno 9] Bad file descriptor",
        "link and route messages are not heard any more",
        "uevents are heard again",
        "link and route messages are heard again",
    ]


def in_process(code: str) -> str:
    """What a fresh interpreter prints: what is imported cannot be taken back in this one."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY, timeout=300
    )
    return done.stdout.strip()


def test_pyroute2_is_loaded_in_part_and_later_whole() -> None:
    code = """if True:
        import asyncio, sys
        from hostagent.daemon.wake import routes
        async def main():
            source = await routes(print, print)
            source.close()
            await asyncio.sleep(0)
        asyncio.run(main())
        light = "pyroute2.ndb" in sys.modules, "sqlite3" in sys.modules, "pyroute2" in sys.modules
        from pyroute2 import IPRoute
        with IPRoute() as ip:
            print(*light, len(list(ip.link("dump"))) > 0)
    """
    assert in_process(code) == "False False False True"


def test_without_the_libraries_the_timer_has_to_do() -> None:
    code = """if True:
        import asyncio, sys
        sys.modules["pyudev"] = None
        sys.modules["pyroute2.netlink.nlsocket"] = None
        import logging
        logging.basicConfig(format="%(message)s", stream=sys.stdout)
        from hostagent.daemon.wake import Ears
        ears = Ears(print, up := {})
        for _ in range(2):
            asyncio.run(ears.listen())
        print(up)
    """
    first, second, last = in_process(code).splitlines()
    assert first.startswith("uevents cannot be heard, the timer has to do: ")
    assert second.startswith("link and route messages cannot be heard, the timer has to do: ")
    assert last == "{'uevent': False, 'route': False}"
