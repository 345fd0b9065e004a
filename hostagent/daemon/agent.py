"""The loop: wake, settle, survey, publish if different.

    uevents, routes, timer, SIGHUP --ring--> settle --due--> survey (thread) --different--> render (thread) --> pages, files

WATCHDOG=1 is sent from this loop and nowhere else, and never while a survey or a file is waited for: an agent that hangs on a
driver is one that systemd has to restart.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from hostagent.daemon import journal
from hostagent.daemon.configured import ConfigError, Configured, Said, configured
from hostagent.daemon.exposition import Exposition
from hostagent.daemon.frugal import settle_down, trim
from hostagent.daemon.metrics import Vitals
from hostagent.daemon.pages import Pages
from hostagent.daemon.published import labelled, published
from hostagent.daemon.sdnotify import Notifier
from hostagent.daemon.settle import Settle
from hostagent.daemon.sinks import Sink, sinks
from hostagent.daemon.state import Look, look
from hostagent.daemon.status import status_line
from hostagent.daemon.worker import Worker
from hostagent.host.reader import Left, RootError
from hostagent.settings import Web
from hostagent.values.record import replaced

log = logging.getLogger("hostagent.loop")

TIMER, RELOAD = "timer", "reload"
# After a survey that took long, others have their turn: at most a tenth of the time is spent on surveys, or half a second waited.
REST_FACTOR, REST_AT_MOST = 10, 0.5
# Without an interval in the settings, looking where nothing happens costs less than a thousandth of a processor.
INTERVAL_SECONDS, IDLE_FACTOR = 60.0, 1500
OVERDUE_SECONDS = 60.0
BLIND_SECONDS = 300.0  # surveys that fail for that long
# systemd waits for the first survey that ends well (TimeoutStartSec=).
FIRST_AGAIN_SECONDS = 5.0


class Agent:
    """The loop and what it knows. One event loop, one life."""

    def __init__(self, *, root: str, said: Said, holds: Configured, notifier: Notifier) -> None:
        """`holds`: what `configured(said)` was at the start."""
        self.vitals = Vitals()
        self.look: Look | None = None
        self.sinks: tuple[Sink, ...] = sinks(holds.settings, ())
        self.worker = Worker()
        self.pages: Pages | None = None
        self.listen: Callable[[], Awaitable[None]] = _deaf
        self.examine: Callable[[Web], None] = lambda _web: None
        self.reloaded: Callable[[], None] = lambda: None
        self._retired: tuple[Sink, ...] = ()
        self._root, self._said, self._notifier = root, said, notifier
        self._rung = asyncio.Event()
        self._reload_asked = False
        self._survey_at = self._rested_at = self._beat_at = 0.0
        self._seen_at = self._now()
        self._began: float | None = None
        self._trouble = self._told = ""
        self._anew = self._ready = False
        self._left: Left = {}
        self._holds = holds
        self._settle = Settle(quiet=holds.settings.timing.quiet, bound=holds.settings.timing.bound)
        self.vitals.reload_at = time.time()

    # what rings

    def ring(self, source: str) -> None:
        """Something happened: look again, soon."""
        self.vitals.wakes[source] += 1
        self._settle.event(self._now())
        self._rung.set()

    def reload(self) -> None:
        """SIGHUP: read the configuration again, and look again."""
        self._reload_asked = True
        self._rung.set()

    def overdue(self) -> bool:
        """Whether the survey in hand, or the next one, should have ended long ago, or all have failed for long."""
        since, now = self._began or self._survey_at, self._now()
        blind = self._trouble != "" and now - self._seen_at > BLIND_SECONDS
        return blind or (since > 0 and now - since > OVERDUE_SECONDS)

    # the loop

    async def run(self) -> None:
        """Until cancelled."""
        await self._survey()
        await self._write()
        self._tell()
        settle_down()
        while True:
            await self._wait()
            if self._reload_asked:
                await self._reload()
            if self._due() <= self._now():
                await self._survey()
            await self._write()
            self._tell()

    async def once(self) -> bool:
        """Survey and write, and say whether every file could be written."""
        await self._survey()
        await self._write()
        return self.look is not None and all(sink.success for sink in self.sinks)

    def _due(self) -> float:
        settled = self._settle.due(self._rested_at)
        return self._survey_at if settled is None else min(settled, self._survey_at)

    async def _wait(self) -> None:
        """Until something is to be done; systemd hears from us meanwhile."""
        while not self._reload_asked:
            now = self._now()
            beat = self._beat(now)
            files = [wait for sink in self.sinks if (wait := sink.due_in()) is not None]
            seconds = min(self._due() - now, *files) if files else self._due() - now
            if seconds <= 0:
                return
            self._rung.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, beat)):
                    await self._rung.wait()

    def _beat(self, now: float) -> float:
        """Tell systemd that the loop goes round, and in how many seconds to do so again."""
        interval = self._notifier.watchdog_seconds
        if interval is None:
            return float("inf")
        if now - self._beat_at >= interval / 4:
            self._notifier.alive()
            self._beat_at = now
        return interval / 2

    async def _survey(self) -> None:
        if self._now() >= self._survey_at:
            self.vitals.wakes[TIMER] += 1
            await self.listen()
        self._settle.taken()
        self._began = self._now()
        try:
            await self._look_and_publish()
        except Exception as error:  # noqa: BLE001 - what was published stays, and the next survey may do better
            self._failed(error)
        else:
            if self._trouble:
                log.info("surveys succeed again")
            self._trouble, self._seen_at = "", self._now()
        if self.pages is not None:
            self.pages.failed = bool(self._trouble)
        took = self._now() - self._began
        self._began = None
        self._rested_at = self._now() + min(REST_AT_MOST, took * REST_FACTOR)
        self._survey_at = self._now() + self._interval()

    async def _look_and_publish(self) -> None:
        found = await self.worker.run(partial(look, self._root, self._holds, self._left))
        differs = self.look is None or found.snapshot != self.look.snapshot
        self.vitals.surveys += 1
        self.vitals.survey_at = now = time.time()
        if not (differs or self._anew):
            self.look = replaced(found, node=None)
            self._date(found)
            for sink in self.sinks:
                sink.confirm()
            return
        # Other settings do not make the host another one.
        since = now if differs else self.vitals.change_at or now
        await self._publish(found, since)
        self.look, self._anew = replaced(found, node=None), False
        self._date(found)
        self.vitals.change_at = since
        await self.worker.run(trim)  # what rendering needed is not needed until the next change

    async def _publish(self, found: Look, since: float) -> None:
        """Labels first, then metrics, then what is read by people: each as soon as it is made."""
        snapshot = found.snapshot
        labels = await self.worker.run(partial(labelled, snapshot))
        self.vitals.left_out = len(labels.left_out)
        await self._offer({"nfd": labels.features})
        pages = self.pages
        if pages is not None:
            pages.exposition = await self.worker.run(partial(Exposition, snapshot, pages.exposition))
        names = frozenset(sink.name for sink in self.sinks)
        made = partial(published, snapshot, found.node, sinks=names, title=self._holds.node, since=since)
        rest = await self.worker.run(made)
        if pages is not None:
            pages.report, pages.page = rest.report, rest.page
        await self._offer(rest.files)

    def _date(self, found: Look) -> None:
        if self.pages is not None:
            self.pages.about = found.about

    async def _offer(self, files: Mapping[str, bytes]) -> None:
        """Files, by name of the sink that holds them, if there is such a sink."""
        for sink in self.sinks:
            if sink.name in files:
                sink.offer(files[sink.name])
                await self.worker.run(sink.write)

    def _interval(self) -> float:
        """Seconds until a look that nothing asked for."""
        if self.look is None:
            return FIRST_AGAIN_SECONDS
        settings = self._holds.settings
        given, labels = settings.timing.interval, settings.sinks.nfd
        wanted = max(INTERVAL_SECONDS, IDLE_FACTOR * self.look.processor) if given is None else given
        return min(wanted, labels.expiry / 2) if labels.enabled else wanted  # or they would die unconfirmed

    def _failed(self, error: Exception) -> None:
        self.vitals.failures += 1
        said = f"{type(error).__name__}: {error}"
        if said != self._trouble:
            log.error(
                "the survey failed, what was published stays: %s", said, exc_info=not isinstance(error, RootError)
            )
        self._trouble = said

    async def _write(self) -> None:
        for sink in self.sinks:
            await self.worker.run(sink.write)
        waiting = {sink.name for sink in self.sinks if not sink.success}
        for sink in self._retired:
            if sink.name not in waiting:  # what stands for it has been written
                await self.worker.run(sink.remove)
        self._retired = tuple(sink for sink in self._retired if sink.name in waiting)

    # configuration

    async def _reload(self) -> None:
        self._reload_asked = False
        if self._ready:
            self._notifier.reloading()
        try:
            holds = await self.worker.run(self._read)
        except ConfigError as error:
            self.vitals.reload_ok = False
            log.error("the configuration stays as it was: %s", error)  # noqa: TRY400 - the message says it all
        except Exception:
            self.vitals.reload_ok = False
            log.exception("the configuration stays as it was")
        else:
            log.info("the configuration was read again")
            self._hold(holds)
            self.reloaded()
        self.vitals.wakes[RELOAD] += 1
        self._survey_at = self._now()
        self._ready = False  # reloading ends with READY=1
        self._tell()

    def _read(self) -> Configured:
        holds = configured(self._said)
        if holds.settings.web != self._holds.settings.web:
            self.examine(holds.settings.web)
        return holds

    def _hold(self, holds: Configured) -> None:
        """From here on this is the configuration."""
        if self._holds.settings.web != holds.settings.web:
            log.warning("web.listen and web.config count from the next start")
        self._holds = holds
        timing = holds.settings.timing
        self._settle = Settle(quiet=timing.quiet, bound=timing.bound)
        before, self.sinks = self.sinks, sinks(holds.settings, self.sinks)
        paths = {sink.path for sink in self.sinks}
        gone = tuple(sink for sink in (*self._retired, *before) if sink not in self.sinks)
        self._retired = tuple(sink for sink in gone if sink.path not in paths)
        for sink in gone:
            if sink.path in paths:  # another one writes there from here on
                sink.release()
        self._anew = True  # to the files that are named now
        journal.set_level(holds.settings.log.level)
        self.vitals.reload_ok, self.vitals.reload_at = True, time.time()

    def _tell(self) -> None:
        """Say how it is, where that is news; READY=1 once something was published, not before."""
        status = status_line(self.look, self.sinks, self._trouble)
        if self.look is not None and not self._ready:
            self._notifier.ready(status)
            self._ready = True
        elif status != self._told:
            self._notifier.status(status)
        self._told = status

    @staticmethod
    def _now() -> float:
        return time.monotonic()


async def _deaf() -> None:
    """Without wake sources the timer has to do."""
