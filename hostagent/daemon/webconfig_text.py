"""YAML text as plain data, with the line of every key, and strict as Go's yaml.UnmarshalStrict.

Scalars stay the text that was written (`X-XSS-Protection: 0` is "0"); models decide what they mean. An empty value is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from hostagent.values.record import record

DEPTH = 16

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
        root = yaml.compose(text.decode(), yaml.SafeLoader)
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


def _plain(node: yaml.Node, where: Where, lines: dict[Where, int]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(where, line)
    if len(where) > DEPTH:
        raise TextError(line, f"nested deeper than {DEPTH}")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*where, place), lines) for place, item in enumerate(node.value)]
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _mapping(node: yaml.MappingNode, where: Where, lines: dict[Where, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise TextError(line, "a key must be plain text")
        if key.value in found:
            raise TextError(line, f"{key.value}: given twice")
        lines[*where, key.value] = line
        found[key.value] = _plain(value, (*where, key.value), lines)
    return found
