"""The documents beside the code, as tests compare with them. That each is what the code says: tests/cli/test_docs.py."""

from __future__ import annotations

import json
from functools import cache

import jsonschema

from tests.roots import REPOSITORY


@cache
def report_schema() -> jsonschema.Draft202012Validator:
    """docs/report.schema.json, read once: making it from the code takes seconds on a slow machine."""
    return jsonschema.Draft202012Validator(json.loads((REPOSITORY / "docs" / "report.schema.json").read_text()))
