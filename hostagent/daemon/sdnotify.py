"""systemd's two small protocols: readiness messages (sd_notify(3)) and inherited listeners (sd_listen_fds(3)).

`NOTIFY_SOCKET` names a datagram socket: a path, or `@name` in the abstract namespace. `WATCHDOG_USEC` is the
interval (microseconds) within which WATCHDOG=1 must arrive. `LISTEN_FDS` sockets start at descriptor 3. All of them are
meant for one process only, so they are taken out of the environment once read.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress

from hostagent.values.record import record

log = logging.getLogger("hostagent.systemd")

FIRST_INHERITED = 3


class Notifier:
    """Tells systemd how we are. Outside systemd every call does nothing.

    `watchdog_seconds` is how often systemd wants to hear `alive()`, None where it does not watch; call it at half that.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of `environ`."""
        name = environ.pop("NOTIFY_SOCKET", "")
        usec = environ.pop("WATCHDOG_USEC", "")
        pid = environ.pop("WATCHDOG_PID", "")
        watched = usec.isdecimal() and int(usec) > 0 and pid in {"", str(os.getpid())}
        self.watchdog_seconds = int(usec) / 1e6 if watched else None
        self._address = "\0" + name[1:] if name.startswith("@") else name
        if name and name[0] not in "@/":
            log.warning("NOTIFY_SOCKET %r is neither a path nor an abstract name: systemd will not hear us", name)
            self._address = ""

    def ready(self, status: str) -> bool:
        """Start-up, or a reload, is complete."""
        return self._send(f"READY=1\n{_status(status)}")

    def status(self, status: str) -> bool:
        """One line for `systemctl status`."""
        return self._send(_status(status))

    def alive(self) -> bool:
        """Keep-alive. To be sent by the loop that surveys, not by a timer: a hung survey must be noticed."""
        return self._send("WATCHDOG=1")

    def reloading(self) -> bool:
        """A reload begins; `ready` ends it. Type=notify-reload wants the time of the monotonic clock."""
        return self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> bool:
        """The end begins."""
        return self._send("STOPPING=1")

    def extend(self, seconds: float) -> bool:
        """Starting, reloading or stopping needs this long from now on."""
        return self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def _send(self, message: str) -> bool:
        """Whether systemd took it. A full or vanished socket is systemd's business: its own timeout follows."""
        if not self._address:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as to:
            try:
                to.connect(self._address)
                to.sendall(message.encode())
            except OSError as error:
                log.warning("systemd does not take %s: %s", message.partition("\n")[0], error)
                return False
        return True


def _status(text: str) -> str:
    """A STATUS line; a newline in it would start another assignment."""
    return "STATUS=" + " ".join(text.splitlines())


@record
class Inherited:
    """One listener systemd opened for us, with its FileDescriptorName= ("unknown" where it has none)."""

    name: str
    socket: socket.socket


def inherited(environ: MutableMapping[str, str], *, first: int = FIRST_INHERITED) -> tuple[Inherited, ...]:
    """The listening stream sockets given by systemd; none where LISTEN_PID is not us.

    Takes LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES out of `environ`. A descriptor that is no listening stream socket
    is closed and logged: the unit says ListenDatagram= or ListenFIFO= where it should say ListenStream=.
    """
    count = environ.pop("LISTEN_FDS", "")
    pid = environ.pop("LISTEN_PID", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not count.isdecimal():
        return ()
    found = []
    for place in range(int(count)):
        name = names[place] if place < len(names) and names[place] else "unknown"
        listener = _listener(first + place)
        if listener is None:
            log.error("descriptor %d (%s) from systemd is not a listening stream socket", first + place, name)
        else:
            found.append(Inherited(name=name, socket=listener))
    return tuple(found)


def _listener(descriptor: int) -> socket.socket | None:
    """The socket behind a descriptor, or None (and closed) where it does not listen for streams."""
    try:
        taken = socket.socket(fileno=descriptor)
    except OSError:
        with suppress(OSError):
            os.close(descriptor)
        return None
    listening = taken.type == socket.SOCK_STREAM and taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listening:
        taken.close()
        return None
    taken.setblocking(False)
    os.set_inheritable(descriptor, False)
    return taken
