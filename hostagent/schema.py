"""The report through pydantic: its JSON Schema, and reports of other nodes validated at the door.

Imported only where one of these is wanted; `probe` never does.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hostagent.about import About, ended
from hostagent.report import SCHEMA_VERSION, NodeReport
from hostagent.values.record import dataclass_view

# What came with a version of the schema, by place (`[]`: each item of a list). In older reports it is None: not looked at.
ADDED: dict[int, tuple[str, ...]] = {
    2: (
        "firmware.data.console.serial",
        "network.data.links[].addresses",
        "network.data.links[].tables",
        "network.data.lost",
        "pci.data.buses",
        "storage.data.disks[].held_open",
        "storage.data.namespaces_known",
        "storage.data.swaps_known",
        "storage.data.uses[].carriers.suspects",
        "storage.data.uses[].place",
    ),
}


class ReportError(Exception):
    """A report that is not one: says which place, and what was expected."""


@cache
def adapter() -> TypeAdapter[NodeReport]:
    """The pydantic view of NodeReport."""
    dataclass_view()
    return TypeAdapter(NodeReport)


@cache
def about_adapter() -> TypeAdapter[About]:
    """The pydantic view of what stands beside a report."""
    dataclass_view()
    return TypeAdapter(About)


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `probe -o json`."""
    from hostagent.described import described

    schema = described(adapter().json_schema(mode="serialization"), about_adapter().json_schema(mode="serialization"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"hostagent node report, schema_version {SCHEMA_VERSION}",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def read_report(text: str | bytes, place: str) -> NodeReport:
    """The report in a document, see `read_document`. Raises ReportError."""
    return read_document(text, place)[0]


def read_document(text: str | bytes, place: str) -> tuple[NodeReport, About | None]:
    """A report, and what stands beside it, None where nothing does; `place` names them in errors.

    As `probe -o json` wrote it, of this schema or an older one; what an older one did not look at is None in it. Raises
    ReportError naming the first place that does not fit.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{place}: expected the JSON of `hostagent probe -o json`: {error}") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if type(version) is int and 0 < version < SCHEMA_VERSION:
        _raise_to_ours(document, version)
    try:
        report = adapter().validate_json(text) if version == SCHEMA_VERSION else adapter().validate_python(document)
    except ValidationError as error:
        raise ReportError(f"{place}: {_first(error, '')}") from error
    if report.schema_version != SCHEMA_VERSION:
        raise ReportError(f"{place}: schema_version is {report.schema_version}, expected 1 to {SCHEMA_VERSION}")
    return report, _beside(document, place)


def _beside(document: dict[str, Any], place: str) -> About | None:
    given = document.get("about")
    if given is None:
        return None
    try:
        found = about_adapter().validate_python(given)
        ended(found)
    except ValidationError as error:
        raise ReportError(f"{place}: {_first(error, 'about')}") from error
    except ValueError as error:
        raise ReportError(f"{place}: about.surveyed_at: {error}") from error
    return found


def _first(error: ValidationError, within: str) -> str:
    """The first place that does not fit, and what was expected."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in (within, *first["loc"]) if part != "") or "top level"
    return f"{where}: {first['msg']}"


def _raise_to_ours(document: dict[str, Any], version: int) -> None:
    for later in range(version + 1, SCHEMA_VERSION + 1):
        for path in ADDED[later]:
            _put_none([document], path.split("."))
    document["schema_version"] = SCHEMA_VERSION


def _put_none(found: list[Any], path: list[str]) -> None:
    """Set the last name of a path to None in all that the others lead to."""
    *way, last = path
    for step in way:
        name, items, _ = step.partition("[]")
        below = [one[name] for one in found if isinstance(one, dict) and one.get(name) is not None]
        found = [item for one in below if isinstance(one, list) for item in one] if items else below
    for one in found:
        if isinstance(one, dict):
            one.setdefault(last, None)
