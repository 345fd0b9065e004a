"""YAML with line numbers: plain values, and on which line each of them stands.

All scalars stay text (`words` says why); an empty value, `~` or `null` is a key that was not given. Anchors, tags
and a second spelling of a key are refused: a profile is short, and each would hide what it says.
"""

from __future__ import annotations

from typing import Any

import yaml

Place = tuple[str | int, ...]
_DEPTH = 16


class SourceError(Exception):
    """Text that is no profile at all: the line, and why."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def load(text: str) -> tuple[Any, dict[Place, int]]:
    """The document in `text`, and the line (from 1) of every place in it. Raises SourceError."""
    try:
        _refuse_tricks(text)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SourceError(mark.line + 1 if mark else 1, f"no YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise SourceError(1, f"no YAML: {str(error).partition(chr(10))[0]}") from error
    lines: dict[Place, int] = {}
    return (None if node is None else _value(node, (), lines)), lines


def _refuse_tricks(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise SourceError(line, "expected plain values, no YAML anchors or aliases")
        tag = getattr(event, "tag", None)
        if tag:
            raise SourceError(line, f"expected plain values, no YAML tag {tag}")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH:
            raise SourceError(line, f"nested more than {_DEPTH} deep")


def _value(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Any:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*place, number), lines) for number, item in enumerate(node.value)]
    # Quoted, an empty text is an empty text.
    absent = isinstance(node, yaml.ScalarNode) and node.style is None and node.value in ("", "~", "null")
    return None if absent else node.value


def _mapping(node: yaml.MappingNode, place: Place, lines: dict[Place, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise SourceError(line, "expected a word as key")
        if (*place, key.value) in lines:
            raise SourceError(line, f"key {key.value!r} given twice, first on line {lines[*place, key.value]}")
        inner = _value(value, (*place, key.value), lines)
        # An error in a block is looked for where its key stands.
        lines[*place, key.value] = line
        if inner is not None:
            found[key.value] = inner
    return found
