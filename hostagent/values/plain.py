"""Records as plain JSON values, and as text, without pydantic: `probe` has no 100 ms to spare for it.

Law L8 holds this writer equal to pydantic's.
"""

from __future__ import annotations

from hostagent.values.cpuset import CpuSet
from hostagent.values.record import is_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def plain(value: Any) -> Any:
    """Records to dicts, tuples and sets to lists (sets sorted), CPU sets to their kernel text."""
    kind = type(value)
    if kind is str or value is None or kind is int or kind is bool:
        return value
    if is_record(value):
        return {name: plain(getattr(value, name)) for name in kind.__slots__}
    if kind is tuple:
        return [plain(item) for item in value]
    if kind is CpuSet:
        return str(value)
    if kind is frozenset:
        return sorted(plain(item) for item in value)
    if isinstance(value, (str, int, float)):
        return value
    msg = f"{kind.__name__} has no place in a report"
    raise TypeError(msg)


# Below this depth everything stands on one line: an area's fields get a line each, and so do the items of its lists.
_LINES = 3


def json_text(value: Any) -> str:
    """`value` (already plain) as JSON for people and diffs: one line for each fact or list item. Ends with a newline."""
    from json import JSONEncoder

    encode = JSONEncoder(ensure_ascii=False).encode
    parts: list[str] = []
    _write(value, 0, encode, parts)
    parts.append("\n")
    return "".join(parts)


def _write(value: Any, depth: int, encode: Any, parts: list[str]) -> None:
    inner = "\n" + "  " * (depth + 1)
    if isinstance(value, dict) and value and depth < _LINES:
        opening, closing = "{", "}"
        items = [(f"{encode(key)}: ", item) for key, item in value.items()]
    elif isinstance(value, list) and value and isinstance(value[0], dict) and depth <= _LINES:
        opening, closing = "[", "]"
        items = [("", item) for item in value]
        depth = _LINES
    else:
        parts.append(encode(value))
        return
    parts.append(opening)
    for number, (head, item) in enumerate(items):
        parts.append(f"{',' if number else ''}{inner}{head}")
        _write(item, depth + 1, encode, parts)
    parts.append(inner[:-2] + closing)
