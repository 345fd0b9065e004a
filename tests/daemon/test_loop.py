"""The loop from inside: what it tells systemd while a survey hangs, when it looks, and what a failure does."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hostagent.daemon.agent import BLIND_SECONDS, IDLE_FACTOR, INTERVAL_SECONDS, Agent
from hostagent.daemon.configured import Configured, Said, configured, parsed
from hostagent.daemon.pages import Pages
from hostagent.daemon.sdnotify import Notifier
from hostagent.daemon.sinks import sinks
from hostagent.daemon.state import Look
from hostagent.daemon.status import status_line
from hostagent.values.record import replaced
from tests.daemon.running import SECONDS, configuration
from tests.plant import pci_function, plant


def said(tmp_path: Path, more: str = "") -> Said:
    for name in ("features.d", "run", "text"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "config.yaml").write_text(configuration(tmp_path, more))
    config = str(tmp_path / "config.yaml")
    return Said(config=config, profile=None, listen=None, web_config=None, log_level=None, sinks=None, node_name=None)


def agent(tmp_path: Path, environ: dict[str, str] | None = None, *, interval: str = "1h") -> Agent:
    root = plant(tmp_path / "root", pci_function("0000:00:01.0", driver="e1000e"))
    words = said(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().replace("interval: 1s", f"interval: {interval}"))
    return Agent(root=str(root), said=words, holds=configured(words), notifier=Notifier(environ or {}))


@contextmanager
def systemd(tmp_path: Path, watchdog: str = "") -> Iterator[tuple[socket.socket, dict[str, str]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        yield manager, {"NOTIFY_SOCKET": str(tmp_path / "notify"), **({"WATCHDOG_USEC": watchdog} if watchdog else {})}


def messages(manager: socket.socket) -> list[str]:
    found = []
    with suppress(BlockingIOError):
        while True:
            found.append(manager.recv(4096).decode())
    return found


async def until(holds: object, seconds: float = SECONDS) -> None:
    assert callable(holds)
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for is a file or a counter
            await asyncio.sleep(0.01)


async def leave(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_a_survey_that_hangs_is_not_covered_up(tmp_path: Path) -> None:
    gate = threading.Event()

    async def main(manager: socket.socket, environ: dict[str, str]) -> tuple[list[str], list[str]]:
        one = agent(tmp_path, environ)
        task = asyncio.create_task(one.run())
        quiet: list[str] = []
        async with asyncio.timeout(SECONDS):
            while quiet.count("WATCHDOG=1") < 3:
                await asyncio.sleep(0.05)
                quiet += messages(manager)
        stuck = asyncio.create_task(one.worker.run(gate.wait))  # as a driver that does not answer
        one.ring("uevent")
        await asyncio.sleep(0.3)
        messages(manager)
        await asyncio.sleep(0.6)
        hung = messages(manager)
        assert not one.overdue()
        await leave(task)
        assert not one.worker.close(0.1)
        stuck.cancel()
        return quiet, hung

    with systemd(tmp_path, "200000") as (manager, environ):
        quiet, hung = asyncio.run(main(manager, environ))
    gate.set()
    assert quiet[0].startswith("READY=1\n")
    assert quiet.count("WATCHDOG=1") >= 3
    assert hung == []


def test_overdue_after_a_minute(tmp_path: Path) -> None:
    one = agent(tmp_path)
    assert not one.overdue()
    one._began = time.monotonic() - 59
    assert not one.overdue()
    one._began = time.monotonic() - 61
    assert one.overdue()


def test_a_reload_that_fails_by_our_own_fault_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> bool:
        one = agent(tmp_path)
        task = asyncio.create_task(one.run())
        await until(lambda: one.vitals.surveys == 1)
        one._said = replaced(one._said, config="\0")  # not even a path
        one.reload()
        await until(lambda: one.vitals.surveys == 2)
        await leave(task)
        assert one.worker.close(5)
        return one.vitals.reload_ok

    assert not asyncio.run(main())
    assert [record.exc_info is not None for record in caplog.records if "stays" in record.message] == [True]


def test_an_agent_that_sees_nothing_lets_its_labels_die_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def main() -> None:
        one = agent(tmp_path)
        await one._survey()
        labels = one.sinks[0]
        assert labels.written_at is not None
        (tmp_path / "root").rename(tmp_path / "away")
        labels.written_at -= 400
        for _ in range(2):
            await one._survey()
            assert (labels.wanted(), labels.due_in(), one.overdue()) == (False, None, False)
        one._seen_at -= BLIND_SECONDS
        assert one.overdue()
        (tmp_path / "away").rename(tmp_path / "root")
        for _ in range(2):
            await one._survey()
            assert (labels.wanted(), one.overdue()) == (True, False)
        assert one.worker.close(5)

    asyncio.run(main())
    assert [text.partition(",")[0] for text in caplog.messages if "survey" in text] == [
        "the survey failed",
        "surveys succeed again",
    ]


def test_one_burst_is_one_survey(tmp_path: Path) -> None:
    async def main() -> tuple[int, dict[str, int]]:
        one = agent(tmp_path)
        task = asyncio.create_task(one.run())
        await until(lambda: one.vitals.surveys == 1)
        for _ in range(200):
            one.ring("uevent")
        one.ring("overflow")
        await until(lambda: one.vitals.surveys == 2)
        await asyncio.sleep(0.5)
        await leave(task)
        assert one.worker.close(5)
        return one.vitals.surveys, dict(one.vitals.wakes)

    assert asyncio.run(main()) == (2, {"timer": 1, "uevent": 200, "overflow": 1})


def inodes(tmp_path: Path) -> list[int]:
    return [path.stat().st_ino for path in sorted(tmp_path.glob("*/hostagent*"))]


def test_what_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    async def main() -> None:
        one = agent(tmp_path)
        task = asyncio.create_task(one.run())
        await until(lambda: one.vitals.surveys == 1 and (tmp_path / "text/hostagent.prom").exists())
        before = inodes(tmp_path)
        one.ring("uevent")
        await until(lambda: one.vitals.surveys == 2)
        await asyncio.sleep(0.2)
        assert inodes(tmp_path) == before
        changed = one.vitals.change_at
        plant(tmp_path / "root", pci_function("0000:00:02.0"))
        one.ring("route")
        await until(lambda: one.vitals.surveys == 3 and one.vitals.change_at != changed)
        await leave(task)
        assert one.worker.close(5)
        assert inodes(tmp_path) != before

    asyncio.run(main())


def test_the_report_is_dated_by_the_last_survey_though_nothing_changed(tmp_path: Path) -> None:
    boot_id = "proc/sys/kernel/random/boot_id"
    own = Path("/", boot_id).read_text()

    async def main() -> None:
        one = agent(tmp_path)
        plant(tmp_path / "root", {boot_id: own})
        one.pages = pages = Pages(own=lambda _: [], overdue=one.overdue, clock=time.monotonic)
        await one.once()
        first, report = pages.about, pages.report
        assert first is not None
        await asyncio.sleep(1.1)
        await one.once()
        assert pages.report is report
        assert pages.about is not None
        assert pages.about.surveyed_at > first.surveyed_at
        assert replaced(pages.about, surveyed_at=first.surveyed_at) == first
        assert "about" not in json.loads((tmp_path / "run" / "report.json").read_bytes())
        assert one.worker.close(5)

    asyncio.run(main())


def test_the_page_tells_since_when_and_whether_it_may_be_old(tmp_path: Path) -> None:
    async def main() -> None:
        one = agent(tmp_path)
        one.pages = pages = Pages(own=lambda _: [], overdue=one.overdue, clock=time.monotonic)
        await one.once()
        first, since = pages.page, one.vitals.change_at
        assert first is not None
        assert since is not None
        assert time.strftime('since <time datetime="%Y-%m-%dT%H:%M:%SZ', time.gmtime(since)).encode() in first.body
        await asyncio.sleep(1.1)
        one._anew = True  # other settings, the same machine
        await one.once()
        assert pages.page is not first
        assert pages.page == first
        assert one.vitals.change_at == since
        failed = []
        for place in ("gone", "root"):
            (tmp_path / ("root" if place == "gone" else "gone")).rename(tmp_path / place)
            await one.once()
            failed.append(pages.failed)
        assert failed == [True, False]
        assert one.worker.close(5)

    asyncio.run(main())


def test_status_is_told_when_it_is_news(tmp_path: Path) -> None:
    async def main(manager: socket.socket, environ: dict[str, str]) -> list[str]:
        one = agent(tmp_path, environ)
        task = asyncio.create_task(one.run())
        await until(lambda: one.vitals.surveys == 1)
        await until(lambda: one._told != "")
        (tmp_path / "features.d/hostagent").unlink()
        (tmp_path / "features.d").rmdir()
        one.ring("uevent")
        await until(lambda: "cannot write" in one._told)
        one.ring("uevent")
        await until(lambda: one.vitals.surveys == 3)
        (tmp_path / "root").rename(tmp_path / "away")
        one.ring("uevent")
        await until(lambda: one.vitals.failures == 1)
        await until(lambda: "RootError" in one._told)
        await leave(task)
        assert one.worker.close(5)
        return messages(manager)

    with systemd(tmp_path) as (manager, environ):
        told = asyncio.run(main(manager, environ))
    assert told[0].startswith("READY=1\nSTATUS=")
    assert told[1].endswith("; cannot write: nfd")
    assert "; RootError: " in told[2]
    assert len(told) == 3


def test_ready_is_said_of_what_was_published_and_of_nothing_less(tmp_path: Path) -> None:
    async def main(manager: socket.socket, environ: dict[str, str]) -> tuple[list[str], list[str]]:
        one = agent(tmp_path, environ)
        (tmp_path / "root").rename(tmp_path / "away")
        task = asyncio.create_task(one.run())
        await until(lambda: one._told != "")
        (tmp_path / "config.yaml").write_text("nothing: of ours\n")
        one.reload()
        await until(lambda: one.vitals.failures == 2)
        early = messages(manager)
        (tmp_path / "away").rename(tmp_path / "root")
        one.ring("uevent")
        await until(lambda: one._ready)
        late = messages(manager)
        await leave(task)
        assert one.worker.close(5)
        return early, late

    with systemd(tmp_path) as (manager, environ):
        early, late = asyncio.run(main(manager, environ))
    assert early
    assert all(message.startswith("STATUS=no survey yet: RootError: ") for message in early)
    assert [message.startswith("READY=1\nSTATUS=") for message in late] == [True]


def test_no_machine_at_the_start(tmp_path: Path) -> None:
    async def main() -> tuple[bool, str]:
        one = agent(tmp_path)
        (tmp_path / "root").rename(tmp_path / "away")
        done = await one.once()
        one.worker.close(5)
        return done, status_line(one.look, one.sinks, one._trouble)

    done, status = asyncio.run(main())
    assert not done
    assert status.startswith("no survey yet: RootError: ")


def look_of(seconds: float, one: Agent) -> Look:
    assert one.look is not None
    return replaced(one.look, processor=seconds)


def test_dear_looks_are_rare(tmp_path: Path) -> None:
    async def main() -> list[float]:
        one = agent(tmp_path)
        assert await one.once()
        given = [one._interval()]
        settings = parsed(b"", "c.yaml")
        one._holds = Configured(settings=settings, profile=None, node="a")
        for seconds in (0.001, 0.15, 10.0):
            one.look = look_of(seconds, one)
            given.append(one._interval())
        one.worker.close(5)
        return given

    # Labels are confirmed twice in their ten minutes, whatever it costs and whatever was said.
    assert asyncio.run(main()) == [300.0, INTERVAL_SECONDS, IDLE_FACTOR * 0.15, 300.0]


def test_files_that_are_wanted_as_before_keep_what_they_know(tmp_path: Path) -> None:
    one = configured(said(tmp_path)).settings
    two = parsed(configuration(tmp_path).replace("text/", "elsewhere/").encode(), "c.yaml")
    before = sinks(one, ())
    after = sinks(two, before)
    assert [sink.name for sink in after] == ["nfd", "report", "textfile"]
    assert [new is old for new, old in zip(after, before, strict=True)] == [True, True, False]
