"""The whole page: the machine, its devices, what the host itself stands on, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from hostagent.assess import assess
from hostagent.cli.table import devices, machine, pools, problems, uses, watchdogs
from hostagent.cli.table.paper import Paper, printed, standard_output
from hostagent.report import NodeReport


def page(report: NodeReport, on: Paper | None = None) -> str:
    """The report as text for `on`, or for what standard output is."""
    on = on or standard_output()
    return printed(_blocks(report, on), on).removeprefix("\n")


def _blocks(report: NodeReport, on: Paper) -> Iterator[RenderableType]:
    judged = assess(report)
    yield from machine.section(report, judged)
    yield from devices.section(report, judged, on.width)
    yield from pools.section(report, judged)
    yield from watchdogs.section(report)
    yield from uses.section(report, judged)
    yield from problems.section(report)
