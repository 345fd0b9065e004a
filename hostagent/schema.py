"""The report through pydantic: its JSON Schema, and reports of other nodes validated at the door.

Imported only where one of these is wanted; `probe` never does.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hostagent.report import SCHEMA_VERSION, NodeReport
from hostagent.values.record import dataclass_view


class ReportError(Exception):
    """A report that is not one: says which place, and what was expected."""


@cache
def adapter() -> TypeAdapter[NodeReport]:
    """The pydantic view of NodeReport."""
    dataclass_view()
    return TypeAdapter(NodeReport)


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `probe -o json`."""
    schema = adapter().json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"hostagent node report, schema_version {SCHEMA_VERSION}",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def read_report(text: str | bytes, place: str) -> NodeReport:
    """A report as `probe -o json` wrote it. `place` names it in errors.

    Raises ReportError naming the first place that does not fit.
    """
    try:
        report = adapter().validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "top level"
        raise ReportError(f"{place}: {where}: {first['msg']}") from error
    if report.schema_version != SCHEMA_VERSION:
        raise ReportError(f"{place}: schema_version is {report.schema_version}, expected {SCHEMA_VERSION}")
    return report
