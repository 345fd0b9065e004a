"""`hostagent probe`: one survey of a machine, printed."""

from __future__ import annotations

import sys

from hostagent.cli.entry import UsageError
from hostagent.cli.roots import add_root, opened
from hostagent.report import AREAS, NodeReport, problems, survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

FORMATS = ("table", "json", "yaml", "labels", "prom", "ansible")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `probe` takes."""
    add_root(parser)
    parser.add_argument("--only", metavar="AREA,...", help=f"look at these areas only: {', '.join(AREAS)}")
    parser.add_argument("-o", "--output", choices=FORMATS, default="table", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Survey, print, and say by the exit status whether everything could be read."""
    only = _only(options.only)
    with opened(options.root) as host:
        report = survey(host, only)
    sys.stdout.write(_printed(report, options.output))
    return 3 if problems(report) else 0


def _only(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    names = frozenset(text.split(","))
    unknown = sorted(names - set(AREAS))
    if unknown:
        raise UsageError(f"--only: no area {', '.join(unknown)!r}; expected some of {', '.join(AREAS)}")
    return names


def _printed(report: NodeReport, output: str) -> str:
    from hostagent.values.plain import json_text, plain

    return json_text(plain(report))
