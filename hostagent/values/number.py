"""Whole numbers as the kernel writes them. No I/O."""

from __future__ import annotations


def whole(text: str, base: int = 10) -> int | None:
    """A whole number of at most 64 bits in text, or None.

    Python's own `int` would also take `1_000`, blanks around it, other alphabets' digits, and more of them
    than any output holds.
    """
    # A blank behind it may stay: so much the kernel itself writes.
    body = text[1:] if text[:1] == "-" else text
    if not body.isascii() or "_" in body or "+" in body or not body.isprintable() or body[:1] == " " or len(body) > 20:
        return None
    try:
        number = int(text, base)
    except ValueError:
        return None
    return number if -(1 << 63) <= number < 1 << 64 else None
