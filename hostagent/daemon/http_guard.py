"""Who may ask, and how often: what a web configuration demands of a connection and of a request.

A bcrypt check is slow on purpose (77 ms at cost 10, seconds at 15), so it never runs on the event loop: one daemon
thread works off a short queue, and a password once found right is remembered as a keyed digest. Whoever storms the
queue with wrong passwords fills it and is told 503; scrapers whose password is remembered do not notice.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from ssl import SSLContext

from hostagent.values.record import record

log = logging.getLogger("hostagent.web")

BCRYPT_BYTES = 72  # bcrypt looks no further; htpasswd and Go cut there, the Python binding refuses


class TokenBucket:
    """At most one request each `interval` seconds on average, `burst` at once."""

    def __init__(self, *, interval: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        """A full bucket."""
        self._interval, self._burst, self._now = interval, burst, now
        self._level, self._at = float(burst), now()

    def take(self) -> bool:
        """Whether one more request is within the rate."""
        now = self._now()
        self._level = min(self._burst, self._level + (now - self._at) / self._interval)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


@record
class Protection:
    """What is demanded: TLS, client names, passwords, a rate; and the headers every answer carries.

    `allowed_sans`: None, or the subject alternative names one of which the client certificate must carry. `users`: name ->
    bcrypt hash, empty where no password is asked for. `decoy`: the hash checked for names that do not exist.
    """

    tls: SSLContext | None
    allowed_sans: frozenset[str] | None
    headers: tuple[tuple[str, str], ...]
    users: Mapping[bytes, bytes]
    decoy: bytes
    rate: TokenBucket | None


OPEN = Protection(tls=None, allowed_sans=None, headers=(), users={}, decoy=b"", rate=None)


def credentials(authorization: str | None) -> tuple[bytes, bytes] | None:
    """(user, password) of a Basic `Authorization` header; None where there is none or it is malformed."""
    scheme, _, blob = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(blob.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


@record
class _Job:
    hashed: bytes
    user: bytes
    password: bytes
    digest: bytes
    peer: str


class Passwords:
    """The bcrypt thread and what it found. All methods belong to the event loop's thread."""

    def __init__(self, *, waiting: int) -> None:
        """`waiting`: jobs at once, half of them at most for one peer address."""
        self._waiting = waiting
        self._key = os.urandom(32)
        self._right: dict[bytes, bytes] = {}
        self._asked: dict[bytes, list[Callable[[bool], None]]] = {}
        self._peers: Counter[str] = Counter()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(
        self, protection: Protection, user: bytes, password: bytes, *, peer: str, done: Callable[[bool], None]
    ) -> bool | None:
        """True: known to be right. None: `done(verdict)` will be called. False: too many are waiting, nothing will be."""
        known = user in protection.users
        hashed = protection.users[user] if known else protection.decoy
        digest = self._digest(user, hashed, password)
        if hmac.compare_digest(self._right.get(user, b""), digest) and known:
            return True
        if digest in self._asked:
            self._asked[digest].append(done)
            return None
        if len(self._asked) >= self._waiting or self._peers[peer] >= (self._waiting + 1) // 2:
            return False
        self._asked[digest] = [done]
        self._peers[peer] += 1
        self._start()
        self._jobs.put(_Job(hashed=hashed, user=user if known else b"", password=password, digest=digest, peer=peer))
        return None

    def close(self) -> None:
        """End the thread after the check it is at; it is a daemon thread, so a slow hash does not hold the exit."""
        if self._loop is not None:
            self._jobs.put(None)

    def _start(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._work, args=(self._loop,), name="bcrypt", daemon=True).start()

    def _digest(self, *parts: bytes) -> bytes:
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hashlib.blake2b(framed, key=self._key, digest_size=32).digest()

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            verdict = bcrypt_matches(job.password, job.hashed)
            try:
                loop.call_soon_threadsafe(self._found, job, verdict)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

    def _found(self, job: _Job, verdict: bool) -> None:  # noqa: FBT001 - called by call_soon_threadsafe
        self._peers -= Counter((job.peer,))
        right = verdict and job.user != b""
        if right:
            self._right[job.user] = job.digest
        for done in self._asked.pop(job.digest):
            done(right)


def bcrypt_matches(password: bytes, hashed: bytes) -> bool:
    """Whether `password` gives `hashed`; a hash bcrypt cannot use matches nothing."""
    import bcrypt

    try:
        return bcrypt.checkpw(password[:BCRYPT_BYTES], hashed)
    except ValueError as error:
        log.warning("bcrypt refuses a password hash: %s", error)
        return False


def decoy(users: Mapping[bytes, bytes]) -> bytes:
    """A hash nothing matches, as costly as the costliest of `users`, so that time does not tell which names exist."""
    import bcrypt

    if not users:
        return b""
    cost = max(int(hashed[4:6]) for hashed in users.values())
    return bcrypt.gensalt(cost) + b"." * 31
