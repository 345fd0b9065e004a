"""The files that are published to, each by itself: one that cannot be written is said once, tried again, and costs no other.

A file is written when its content changed, when NFD's expiry time comes near, and when it is not what was left there (removed,
overwritten, on a file system mounted over it). After a failure it is tried again after 5 seconds, then more and more rarely,
a minute at most. Nothing is removed when the agent ends: every file stays whole as it was last written. NFD's labels die by
their expiry time if no agent comes back.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress

from hostagent.publish.nfd import expiry_line
from hostagent.publish.whole import write_whole

log = logging.getLogger("hostagent.sinks")

RETRY_SECONDS, RETRY_AT_MOST = 5.0, 60.0

# What tells whether a file is still the one we wrote: inode, size, time of change.
Left = tuple[int, int, int]


def _left(path: str) -> Left | None:
    with suppress(OSError):
        found = os.stat(path)
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None


class Sink:
    """One file, and how writing it went. Times are seconds since 1970, of `clock`."""

    def __init__(
        self, *, name: str, path: str, mode: int, expiry: float | None, fresh: float | None, clock: Callable[[], float]
    ) -> None:
        """`expiry`: the content begins with NFD's expiry line that far ahead. `fresh`: rewrite when older, changed or not."""
        self.name, self.path, self.mode = name, path, mode
        self.aim = name, path, expiry, fresh
        self.success: bool | None = None
        self.written_at: float | None = None
        self._expiry, self._fresh, self._clock = expiry, fresh, clock
        self._content: bytes | None = None
        self._written: bytes | None = None
        self._left: Left | None = None
        self._error = ""
        self._wait, self._again = 0.0, 0.0

    def offer(self, content: bytes) -> None:
        """What the file is to hold from now on."""
        if content != self._content:
            self._content = content
            self._wait = self._again = 0.0

    def wanted(self) -> bool:
        """Whether the file has to be written now."""
        now = self._clock()
        if self._content is None or self._again - RETRY_AT_MOST <= now < self._again:
            return False
        if self._content != self._written or self.written_at is None:
            return True
        # A clock that was set back counts as old, too: NFD compares with the same clock.
        old = self._fresh is not None and not 0 <= now - self.written_at < self._fresh
        return old or _left(self.path) != self._left

    def due_in(self) -> float | None:
        """Seconds until `wanted` may become true by time alone; None where it will not."""
        now = self._clock()
        if self._content is not None and not self.success:
            return max(0.0, self._again - now)
        if self._fresh is None or self.written_at is None:
            return None
        return max(0.0, self.written_at + self._fresh - now)

    def write(self) -> None:
        """Write if wanted. Never raises for what the disk does."""
        if not self.wanted() or self._content is None:
            return
        now = self._clock()
        head = b"" if self._expiry is None else expiry_line(now + self._expiry)
        try:
            write_whole(self.path, head + self._content, mode=self.mode)
        except OSError as error:
            self._failed(now, error)
        else:
            self._wrote(now, self._content)

    def _failed(self, now: float, error: OSError) -> None:
        said = error.strerror or str(error)
        if said != self._error:
            log.error("%s: %s cannot be written: %s", self.name, self.path, said)
        self.success, self._error = False, said
        self._wait = min(max(RETRY_SECONDS, self._wait * 2), RETRY_AT_MOST)
        self._again = now + self._wait

    def _wrote(self, now: float, content: bytes) -> None:
        if self._error:
            log.info("%s: %s is written again", self.name, self.path)
        elif self.success is None:
            log.info("%s: publishing to %s", self.name, self.path)
        self.success, self._error, self._wait, self._again = True, "", 0.0, 0.0
        self.written_at, self._written, self._left = now, content, _left(self.path)
