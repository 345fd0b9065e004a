"""What could not be read, at the end of the page: everything above is true without it, but not all there is."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from hostagent.cli.table.words import BAD, CARE, NAME, heading, text
from hostagent.host.problem import FAILED
from hostagent.report import NodeReport, problems
from hostagent.values.words import counted

# More than this many of one area and kind are one trouble (a whole directory that may not be read).
SHOWN = 8


def section(report: NodeReport) -> Iterator[RenderableType]:
    """One line for each problem, by area."""
    found = problems(report)
    if not found:
        return
    yield heading("Problems", Text(counted(len(found), "problem"), style=CARE))
    for area in dict.fromkeys(area for area, _ in found):
        here = [problem for name, problem in found if name == area]
        for problem in here[:SHOWN]:
            style = BAD if problem.kind == FAILED else CARE
            line = Text.assemble((f"  {area}", NAME), " ", text(problem.kind, style), " ")
            yield line.append_text(text(problem.path)).append(": ").append_text(text(problem.detail))
        if len(here) > SHOWN:
            yield Text(f"  {area} and {len(here) - SHOWN} more: -o json has them all", style=CARE)
