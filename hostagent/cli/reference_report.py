"""docs/report.md: each property of the report with its type and meaning, made of the JSON Schema."""

from __future__ import annotations

from hostagent.cli.markdown import table
from hostagent.report import AREAS
from hostagent.schema import json_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_HEADS = ("property", "type", "meaning")


def report_text() -> str:
    """The properties of the whole, then those of each area's `data`."""
    schema = json_schema()
    parts = schema["$defs"]
    text = f"# The report\n\n{_INTRODUCTION}\n## The document\n\n"
    own = {name: value for name, value in schema["properties"].items() if name not in AREAS}
    text += table(_HEADS, (*_rows(own, parts, ""), *_of_an_area(schema, parts)))
    for area in AREAS.values():
        whole = _object(schema["properties"][area.name], parts)
        data = _object(whole["properties"]["data"], parts) if whole else None
        if data is not None:
            text += f"\n## {area.name}.data: {area.about}\n\n" + table(_HEADS, _rows(data["properties"], parts, ""))
    return text


def _of_an_area(schema: dict[str, Any], parts: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What all areas have."""
    first = next(iter(AREAS))
    whole = _object(schema["properties"][first], parts) or {}
    for path, kind, meaning in _rows(whole["properties"], parts, "AREA."):
        if not path.startswith("`AREA.data."):
            yield path, kind, meaning


def _rows(fields: dict[str, Any], parts: dict[str, Any], before: str) -> Iterator[tuple[str, str, str]]:
    """A row for each property, those of what it holds behind it."""
    for name, value in fields.items():
        inside = _object(value, parts)
        listed = inside is not None and "list" in _kind(value)
        path = f"{before}{name}{'[]' if listed else ''}"
        # A placeholder such as <address> would be taken for HTML.
        yield f"`{path}`", _kind(value), value["description"].replace("<", "\\<")
        if inside is not None:
            yield from _rows(inside["properties"], parts, f"{path}.")


def _kind(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_kind(way) for way in value["anyOf"])
    if value.get("type") == "array":
        return f"list of {_kind(value['items'])}s"
    return str(value.get("type", "object"))


def _object(value: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any] | None:
    """The object that a property is or holds, or a list of which it is; None for anything else."""
    for way in (value, *value.get("anyOf", ())):
        target = way.get("items", way)
        if "$ref" in target:
            return _object(parts[target["$ref"].rpartition("/")[2]], parts)
        if "properties" in target:
            return dict(target)
    return None


_INTRODUCTION = """\
`hostagent probe -o json`, `/report.json` and `/run/hostagent/report.json` are this document. Its JSON Schema is
[report.schema.json](report.schema.json). Paths of files are relative to the root. What the machine does not offer is null; so is
what could not be read or understood, and then `problems` of the area names the file. `[]` after a name: each item of a list.
"""
