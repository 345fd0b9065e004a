"""One thread for everything that may block: reading sysfs, writing files, reading configuration.

A driver may take seconds to answer a read, and a dead disk for ever. The event loop goes on serving meanwhile. The thread
is a daemon thread: one that hangs in the kernel must not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class Worker:
    """Runs jobs in the order they come."""

    def __init__(self) -> None:
        """The thread starts with the first job."""
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="survey", daemon=True)

    async def run(self, job: Callable[[], T]) -> T:
        """The result of `job`, or its exception."""
        if self._thread.ident is None:
            self._thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put((loop, done, job))
        return await done

    def close(self, within: float) -> bool:
        """Let the job in hand end; False where it did not in that many seconds."""
        if self._thread.ident is None:
            return True
        self._jobs.put(None)
        self._thread.join(within)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (given := self._jobs.get()) is not None:
            loop, done, job = given
            answer: Callable[[], None]
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - it belongs to the one who asked
                answer = _failing(done, error)
            else:
                answer = _returning(done, result)
            with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
                loop.call_soon_threadsafe(answer)
            del given, done, job, answer


def _returning(done: asyncio.Future[Any], result: object) -> Callable[[], None]:
    return lambda: None if done.done() else done.set_result(result)


def _failing(done: asyncio.Future[Any], error: BaseException) -> Callable[[], None]:
    return lambda: None if done.done() else done.set_exception(error)
