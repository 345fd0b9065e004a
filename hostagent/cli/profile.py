"""`hostagent profile`: a first profile from what a node has, and the JSON Schema of profiles."""

from __future__ import annotations

import os
import sys

from hostagent.cli.entry import UsageError
from hostagent.cli.inputs import nodes
from hostagent.cli.output import OutputError, write
from hostagent.cli.roots import add_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `profile` takes."""
    parser.add_argument(
        "what",
        choices=("init", "schema"),
        metavar="init|schema",
        help="init: a commented profile from what the node has; schema: the JSON Schema of profiles, for editors",
    )
    add_root(parser)
    parser.add_argument(
        "--report", nargs=1, metavar="FILE", help="init: instead of --root, a report of `probe -o json` or a capture"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="a file that is not there yet (default: standard output)"
    )


def run(options: argparse.Namespace) -> int:
    """Make the text, then write it whole or not at all."""
    text = schema_text() if options.what == "schema" else _draft(options)
    if options.output is None:
        write(text)
        return 0
    if os.path.lexists(options.output):
        raise UsageError(f"{options.output}: is there already; expected a new file, a profile is somebody's work")
    from hostagent.publish.whole import write_whole

    try:
        write_whole(options.output, text.encode(), mode=0o644)
    except OSError as error:
        raise OutputError(f"{options.output}: {error.strerror}") from error
    print(f"hostagent: {options.output}: written", file=sys.stderr)
    return 0


def _draft(options: argparse.Namespace) -> str:
    from hostagent.plan.draft import draft

    found = nodes(options)
    if len(found) != 1:
        raise UsageError(f"--report: {len(found)} nodes; expected one to write a profile from")
    return draft(*found[0])


def schema_text() -> str:
    """The schema as it is published in docs/profile.schema.json."""
    import json

    from hostagent.profile import json_schema

    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
