"""`hostagent check`: what blocks a node, or every node of a role."""

from __future__ import annotations

from hostagent.advice import Finding, advised, blocked
from hostagent.assess.node import Node
from hostagent.cli.entry import UsageError
from hostagent.cli.inputs import add_inputs, found_profile, nodes, opened_profile, profile_line
from hostagent.cli.output import show, write
from hostagent.host import Problem
from hostagent.plan import NodesError, Plan, planned
from hostagent.plan.model import RoleProposal
from hostagent.report import complete, problems
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

FORMATS = ("table", "json", "junit")
SCHEMA_VERSION = 1


@record
class AreaProblem:
    """Something that could not be read, and whose area it is."""

    area: str
    problem: Problem


@record
class NodeVerdict:
    """One node: `complete` where every area was asked for and everything could be read; `ready` where it is, and nothing blocks.

    Neither ready nor blocked: undecided.
    """

    node: str
    ready: bool
    complete: bool
    findings: tuple[Finding, ...]
    problems: tuple[AreaProblem, ...]


@record
class Verdict:
    """All nodes; `ready` where each is. `profile`: its path, None for a check in general.

    `roles`: a proposal where one configuration does not fit.
    """

    schema_version: int
    profile: str | None
    ready: bool
    nodes: tuple[NodeVerdict, ...]
    roles: tuple[RoleProposal, ...]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `check` takes."""
    add_inputs(parser)
    parser.add_argument("--generic", action="store_true", help="look for no profile: say what is in the way in general")
    parser.add_argument("-o", "--output", choices=FORMATS, default="table", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Survey or read reports, judge, print, and say by the exit status whether all nodes are ready."""
    if options.generic and options.profile is not None:
        raise UsageError("--generic looks for no profile: expected it without --profile")
    path = None if options.generic else found_profile(options.profile)
    verdict = judged(options, path)
    _print(verdict, options.output)
    if any(blocked(node.findings) for node in verdict.nodes):
        return 1
    return 0 if verdict.ready else 3


def judged(options: argparse.Namespace, path: str | None) -> Verdict:
    """The verdict over every node given. Raises UsageError."""
    profile = None if path is None else opened_profile(path)[0]
    found = tuple(Node(name, report) for name, report in sorted(nodes(options), key=lambda item: item[0]))
    made: Plan | None = None
    if profile is not None and path is not None:
        try:
            made = planned(found, profile)
        except NodesError as error:
            raise UsageError(f"--report: {error}") from error
        for unmatched in made.unmatched[:1]:
            raise UsageError(f"{profile_line(path, unmatched.entry)}: expected {unmatched.expected}")
    verdicts = tuple(_node(node, made) for node in found)
    return Verdict(
        schema_version=SCHEMA_VERSION,
        profile=path,
        ready=all(node.ready for node in verdicts),
        nodes=verdicts,
        roles=() if made is None else made.fleet.roles,
    )


def _node(node: Node, made: Plan | None) -> NodeVerdict:
    report, findings = node.report, advised(node, made)
    unread = tuple(AreaProblem(area=area, problem=problem) for area, problem in problems(report))
    whole = complete(report)
    return NodeVerdict(
        node=node.name, ready=whole and not blocked(findings), complete=whole, findings=findings, problems=unread
    )


def _print(verdict: Verdict, output: str) -> None:
    if output == "json":
        from hostagent.values.plain import json_text

        write(json_text(verdict))
    elif output == "junit":
        from hostagent.cli.junit import junit

        write(junit(verdict))
    else:
        from hostagent.cli.table.verdict import page

        show(page(verdict))
