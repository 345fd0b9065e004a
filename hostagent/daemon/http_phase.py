"""Where a connection stands."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """From accept to close."""

    HANDSHAKE = "handshake"
    READING = "reading"  # the head of a request, or silence before the first one
    IDLE = "idle"  # between two requests
    CHECKING = "checking"  # a password
    ANSWERING = "answering"
    LINGERING = "lingering"  # refused; reading the rest away, lest a reset overtake the refusal
    CLOSED = "closed"
