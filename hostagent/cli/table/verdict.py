"""`check -o table`: for each node whether it is ready, then its findings with proof and remedy, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from hostagent.advice import BLOCKER, NOTE, SEVERITIES, WARNING, Finding, blocked
from hostagent.cli.check import NodeVerdict, Verdict
from hostagent.cli.findings import kind_of
from hostagent.cli.table.paper import Paper, printed, standard_output
from hostagent.cli.table.words import BAD, CARE, GOOD, NAME, QUIET, text
from hostagent.values.words import counted

_STYLES = {BLOCKER: BAD, WARNING: CARE, NOTE: QUIET}
_SHOWN = 8


def page(verdict: Verdict, on: Paper | None = None) -> str:
    """The verdict as text for `on`, or for what standard output is."""
    return printed(_blocks(verdict), on or standard_output())


def _blocks(verdict: Verdict) -> Iterator[RenderableType]:
    for number, node in enumerate(verdict.nodes):
        if number:
            yield Text()
        yield _head(node)
        for (_, code), alike in groupby(node.findings, key=lambda one: (one.severity, one.code)):
            yield from _alike(code, tuple(alike))
        yield from _unread(node)
    if verdict.roles:
        yield Text("\nOne configuration does not fit all of them; roles by hardware:")
    for role in verdict.roles:
        can = Text(" ready", style=GOOD) if role.ready else Text(" blocked", style=BAD)
        yield Text.assemble("  ", (role.name, NAME), ": ", text(", ".join(role.nodes)), can)


def _head(node: NodeVerdict) -> Text:
    counts = [(severity, sum(one.severity == severity for one in node.findings)) for severity in SEVERITIES]
    said = ", ".join(counted(number, severity.lower()) for severity, number in counts if number)
    if blocked(node.findings):
        state = Text("not ready", style=BAD)
    else:
        state = Text("ready", style=GOOD) if node.ready else Text("undecided", style=CARE)
    return Text.assemble((node.node, NAME), ": ", state, f" ({said})" if said else "")


def _alike(code: str, findings: tuple[Finding, ...]) -> Iterator[RenderableType]:
    """Findings of one code; of hundreds the first say what there is to say."""
    for finding in findings[:_SHOWN]:
        yield from _finding(finding)
    if len(findings) > _SHOWN:
        yield Text(f"          and {len(findings) - _SHOWN} more of {code}: -o json has them all", style=CARE)


def _finding(finding: Finding) -> Iterator[RenderableType]:
    line = Text.assemble(
        (f"  {finding.severity:<7} ", _STYLES[finding.severity]),
        (finding.code, NAME),
        " ",
        text(finding.subject, QUIET),
    )
    yield line
    yield Padding(text(finding.sentence), (0, 0, 0, 10))
    for one in finding.evidence:
        yield Padding(Text.assemble(("proof  ", QUIET), text(f"{one.path}: {one.said}")), (0, 0, 0, 10))
    helps = f"{kind_of(finding.remedy)}. {finding.remedy.text}"
    yield Padding(Text.assemble(("remedy ", QUIET), text(helps)), (0, 0, 0, 10))


def _unread(node: NodeVerdict) -> Iterator[RenderableType]:
    if not node.problems:
        return
    yield Text(f"  {counted(len(node.problems), 'file')} could not be read; a blocker may be hidden there:", style=CARE)
    for one in node.problems[:_SHOWN]:
        yield Padding(text(f"{one.area} {one.problem.path}: {one.problem.detail}"), (0, 0, 0, 10))
    if len(node.problems) > _SHOWN:
        yield Text(f"          and {len(node.problems) - _SHOWN} more: -o json has them all", style=CARE)
