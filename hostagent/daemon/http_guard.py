"""Who may ask, and how often: what a web configuration demands of a connection and of a request.

A bcrypt check is slow on purpose (77 ms at cost 10, seconds at 15), so it never runs on the event loop: http_passwords.py
keeps a thread and a queue for it.
"""

from __future__ import annotations

import base64
import binascii
import logging
import time
from collections.abc import Callable, Mapping
from ssl import CERT_REQUIRED, SSLContext

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

    @property
    def asks_who(self) -> bool:
        """Whether a client has to say who it is, by a password or a certificate."""
        return bool(self.users) or (self.tls is not None and self.tls.verify_mode is CERT_REQUIRED)


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
