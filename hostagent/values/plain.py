"""Records as plain JSON values, and as text, without pydantic and without `json`.

`probe` has no 100 ms to spare for the one and no 10 ms for the other, which imports `re`.

Law L8 holds both writers equal to pydantic's.
"""

from __future__ import annotations

# `operator` is this module behind 2 ms of Python.
from _operator import attrgetter

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
    _write(value, 0, parts, _Lines())
    parts.append("\n")
    return "".join(parts)


def _write(value: Any, depth: int, parts: list[str], lines: _Lines) -> None:
    inner = "\n" + "  " * (depth + 1)
    if depth < _LINES and (items := _fields(value)):
        parts.append("{")
        for number, (head, item) in enumerate(items):
            parts.append(f"{',' if number else ''}{inner}{head}")
            _write(item, depth + 1, parts, lines)
        parts.append(inner[:-2] + "}")
    elif depth <= _LINES and isinstance(value, (tuple, list)) and value and _fields(value[0]) is not None:
        parts.append(f"[{inner}" + f",{inner}".join([lines.line(item) for item in value]) + inner[:-2] + "]")
    else:
        parts.append(lines.line(value))


def _fields(value: Any) -> list[tuple[str, Any]] | None:
    """(name as the head of a JSON member, value) of what becomes an object; None for anything else."""
    if is_record(value):
        return [(f'"{name}": ', getattr(value, name)) for name in record_fields(type(value))]
    if isinstance(value, dict):
        return [(f"{_quoted(key)}: ", item) for key, item in value.items()]
    return None


class _Lines:
    """Values as JSON on one line. A report of 4,096 functions says the same few hundred strings over and over."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._shapes: dict[type, tuple[Any, str]] = {}

    def line(self, value: Any) -> str:
        kind = type(value)
        if value is None:
            text = "null"
        elif kind is bool:
            text = "true" if value else "false"
        elif isinstance(value, str):
            text = self._texts.get(value) or self._text(value)
        elif is_record(value):
            text = self._record(value, kind)
        elif kind is tuple or kind is list:
            text = "[" + ", ".join([self.line(item) for item in value]) + "]"
        elif kind is dict:
            text = "{" + ", ".join([f"{_quoted(key)}: {self.line(item)}" for key, item in value.items()]) + "}"
        elif isinstance(value, (int, float)):
            text = repr(value)
        else:
            text = self.line(plain(value))
        return text

    def _text(self, value: str) -> str:
        text = self._texts[value] = _quoted(value)
        return text

    def _record(self, value: Any, kind: type) -> str:
        shape = self._shapes.get(kind)
        if shape is None:
            shape = self._shapes[kind] = _shape(record_fields(kind))
        getter, form = shape
        texts, line = self._texts, self.line
        # What most fields are needs no call.
        return form % tuple(
            [
                "null"
                if item is None
                else texts.get(item) or line(item)
                if item.__class__ is str
                else str(item)
                if item.__class__ is int
                else line(item)
                for item in getter(value)
            ]
        )


def _shape(names: tuple[str, ...]) -> tuple[Any, str]:
    """A getter of all values of a record, and its JSON with a %s for each."""
    form = "{" + ", ".join([f'"{name}": %s' for name in names]) + "}"
    if len(names) > 1:
        return attrgetter(*names), form
    # attrgetter of one name gives the value, not a tuple of it.
    return (lambda record: [getattr(record, name) for name in names]), form


def _quoted(text: str) -> str:
    # Nearly every string of a machine takes the first way.
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    text = text.translate(_ESCAPES)
    # A lone surrogate stands for a byte of a file name that was not UTF-8. UTF-8 cannot hold it, JSON can.
    return '"' + "".join([f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text]) + '"'
