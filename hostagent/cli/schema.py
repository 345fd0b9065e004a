"""`hostagent schema`: the JSON Schema of `probe -o json`."""

from __future__ import annotations

from hostagent.cli.output import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def arguments(_parser: argparse.ArgumentParser) -> None:
    """Nothing: there is one report."""


def run(_options: argparse.Namespace) -> int:
    """Print the schema."""
    write(schema_text())
    return 0


def schema_text() -> str:
    """The schema as it is published in docs/report.schema.json."""
    import json

    from hostagent.schema import json_schema

    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
