"""L8: the report's own JSON is what pydantic makes of it, and pydantic reads it back as the same report."""

from __future__ import annotations

import json

import jsonschema
import pytest

from hostagent.host import Host
from hostagent.report import survey
from hostagent.schema import adapter, json_schema, read_report
from hostagent.values.plain import json_text, plain
from tests.roots import roots


@pytest.mark.parametrize("root", roots())
def test_own_json_equals_pydantics(root: str) -> None:
    host = Host(root, thorough=True)
    report = survey(host)
    host.close()
    own = plain(report)
    assert own == adapter().dump_python(report, mode="json")
    text = json_text(report)
    assert json.loads(text) == own
    assert read_report(text, root) == report
    jsonschema.Draft202012Validator(json_schema()).validate(own)
