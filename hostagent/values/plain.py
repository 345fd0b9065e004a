"""Records as plain JSON values, and as text, without pydantic and without `json`.

`probe` has no 100 ms to spare for the one and no 10 ms for the other, which imports `re`.

Law L8 holds both writers equal to pydantic's.
"""

from __future__ import annotations

from hostagent.values.cpuset import CpuSet
from hostagent.values.record import is_record, record_fields

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
    if kind is frozenset:
        return sorted(plain(item) for item in value)
    if kind is CpuSet or isinstance(value, str):
        return str(value)  # a PciAddress is more than YAML's string
    if isinstance(value, (int, float)):
        return value
    msg = f"{kind.__name__} has no place in a report"
    raise TypeError(msg)


# Below this depth everything stands on one line: an area's fields get a line each, and so do the items of its lists.
_LINES = 3
# RFC 8259, section 7, and the C1 controls, which drive terminals too.
_ESCAPES = (
    {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
    | {ord('"'): '\\"', ord("\\"): "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
)  # fmt: skip


def json_text(value: Any) -> str:
    """Records or plain values as JSON for people and diffs: a line for each fact or list item, then a newline."""
    parts: list[str] = []
    _write(value, 0, parts)
    parts.append("\n")
    return "".join(parts)


def _write(value: Any, depth: int, parts: list[str]) -> None:
    inner = "\n" + "  " * (depth + 1)
    if depth < _LINES and (items := _fields(value)):
        opening, closing = "{", "}"
    elif depth <= _LINES and isinstance(value, (tuple, list)) and value and _fields(value[0]) is not None:
        opening, closing = "[", "]"
        items = [("", item) for item in value]
        depth = _LINES
    else:
        parts.append(_line(value))
        return
    parts.append(opening)
    for number, (head, item) in enumerate(items):
        parts.append(f"{',' if number else ''}{inner}{head}")
        _write(item, depth + 1, parts)
    parts.append(inner[:-2] + closing)


def _fields(value: Any) -> list[tuple[str, Any]] | None:
    """(name as the head of a JSON member, value) of what becomes an object; None for anything else."""
    if is_record(value):
        return [(f'"{name}": ', getattr(value, name)) for name in type(value).__slots__]
    if isinstance(value, dict):
        return [(f"{_quoted(key)}: ", item) for key, item in value.items()]
    return None


def _line(value: Any) -> str:
    """`value` as JSON on one line."""
    kind = type(value)
    if kind is str:
        text = _quoted(value)
    elif value is None:
        text = "null"
    elif kind is bool:
        text = "true" if value else "false"
    elif is_record(value):
        text = _record_line(value, kind)
    elif kind is tuple or kind is list:
        text = "[" + ", ".join([_line(item) for item in value]) + "]"
    elif kind is dict:
        text = "{" + ", ".join([f"{_quoted(key)}: {_line(item)}" for key, item in value.items()]) + "}"
    elif isinstance(value, (int, float)):
        text = repr(value)
    else:
        text = _quoted(value) if isinstance(value, str) else _line(plain(value))
    return text


# Record class -> heads of its members.
_HEADS: dict[type, tuple[str, ...]] = {}


def _record_line(value: Any, kind: type) -> str:
    """A record on one line. A report of 4,096 functions spends a third of its time here: no call for the plain fields."""
    heads = _HEADS.get(kind)
    if heads is None:
        heads = _HEADS[kind] = tuple([f', "{name}": ' for name in record_fields(kind)])
    items = [getattr(value, name) for name in record_fields(kind)]
    parts = []
    for head, item in zip(heads, items, strict=True):
        if item is None:
            parts.append(f"{head}null")
        elif isinstance(item, str) and item.isprintable() and '"' not in item and "\\" not in item:
            parts.append(f'{head}"{item}"')
        else:
            parts.append(head + _line(item))
    return "{" + "".join(parts)[2:] + "}"


def _quoted(text: str) -> str:
    # Nearly every string of a machine takes the first way.
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    text = text.translate(_ESCAPES)
    # A lone surrogate stands for a byte of a file name that was not UTF-8. UTF-8 cannot hold it, JSON can.
    return '"' + "".join([f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text]) + '"'
