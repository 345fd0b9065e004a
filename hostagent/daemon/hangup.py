"""SIGHUP asks for a reload, from the first line of `hostagent run` to its last, and never ends the process.

The signal's default is death, and systemd takes that for a clean end and starts nothing anew. Between start and end others put a
default back: asyncio when a loop is closed. So one handler stands from before the settings are read, remembers what comes before
anybody can act on it, and leaves only to make room for ignoring.
"""

from __future__ import annotations

import signal
from collections.abc import Callable


class Hangup:
    """The handler; `then` is told who acts on the signal."""

    def __init__(self) -> None:
        """From here on it is remembered."""
        self._asked = False
        self._act: Callable[[], object] | None = None
        signal.signal(signal.SIGHUP, self._handle)
        signal.siginterrupt(signal.SIGHUP, False)  # calls of C libraries go on

    def then(self, act: Callable[[], object]) -> None:
        """`act` from here on, and at once if it was asked for before."""
        self._act = act
        if self._asked:
            self._asked = False
            act()

    def end(self) -> None:
        """Nobody acts any more."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _handle(self, _number: int, _frame: object) -> None:
        if self._act is None:
            self._asked = True
        else:
            self._act()
