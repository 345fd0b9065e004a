"""Boots the next scenario's machine while the present one is tested: two cores, two busy machines, never more."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.lab.boot import Guest, boot
from tests.lab.image import Image
from tests.lab.machine import Machine

Images = dict[str, Image]  # by Debian's name of the architecture


class Pool:
    """Machines in the order in which the tests will want them."""

    def __init__(self, images: Images, work: Path, wanted: Sequence[tuple[str, Machine]]) -> None:
        self._images = images
        self._work = work
        self._wanted = list(wanted)
        self._threads = ThreadPoolExecutor(max_workers=1)
        self._booting: dict[str, Future[Guest]] = {}

    def _start(self, name: str, machine: Machine) -> Future[Guest]:
        if name not in self._booting:
            self._booting[name] = self._threads.submit(
                boot, self._images[machine.architecture.debian], machine, self._work / name
            )
        return self._booting[name]

    def take(self, name: str, machine: Machine, *, alone: bool) -> Guest:
        """The machine of the test `name`; the one after it starts to boot, unless the test measures time."""
        guest = self._start(name, machine).result()
        if alone:
            return guest
        names = [other for other, _ in self._wanted]
        following = names.index(name) + 1
        if following < len(names):
            self._start(*self._wanted[following])
        return guest

    def close(self) -> None:
        """End what was booted ahead for a test that never came."""
        self._threads.shutdown(cancel_futures=True)
        for future in self._booting.values():
            if not future.cancelled() and future.exception() is None:
                future.result().close()
