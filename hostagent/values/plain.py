"""Records as plain JSON values, and as text, without pydantic and without `json`.

`probe` has no 100 ms to spare for the one and no 10 ms for the other, which imports `re`.

Law L8 holds both writers equal to pydantic's.
"""

from __future__ import annotations

# `operator` is this module behind 2 ms of Python.
from _operator import attrgetter, getitem

from hostagent.values.cpuset import CpuSet
from hostagent.values.record import is_record, record_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def spelled(text: str) -> str:
    r"""Text that every format and reader takes: a byte of a name that was not UTF-8 is six letters, as in `\udcff`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def plain(value: Any) -> Any:
    """Records to dicts, tuples and sets to lists (sets sorted), CPU sets to their kernel text; what a dict holds likewise."""
    kind = type(value)
    if value is None or kind is str or kind is int or kind is bool:
        return spelled(value) if kind is str else value
    if is_record(value):
        return {name: plain(getattr(value, name)) for name in kind.__slots__}
    if kind is dict:
        return {name: plain(item) for name, item in value.items()}
    if kind is tuple or kind is frozenset:
        items = [plain(item) for item in value]
        return items if kind is tuple else sorted(items)
    if kind is CpuSet or isinstance(value, str):
        return spelled(str(value))  # a PciAddress is more than YAML's string
    if isinstance(value, (int, float)):
        return value
    msg = f"{kind.__name__} has no place in a report"
    raise TypeError(msg)


# Below this depth everything stands on one line: an area's fields get a line each, and so do the items of its lists.
_LINES = 3
# Items of a list in one piece: a PCI function is some 230 bytes.
_TOGETHER = 256
# RFC 8259, section 7, and the C1 controls, which drive terminals too.
_ESCAPES = (
    {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
    | {ord('"'): '\\"', ord("\\"): "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
)  # fmt: skip


def json_text(value: Any) -> str:
    """Records or plain values as JSON for people and diffs: a line for each fact or list item, then a newline."""
    return "".join(json_pieces(value))


def json_pieces(value: Any) -> Iterator[str]:
    """`json_text` a piece at a time: the report of a large machine is megabytes that need not stand in memory at once."""
    yield from _pieces(value, 0, _Lines())
    yield "\n"


def _pieces(value: Any, depth: int, lines: _Lines) -> Iterator[str]:
    inner = "\n" + "  " * (depth + 1)
    if depth < _LINES and (items := _fields(value)):
        mark = "{"
        for head, item in items:
            yield f"{mark}{inner}{head}"
            yield from _pieces(item, depth + 1, lines)
            mark = ","
        yield inner[:-2] + "}"
    elif depth <= _LINES and isinstance(value, (tuple, list)) and value and _fields(value[0]) is not None:
        mark = "["
        for start in range(0, len(value), _TOGETHER):
            yield f"{mark}{inner}" + f",{inner}".join([lines.line(item) for item in value[start : start + _TOGETHER]])
            mark = ","
        yield inner[:-2] + "]"
    else:
        yield lines.line(value)


def _fields(value: Any) -> list[tuple[str, Any]] | None:
    """(name as the head of a JSON member, value) of what becomes an object; None for anything else."""
    if is_record(value):
        return [(f'"{name}": ', getattr(value, name)) for name in record_fields(type(value))]
    if isinstance(value, dict):
        return [(f"{_quoted(key)}: ", item) for key, item in value.items()]
    return None


class _Lines:
    """Values as JSON on one line. A report of 4,096 functions says the same addresses and words over and over."""

    def __init__(self) -> None:
        self._words = _Said(self.line, str)
        self._shapes: dict[type, tuple[Any, str, list[Any]]] = {}

    def line(self, value: Any) -> str:
        kind = type(value)
        if isinstance(value, str):
            text = _quoted(value)
        elif value is None:
            text = "null"
        elif kind is bool:
            text = "true" if value else "false"
        elif is_record(value):
            getter, form, texts = self._shapes.get(kind) or self._shape(value, kind)
            text = form % tuple(map(getitem, texts, getter(value)))
        elif kind is tuple or kind is list:
            words, line = self._words, self.line
            text = "[" + ", ".join([words[item] if isinstance(item, str) else line(item) for item in value]) + "]"
        elif kind is dict:
            text = "{" + ", ".join([f"{_quoted(key)}: {self.line(item)}" for key, item in value.items()]) + "}"
        elif isinstance(value, (int, float)):
            text = repr(value)
        else:
            text = self.line(plain(value))
        return text

    def _shape(self, value: Any, kind: type) -> tuple[Any, str, list[Any]]:
        """A getter of all values of a record, its JSON with a %s for each, and the text of each by its value."""
        names = record_fields(kind)
        form = "{" + ", ".join([f'"{name}": %s' for name in names]) + "}"
        # attrgetter of one name gives the value, not a tuple of it.
        getter = attrgetter(*names) if len(names) > 1 else lambda record: [getattr(record, name) for name in names]
        shape = self._shapes[kind] = getter, form, [self._by_value(item) for item in getter(value)]
        return shape

    def _by_value(self, first: Any) -> Any:
        """Text by value for one field. True and 1 are one key with two texts, but no field holds both."""
        if isinstance(first, str):
            return self._words
        return _Said(self.line, (str, int)) if first is None or isinstance(first, int) else _Unsaid(self.line)


class _Said(dict["Any", str]):
    """JSON by value, remembered for values of some types."""

    def __init__(self, line: Callable[[Any], str], kept: type | tuple[type, ...]) -> None:
        super().__init__({None: "null"})
        self._line = line
        self._kept = kept

    def __missing__(self, value: Any) -> str:
        text = self._line(value)
        if isinstance(value, self._kept):
            self[value] = text
        return text


class _Unsaid:
    """JSON by value for lists and records: to ask whether one was said before is to read all of it."""

    def __init__(self, line: Callable[[Any], str]) -> None:
        self._line = line

    def __getitem__(self, value: Any) -> str:
        return self._line(value)


def _quoted(text: str) -> str:
    # Nearly every string of a machine takes the first way.
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{spelled(text).translate(_ESCAPES)}"'
