"""YAML text as plain data, with the line of every key, and strict as Go's yaml.UnmarshalStrict.

Scalars stay the text that was written (`X-XSS-Protection: 0` is "0"); models decide what they mean. An empty value is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from hostagent.values.record import record

DEPTH = 16
PLACES = 10_000  # aliases of aliases would make many more out of a short text

Where = tuple[str | int, ...]


class TextError(Exception):
    """The text is no YAML we take; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@record
class Text:
    """`data`: mappings, lists, text and None. `lines`: the line of each key and list item, by its path."""

    data: Any
    lines: Mapping[Where, int]

    def line(self, where: Where) -> int:
        """The line of a key, or of the nearest key above it that is written in the file."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)


def read(text: bytes) -> Text:
    """Parse one document; raises TextError."""
    try:
        written = text.decode()
        _refuse_depth(written)
        root = yaml.compose(written, yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise TextError(text.count(b"\n", 0, error.start) + 1, "not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise TextError(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise TextError(1, f"not YAML: {str(error).splitlines()[0]}") from error
    lines: dict[Where, int] = {}
    data = None if root is None else _plain(root, (), lines)
    return Text(data=data, lines=lines)


def _refuse_depth(text: str) -> None:
    """Before PyYAML follows it down by recursion."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            mark = event.start_mark
            raise TextError(mark.line + 1 if mark else 1, f"nested deeper than {DEPTH}")


def _plain(node: yaml.Node, where: Where, lines: dict[Where, int]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(where, line)
    if len(where) > DEPTH:  # by aliases
        raise TextError(line, f"nested deeper than {DEPTH}")
    if len(lines) > PLACES:
        raise TextError(line, f"more than {PLACES} values")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*where, place), lines) for place, item in enumerate(node.value)]
    return None if node.tag == "tag:yaml.org,2002:null" else _scalar(node)


def _scalar(node: yaml.Node) -> str:
    """The text; what neither a path nor a name can hold is written as an escape, by mistake."""
    value = str(node.value)
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise TextError(node.start_mark.line + 1, "a NUL or half a character (\\ud800 to \\udfff)")
    return value


def _mapping(node: yaml.MappingNode, where: Where, lines: dict[Where, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise TextError(line, "a key must be plain text")
        name = _scalar(key)
        if name in found:
            raise TextError(line, f"{name}: given twice")
        lines[*where, name] = line
        found[name] = _plain(value, (*where, name), lines)
    return found
