"""Sizes in bytes as the kernel (`2M`, `1G`), sysfs (`2048kB`), Kubernetes (`2Mi`) and labels spell them."""

from __future__ import annotations

from hostagent.values.blanks import stripped

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}


def parse_size(text: str) -> int | None:
    """Bytes in `2M`, `2Mi`, `2MiB`, `2048kB` or `2097152`: powers of 1024 in every spelling; None otherwise."""
    body = stripped(text).lower()
    for tail in ("ib", "i", "b"):
        if body.endswith(tail):
            body = body[: -len(tail)]
            break
    unit = body[-1:] if body[-1:] in _UNITS and not body[-1:].isdigit() else ""
    digits = body[: len(body) - len(unit)]
    # No size has thirty digits, and Python refuses to read five thousand of them.
    if not (digits.isascii() and digits.isdigit() and len(digits) < 30):
        return None
    return int(digits) * _UNITS[unit]


def _scaled(size: int, *, tail: str) -> str:
    for unit, name in ((1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if size and size % unit == 0:
            return f"{size // unit}{name}{tail}"
    return str(size)


def kernel_size(size: int) -> str:
    """`1G`, `2M`, `64K`: what `hugepagesz=` takes."""
    return _scaled(size, tail="")


def kubernetes_size(size: int) -> str:
    """`1Gi`, `2Mi`, `64Ki`: what `hugepages-<size>` resources are called."""
    return _scaled(size, tail="i")
