"""Words for people: bytes, counts, and foreign text made harmless."""

from __future__ import annotations

_BINARY = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def clean(said: object) -> str:
    """Printable text; control characters, bidirectional marks and the like as Python would escape them."""
    said = str(said)
    if said.isprintable():
        return said
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in said)


def capital(said: str) -> str:
    """A clause as the start of a sentence."""
    return said[:1].upper() + said[1:]


def size(count: int) -> str:
    """Bytes for people: exact where a unit divides them, else one decimal."""
    for unit, name in _BINARY:
        if count >= unit:
            return f"{count // unit} {name}" if count % unit == 0 else f"{count / unit:.1f} {name}"
    return f"{count} B"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 group`, `2 groups`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
