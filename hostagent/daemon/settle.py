"""When to survey after something happened: once it is quiet, and at the latest after a bound.

One driver bound is a handful of events, 256 VFs made are thousands, and a Kubernetes node starting pods never falls silent.
Times are seconds of any clock that does not jump.
"""

from __future__ import annotations


class Settle:
    """Events in, a due time out."""

    def __init__(self, *, quiet: float, bound: float) -> None:
        """Due `quiet` after the last event of a burst, never later than `bound` after its first."""
        self.quiet, self.bound = quiet, bound
        self._first: float | None = None
        self._last = 0.0

    def event(self, now: float) -> None:
        """Something happened."""
        if self._first is None:
            self._first = now
        self._last = now

    def due(self, not_before: float = 0.0) -> float | None:
        """When to survey; None where nothing happened since `taken`."""
        if self._first is None:
            return None
        return max(min(self._last + self.quiet, self._first + self.bound), not_before)

    def taken(self) -> None:
        """A survey begins: what happens from here on is another burst."""
        self._first = None
