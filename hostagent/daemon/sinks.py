"""The files that are published to, each by itself: one that cannot be written is said once, tried again, and costs no other.

A file has one agent that writes to it (owned.py). A second one says so, writes nothing, and takes over once the first is gone.
A file is written when its content changed, when NFD's expiry time comes near, and when it is not what was left there (removed,
overwritten, on a file system mounted over it). After a failure it is tried again after 5 seconds, then more and more rarely,
a minute at most. Nothing is removed when the agent ends: every file stays whole as it was last written. NFD's labels die by
their expiry time if no agent comes back, or if it cannot see the machine any more: only a survey prolongs their life.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress

from hostagent.daemon.owned import OwnedFile
from hostagent.publish import nfd, report_file, textfile
from hostagent.publish.nfd import expiry_line
from hostagent.settings import Settings

log = logging.getLogger("hostagent.sinks")

RETRY_SECONDS, RETRY_AT_MOST = 5.0, 60.0
TEXTFILE_SECONDS = 60.0

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
        """`expiry`: the content begins with NFD's expiry line, that far from the last survey.

        `fresh`: rewrite when older and confirmed since, changed or not.
        """
        self.name, self.path, self.mode = name, path, mode
        self.aim = name, path, expiry, fresh
        self.success: bool | None = None
        self.written_at: float | None = None
        self._confirmed_at = self._vouched_at = 0.0
        self._expiry, self._fresh, self._clock = expiry, fresh, clock
        self._content: bytes | None = None
        self._written: bytes | None = None
        self._left: Left | None = None
        self._error = ""
        self._file = OwnedFile(path)
        self._locks = True
        self._wait, self._again = 0.0, 0.0

    def offer(self, content: bytes) -> None:
        """What the file is to hold from now on: a survey just found it."""
        self.confirm()
        if content != self._content:
            self._content = content
            self._wait = self._again = 0.0

    def confirm(self) -> None:
        """A survey just found what it found before."""
        self._confirmed_at = self._clock()

    def wanted(self) -> bool:
        """Whether the file has to be written now."""
        now = self._clock()
        if self._content is None or self._again - RETRY_AT_MOST <= now < self._again:
            return False
        if self._content != self._written or self.written_at is None:
            return True
        # A clock that was set back counts as old, too: NFD compares with the same clock.
        old = self._renewable() and not 0 <= now - self.written_at < (self._fresh or 0)
        return old or _left(self.path) != self._left

    def due_in(self) -> float | None:
        """Seconds until `wanted` may become true by time alone; None where it will not."""
        now = self._clock()
        if self._content is not None and not self.success:
            return max(0.0, self._again - now)
        if self._fresh is None or self.written_at is None or not self._renewable():
            return None
        return max(0.0, self.written_at + self._fresh - now)

    def _renewable(self) -> bool:
        return self._fresh is not None and self._confirmed_at != self._vouched_at

    def write(self) -> None:
        """Write if wanted. Never raises for what the disk does."""
        if not self.wanted() or self._content is None:
            return
        now = self._clock()
        head = b"" if self._expiry is None else expiry_line(min(now, self._confirmed_at) + self._expiry)
        try:
            self._file.write(head + self._content, mode=self.mode)
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
        if self._locks and not self._file.locks:
            log.warning(
                "%s: files cannot be locked beside %s: a second agent would not be noticed", self.name, self.path
            )
        self._locks = self._file.locks
        self.success, self._error, self._wait, self._again = True, "", 0.0, 0.0
        self.written_at, self._written, self._left = now, content, _left(self.path)
        self._vouched_at = self._confirmed_at

    def remove(self) -> None:
        """Nobody asks for this file any more: take it away, if it is still what was left there."""
        if self._left is not None and _left(self.path) == self._left:
            with suppress(OSError):
                os.unlink(self.path)
                log.info("%s: %s is removed, it is not published to any more", self.name, self.path)
        self.release()

    def release(self) -> None:
        """Let others write to the file."""
        self._file.release()


def sinks(settings: Settings, before: tuple[Sink, ...]) -> tuple[Sink, ...]:
    """The files that are wanted; of `before` those stay that are wanted as they were, with all they know."""
    given = settings.sinks
    rows = (
        ("nfd", given.nfd, nfd.MODE, given.nfd.expiry, given.nfd.expiry / 2),
        ("report", given.report, report_file.MODE, None, None),
        # Its time of change is all node_exporter knows of its age.
        ("textfile", given.textfile, textfile.MODE, None, TEXTFILE_SECONDS),
    )
    wanted = (
        Sink(name=name, path=part.path, mode=mode, expiry=expiry, fresh=fresh, clock=time.time)
        for name, part, mode, expiry, fresh in rows
        if part.enabled
    )
    known = {sink.aim: sink for sink in before}
    return tuple(known.get(sink.aim, sink) for sink in wanted)
