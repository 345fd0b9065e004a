"""The thread that may block."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hostagent.daemon.worker import Worker


def test_results_and_exceptions_come_back() -> None:
    async def main() -> tuple[str, list[int]]:
        worker = Worker()
        name = await worker.run(lambda: threading.current_thread().name)
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda: 1 // 0)
        numbers = await asyncio.gather(*(worker.run(lambda n=number: n) for number in range(5)))  # type: ignore[misc]
        assert worker.close(5)
        return name, numbers

    assert asyncio.run(main()) == ("survey", [0, 1, 2, 3, 4])


def test_the_loop_goes_on_while_a_job_blocks() -> None:
    async def main() -> int:
        worker, gate, turns = Worker(), threading.Event(), 0
        job = asyncio.ensure_future(worker.run(gate.wait))
        while turns < 10:
            await asyncio.sleep(0)
            turns += 1
        assert not job.done()
        gate.set()
        assert await job
        assert worker.close(5)
        return turns

    assert asyncio.run(main()) == 10


def test_a_job_that_hangs_is_left_behind() -> None:
    gate = threading.Event()

    async def main() -> None:
        worker = Worker()
        job = asyncio.ensure_future(worker.run(gate.wait))
        await asyncio.sleep(0.01)
        job.cancel()
        assert not worker.close(0.1)  # without the gate it would wait for ever

    asyncio.run(main())
    gate.set()  # its answer finds the loop closed, and nobody minds


def test_one_that_never_worked_is_closed_at_once() -> None:
    assert Worker().close(0)
