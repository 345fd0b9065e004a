"""What wakes the daemon: uevents of the kernel (pyudev) and link and route messages (pyroute2).

They only ring; facts are read anew by the survey. A message that was lost because the socket's buffer was full (ENOBUFS) rings
too, as "overflow", since every survey looks at everything. A source that cannot be opened (no libudev, no netlink in this
sandbox) costs promptness, not truth: the slow timer still looks, and each time tries to open it again, as it does with one
that died.

The monitor listens to the kernel itself (`kernel`), not to udevd: it needs neither udevd nor the host's network namespace, so
it works in a container and under PrivateNetwork=.
"""

from __future__ import annotations

import asyncio
import ctypes.util
import errno
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from struct import calcsize, unpack_from
from typing import Any, Protocol

log = logging.getLogger("hostagent.wake")

SUBSYSTEMS = ("pci", "vfio", "iommu", "watchdog", "module", "net", "node", "cpu", "memory")
UEVENT, ROUTE, OVERFLOW = "uevent", "route", "overflow"
# Unprivileged, the kernel grants net.core.rmem_max at most: 208 KiB, some 200 uevents.
BUFFER = 1 << 20
LIBUDEV = "libudev.so.1"
AT_ONCE = 256  # then the loop has its turn
ERROR_AT = calcsize("=IHHII")  # an error message's code, behind struct nlmsghdr (netlink(7))

Ring = Callable[[str], None]
Died = Callable[[], None]


class Source(Protocol):
    """Something that rings."""

    def close(self) -> None:
        """Ring no more."""


class Monitor(Protocol):
    """What `Uevents` needs of pyudev.Monitor."""

    def fileno(self) -> int: ...
    def poll(self, timeout: float | None = None) -> object | None: ...


class Uevents:
    """Rings for every uevent of the subsystems that facts come from."""

    def __init__(self, loop: asyncio.AbstractEventLoop, monitor: Monitor, ring: Ring, died: Died) -> None:
        """Listen on `monitor`, which has been started."""
        self._loop, self._monitor, self._ring, self._died = loop, monitor, ring, died
        self._socket = socket.socket(fileno=os.dup(monitor.fileno()))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        loop.add_reader(self._socket, self._readable)

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                event = self._monitor.poll(0)
            except OSError as error:
                # pyudev sees an error on the socket before it reads, and does not say which; asking clears it.
                if errno.ENOBUFS not in (error.errno, self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                    log.error("uevents are not heard any more: %s", error)  # noqa: TRY400 - no traceback for what the kernel says
                    self.close()
                    self._died()
                self._ring(OVERFLOW)
                return
            if event is None:
                return
            self._ring(UEVENT)

    def close(self) -> None:
        """Stop listening; pyudev closes its socket when the monitor goes."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()


@contextmanager
def named_libudev() -> Iterator[None]:
    """While pyudev is first imported, libudev has the name of its ABI, and nothing is executed to find it.

    pyudev asks ctypes.util.find_library, which runs `/sbin/ldconfig -p`, and without one gcc and ld: an agent that may execute
    nothing (SystemCallFilter=, a container without a shell) would hear no events. There is no option for it; pyudev takes the
    function along when it is imported, so it is put in its place for that long.
    """
    asked = ctypes.util.find_library
    ctypes.util.find_library = lambda name: LIBUDEV if name == "udev" else asked(name)
    try:
        yield
    finally:
        ctypes.util.find_library = asked


async def uevents(ring: Ring, died: Died) -> Uevents:
    """Listen to the kernel. Raises OSError or ImportError (no libudev here)."""
    with named_libudev():
        import pyudev

    monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="kernel")
    for subsystem in SUBSYSTEMS:
        monitor.filter_by(subsystem)
    monitor.start()
    return Uevents(asyncio.get_running_loop(), monitor, ring, died)


def light(module: str) -> Any:
    """A module of pyroute2 without the rest of it.

    pyroute2/__init__.py imports all of pyroute2 (NDB, sqlite3, multiprocessing): 125 ms and 10 MB that would stay for
    the daemon's life. Its place is held by an empty module meanwhile; whoever imports pyroute2 later gets it whole.
    """
    if "pyroute2" in sys.modules:
        return import_module(module)
    spec = find_spec("pyroute2")
    if spec is None:
        raise ImportError("pyroute2 is not installed")
    sys.modules["pyroute2"] = module_from_spec(spec)
    try:
        return import_module(module)
    finally:
        del sys.modules["pyroute2"]


class Routes:
    """Rings for every link and route message of this network namespace."""

    def __init__(self, listening: Any) -> None:
        """`listening`: a bound pyroute2 socket whose `enqueue` rings."""
        self._listening = listening

    def close(self) -> None:
        """Close the socket; that it was closed is no news."""
        self._listening.deaf = True
        with suppress(OSError):
            self._listening.close()


async def routes(ring: Ring, died: Died) -> Routes:
    """Listen to rtnetlink(7). Raises OSError or ImportError."""
    nlsocket = light("pyroute2.netlink.nlsocket")
    rtnl = light("pyroute2.netlink.rtnl")

    class Listening(nlsocket.AsyncNetlinkSocket):  # type: ignore[misc, name-defined]
        """pyroute2's socket in our loop. Its queue has no bound and nobody to read it, so nothing gets that far."""

        deaf = False

        def enqueue(self, data: bytes, address: tuple[int, int] | None) -> None:
            if address is None:  # pyroute2's note of an error of the socket; clear it, or the socket refuses all else
                self._error_event.clear()
                if self.deaf:
                    return
                if unpack_from("I", data, ERROR_AT)[0] == errno.ECONNRESET:  # asyncio has given the socket up
                    log.error("link and route messages are not heard any more")
                    self.deaf = True
                    died()
                ring(OVERFLOW)
            elif address[0] == 0:  # from the kernel
                ring(ROUTE)

    listening = Listening(family=socket.NETLINK_ROUTE, rcvbuf=BUFFER)
    await listening.bind(groups=rtnl.RTMGRP_LINK | rtnl.RTMGRP_IPV4_ROUTE | rtnl.RTMGRP_IPV6_ROUTE)
    return Routes(listening)


SOURCES: tuple[tuple[str, str, Callable[[Ring, Died], Awaitable[Source]]], ...] = (
    (UEVENT, "uevents", uevents),
    (ROUTE, "link and route messages", routes),
)


class Ears:
    """All sources: those that are open, and those that are to be."""

    def __init__(self, ring: Ring, up: dict[str, bool]) -> None:
        """Nothing is open yet. `up` is told, by name, what is heard."""
        self._ring, self._up = ring, up
        self._open: dict[str, Source] = {}
        self._trouble: dict[str, str] = {}

    async def listen(self) -> None:
        """Open what is not open; why something cannot be is logged once."""
        for name, what, opener in SOURCES:
            if self._up.get(name):
                continue
            try:
                self._open[name] = await opener(self._ring, partial(self._died, name))
            except (OSError, ImportError, KeyError) as error:
                self._up[name] = False
                if self._trouble.get(name) != str(error):
                    log.warning("%s cannot be heard, the timer has to do: %s", what, error)
                self._trouble[name] = str(error)
            else:
                if name in self._trouble:
                    log.info("%s are heard again", what)
                self._up[name] = True
                self._trouble.pop(name, None)

    def close(self) -> None:
        """Hear nothing more."""
        for source in self._open.values():
            source.close()
        self._open.clear()

    def _died(self, name: str) -> None:
        self._up[name] = False
        self._trouble[name] = ""
        self._open.pop(name).close()
