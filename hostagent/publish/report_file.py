"""/run/hostagent/report.json: the survey for programs on this node, as `hostagent probe -o json` prints it."""

from __future__ import annotations

from hostagent.report import NodeReport
from hostagent.values.plain import json_text

MODE = 0o644


def report_file(report: NodeReport) -> bytes:
    """The bytes of report.json."""
    return json_text(report).encode("utf-8")
