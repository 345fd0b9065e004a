"""Passwords that have to be checked, in the order that is fair to who asks.

One daemon thread checks one password at a time; what waits is held here, a queue for each peer, and the peers have their
turn one after the other. Whoever storms with wrong passwords fills its own queue and is told 503; the first password of
anybody else comes next. A password once found right is remembered as a keyed digest: its scrapers do not notice.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import queue
import threading
from collections import deque
from collections.abc import Callable

from hostagent.daemon.http_guard import Protection, bcrypt_matches
from hostagent.values.record import record

PEERS = 64  # waiting at once: at 77 ms the last one has its turn before its deadline
ALIKE = 32  # requests that wait for one and the same verdict


@record
class _Job:
    hashed: bytes
    user: bytes
    password: bytes
    digest: bytes


class Passwords:
    """The bcrypt thread and what it found. All methods belong to the event loop's thread."""

    def __init__(self, *, waiting: int) -> None:
        """`waiting`: jobs at once, half of them at most for one peer; the first of a peer is taken nevertheless."""
        self._waiting = waiting
        self._key = os.urandom(32)
        self._right: dict[bytes, bytes] = {}
        self._asked: dict[bytes, list[Callable[[bool], None]]] = {}
        self._queues: dict[str, deque[_Job]] = {}  # none of them empty; whose turn is next comes first
        self._busy = self._closed = False
        self._hands: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()  # never more than the job in hand
        self._thread: threading.Thread | None = None

    def check(
        self, protection: Protection, user: bytes, password: bytes, *, peer: str, done: Callable[[bool], None]
    ) -> bool | None:
        """True: known to be right. None: `done(verdict)` will be called. False: too many are waiting, nothing will be."""
        known = user in protection.users
        hashed = protection.users[user] if known else protection.decoy
        digest = self._digest(user, hashed, password)
        if hmac.compare_digest(self._right.get(user, b""), digest) and known:
            return True
        alike = self._asked.get(digest, [])
        if len(alike) >= ALIKE or (not alike and not self._has_room(peer)):
            return False
        alike.append(done)
        if digest not in self._asked:
            self._asked[digest] = alike
            job = _Job(hashed=hashed, user=user if known else b"", password=password, digest=digest)
            self._queues.setdefault(peer, deque()).append(job)
            self._next()
        return None

    def close(self, within: float) -> bool:
        """End the thread after the check it is at; False where that takes longer. What waits is forgotten."""
        self._closed = True
        self._queues.clear()
        if self._thread is None:
            return True
        self._hands.put(None)
        self._thread.join(within)
        return not self._thread.is_alive()

    def _has_room(self, peer: str) -> bool:
        own = len(self._queues.get(peer, ()))
        if own == 0:
            return len(self._queues) < PEERS
        return own < (self._waiting + 1) // 2 and sum(map(len, self._queues.values())) < self._waiting

    def _next(self) -> None:
        """Hand the thread the job of the peer whose turn it is, unless it has one."""
        if self._busy or self._closed or not self._queues:
            return
        self._start()
        peer, jobs = next(iter(self._queues.items()))
        del self._queues[peer]
        self._hands.put(jobs.popleft())
        self._busy = True
        if jobs:
            self._queues[peer] = jobs

    def _start(self) -> None:
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._work, args=(loop,), name="bcrypt", daemon=True)
            self._thread.start()

    def _digest(self, *parts: bytes) -> bytes:
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hashlib.blake2b(framed, key=self._key, digest_size=32).digest()

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._hands.get()) is not None:
            verdict = bcrypt_matches(job.password, job.hashed)
            try:
                loop.call_soon_threadsafe(self._found, job, verdict)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

    def _found(self, job: _Job, verdict: bool) -> None:  # noqa: FBT001 - called by call_soon_threadsafe
        self._busy = False
        right = verdict and job.user != b""
        if right:
            self._right[job.user] = job.digest
        for done in self._asked.pop(job.digest):
            done(right)
        self._next()
