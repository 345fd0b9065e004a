"""`advise`: every finding about one node."""

from __future__ import annotations

from hostagent.advice import refusals
from hostagent.advice.model import SEVERITIES, Finding
from hostagent.advice.registry import CODES, TOPICS
from hostagent.advice.view import View
from hostagent.assess.node import Node
from hostagent.plan.model import Plan
from hostagent.report import NodeReport

_RANK = {name: number for number, name in enumerate(CODES)}


def advise(report: NodeReport, plan: Plan | None = None, *, node: str | None = None) -> tuple[Finding, ...]:
    """Findings, the gravest first. `node`: which of the plan's nodes the report is of; not needed where it has one.

    Without a plan it is said what is in the way of guests in general, and of devices that somebody has configured for them.
    """
    if node is None:
        node = plan.nodes[0] if plan is not None else "node"
    return advised(Node(node, report), plan)


def advised(node: Node, plan: Plan | None) -> tuple[Finding, ...]:
    """`advise` for a node whose judgement others read too."""
    view = View(node, plan)
    found = {one for look in (*(topic.look for topic in TOPICS), refusals.look) for one in look(view)}
    return tuple(sorted(found, key=_order))


def _order(one: Finding) -> tuple[int, int, int, str, str]:
    # Causes before what follows from them, as the topics stand; addresses with wide domains last, as everywhere.
    return SEVERITIES.index(one.severity), _RANK[one.code], len(one.subject), one.subject, one.sentence


def blocked(findings: tuple[Finding, ...]) -> bool:
    """Whether something blocks. That nothing does makes a node ready only where everything was looked at."""
    return any(one.severity == SEVERITIES[0] for one in findings)
