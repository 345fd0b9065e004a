'''What each property of the report means: the text below each field of a record, put into the JSON Schema.

    timeout: int | None
    """Seconds until the machine restarts unless fed; sys/class/watchdog/watchdogN/timeout. Null where ..."""

The compiler drops such a text, so it costs the start of `probe` nothing; the sources are read again here, and only here.
'''

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from hostagent.about import About
from hostagent.area import Probed
from hostagent.report import AREAS, NodeReport
from hostagent.values.record import record_fields


def described(schema: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schemas of NodeReport and of what stands beside it as one, with a description for each property."""
    classes = {cls.__name__: cls for cls in records()}
    parts = {name: _part(part, texts(classes[name])) for name, part in schema["$defs"].items()}
    whole = _part(schema, texts(NodeReport) | {area.name: area_text(area.about) for area in AREAS.values()})
    for name in AREAS:
        ways = whole["properties"][name]["anyOf"]
        whole["properties"][name]["anyOf"] = [_part(way, texts(Probed)) for way in ways]
    parts["About"] = _part(about, texts(About))
    beside = {"$ref": "#/$defs/About", "description": _ABOUT}
    version = whole["properties"].pop("schema_version")
    fields = {"schema_version": version, "about": beside, **whole["properties"]}
    return whole | {"$defs": dict(sorted(parts.items())), "properties": fields}


_ABOUT = """\
Of which node this is, and when it was made. Only there where the survey was one of the running machine: not of a capture, a \
report or another machine's tree, nor in /run/hostagent/report.json, which is written when something changes."""


def area_text(about: str) -> str:
    """What a whole area is, by the line it has for itself."""
    return f"{about[0].upper()}{about[1:]}. Null where the survey was not asked for it (`--only`)."


def _part(part: dict[str, Any], said: dict[str, str]) -> dict[str, Any]:
    if "properties" not in part:
        return part
    fields = {
        name: {**value, "description": said[name]} if name in said else value
        for name, value in part["properties"].items()
    }
    return part | {"properties": fields}


def records() -> tuple[type, ...]:
    """Every record that a report may hold, each once."""
    return tuple(dict.fromkeys((*_below(NodeReport), About)))


def _below(annotation: Any) -> Iterator[type]:
    """The records that an annotation names, and those that their fields do."""
    if getattr(annotation, "__hostagent_record__", False):
        yield annotation
        for field in record_fields(annotation):
            yield from _below(annotation.__annotations__[field])
    # `Probed[Pci]` is an annotation with the area's model in its metadata.
    for inner in (*get_args(annotation), getattr(annotation, "model", None)):
        yield from _below(inner) if inner is not None else ()


@cache
def texts(cls: type) -> dict[str, str]:
    """Field to the text below it, in one line; read from the source of the module."""
    # Area and Probed are written twice in their module, once for type checkers.
    bodies = [
        node.body
        for node in ast.walk(_tree(cls.__module__))
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__
    ]
    return {
        field.target.id: " ".join(text.value.value.split())
        for body in bodies
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))
