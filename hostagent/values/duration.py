"""Time spans as systemd writes them (systemd.time(7)): `30s`, `10min`, `2min 30s`, `90`. Whole seconds only."""

from __future__ import annotations

from hostagent.values.blanks import BLANKS, stripped

_UNITS = {
    "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600,
}  # fmt: skip


def parse_seconds(text: str) -> int | None:
    """Seconds in `text`, or None."""
    total, rest = 0, stripped(text).lower()
    if not rest or not rest.isascii():
        return None
    while rest:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        rest = rest[len(digits) :].lstrip(BLANKS)
        unit = rest[: len(rest) - len(rest.lstrip("abcdefghijklmnopqrstuvwxyz"))]
        rest = rest[len(unit) :].lstrip(BLANKS)
        # Nine digits are thirty years: more is a slip of the hand, and no time span.
        if not 0 < len(digits) <= 9 or unit not in _UNITS:
            return None
        total += int(digits) * _UNITS[unit]
    return total


def systemd_span(seconds: int) -> str:
    """`30s`, `10min`, `2min 30s`."""
    minutes, rest = divmod(seconds, 60)
    parts = [f"{minutes}min"] if minutes else []
    if rest or not minutes:
        parts.append(f"{rest}s")
    return " ".join(parts)
