"""Who gives way when all connections are taken.

Whoever asks is to be answered: a connection is read as soon as it is accepted, and one that young goes last of all, while it
costs a quiet kept one only a new connection. Among the others the peer that holds most loses first, so that
one that takes all it can get takes it from itself.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol, TypeVar

from hostagent.daemon.http_phase import Phase

YOUNG_SECONDS = 0.2  # a request is on its way still
_MAPPED = bytes(10) + b"\xff\xff"
# Of one peer: silent where a request is due, quiet between two, waiting for a password, not taking its answer.
_ORDER = {
    Phase.LINGERING: 0, Phase.HANDSHAKE: 0, Phase.READING: 0, Phase.IDLE: 1, Phase.CHECKING: 2, Phase.ANSWERING: 3,
}  # fmt: skip
_FRESH = {Phase.HANDSHAKE, Phase.READING}


class Occupant(Protocol):
    """What has to be known of a connection."""

    peer: str
    phase: Phase
    since: float


Held = TypeVar("Held", bound=Occupant)


def victim(held: Iterable[Held], *, now: float, stall_seconds: float) -> Held | None:
    """The connection others need least; None where every one is being answered. `held`: longest in its phase first."""
    connections = tuple(held)
    share = Counter(one.peer for one in connections)

    def reluctance(one: Held) -> tuple[bool, int, int]:
        young = one.phase in _FRESH and now - one.since < YOUNG_SECONDS
        return young, -share[one.peer], _ORDER[one.phase]

    droppable = (one for one in connections if one.phase is not Phase.ANSWERING or now - one.since >= stall_seconds)
    return min(droppable, key=reluctance, default=None)


def peer_of(address: object) -> str:
    """Whom an accepted address belongs to: an IPv4 address, an IPv6 /64 (its owner has all of it), "unix"."""
    if not isinstance(address, tuple):
        return "unix"
    host = str(address[0]).partition("%")[0]
    with suppress(OSError):
        packed = socket.inet_pton(socket.AF_INET6, host)
        if packed.startswith(_MAPPED):
            return socket.inet_ntop(socket.AF_INET, packed[12:])
        return f"{socket.inet_ntop(socket.AF_INET6, packed[:8] + bytes(8))}/64"
    return host
