"""Each property of the report and of the profile says what it is, and when it is null."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from hostagent.described import area_text, records, texts
from hostagent.profile import json_schema as profile_schema
from hostagent.report import AREAS
from hostagent.schema import json_schema as report_schema
from hostagent.values.record import record_fields


def _properties(part: object, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        for name, value in part.get("properties", {}).items():
            yield f"{path}.{name}", value
        for key, value in part.items():
            yield from _properties(value, f"{path}/{key}")
    elif isinstance(part, list):
        for value in part:
            yield from _properties(value, path)


PROPERTIES = [
    *_properties(report_schema(), "report"),
    *_properties(profile_schema(), "profile"),
]


def test_both_schemas_are_looked_at() -> None:
    assert {path.partition("/")[0].partition(".")[0] for path, _ in PROPERTIES} == {"report", "profile"}
    assert "report/$defs/WatchdogDevice.timeout" in dict(PROPERTIES)
    assert "report/properties/pci/anyOf.data" in dict(PROPERTIES)


@pytest.mark.parametrize("path", [path for path, _ in PROPERTIES])
def test_a_property_says_what_it_is_and_when_it_is_null(path: str) -> None:
    """It names null where it may be null, and only there."""
    part = dict(PROPERTIES)[path]
    may_be_null = {"type": "null"} in part.get("anyOf", ())
    assert len(part.get("description", "")) > 8
    assert bool(re.search(r"\bnull\b", part["description"], re.IGNORECASE)) == may_be_null


def test_no_text_stands_below_anything_but_a_field() -> None:
    """A text behind a comment still counts; one behind a method, or a second one, would describe nothing."""
    for module in sorted({cls.__module__ for cls in records()}):
        tree = ast.parse(inspect.getsource(sys.modules[module]))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and any(isinstance(one, ast.Name) for one in node.decorator_list):
                body = [type(one).__name__ for one in node.body[1:] if not isinstance(one, ast.FunctionDef)]
                for before, after in pairwise(["", *body]):
                    assert after != "Expr" or before == "AnnAssign", (module, node.name)


def test_a_record_describes_all_of_its_fields_itself_but_the_areas_which_describe_themselves() -> None:
    lacking = {
        cls.__name__: fields for cls in records() if (fields := [f for f in record_fields(cls) if f not in texts(cls)])
    }
    assert lacking == {"NodeReport": list(AREAS)}


def test_an_area_is_described_by_the_line_it_has_for_itself() -> None:
    assert report_schema()["properties"]["pci"]["description"] == area_text(AREAS["pci"].about)


def test_names_of_records_tell_them_apart() -> None:
    """The schema calls them by their names."""
    names = [cls.__name__ for cls in records()]
    assert sorted(set(names)) == sorted(names)
