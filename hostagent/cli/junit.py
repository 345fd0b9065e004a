"""The verdict as JUnit XML, as CI systems read it: a suite for each node, a case for each code, a failure for each blocker."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from hostagent.advice import BLOCKER, TOPICS, Finding
from hostagent.cli.findings import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.cli.check import NodeVerdict, Verdict


def junit(verdict: Verdict) -> str:
    """The document."""
    suites = "".join(_suite(node) for node in verdict.nodes)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="hostagent check">\n{suites}</testsuites>\n'


def _suite(node: NodeVerdict) -> str:
    cases = list(_cases(node))
    failures = sum(finding.severity == BLOCKER for finding in node.findings)
    head = f'name={_attribute(node.node)} tests="{len(cases)}" failures="{failures}" errors="0" skipped="{len(node.problems)}"'
    return f"  <testsuite {head}>\n{''.join(cases)}  </testsuite>\n"


def _cases(node: NodeVerdict) -> Iterator[str]:
    for topic in TOPICS:
        for code in topic.codes:
            mine = [finding for finding in node.findings if finding.code == code.name]
            for finding in mine:
                yield _case(topic.title, f"{code.name}: {finding.subject}", _outcome(finding))
            if not mine:
                yield _case(topic.title, code.name, "")
    for one in node.problems:
        said = f"{one.problem.kind}: {one.problem.detail}"
        yield _case("Survey", f"{one.area}: {one.problem.path}", f"<skipped message={_attribute(said)}/>")


def _case(topic: str, name: str, inner: str) -> str:
    head = f"    <testcase classname={_attribute(f'hostagent.{topic}')} name={_attribute(name)}"
    return f"{head}>{inner}</testcase>\n" if inner else f"{head}/>\n"


def _outcome(finding: Finding) -> str:
    lines = [finding.sentence, *(f"{one.path}: {one.said}" for one in finding.evidence)]
    lines.append(f"Remedy ({kind_of(finding.remedy)}): {finding.remedy.text}")
    body = escape(_plain("\n".join(lines)))
    if finding.severity == BLOCKER:
        return f"<failure type={_attribute(finding.code)} message={_attribute(finding.sentence)}>{body}</failure>"
    return f"<system-out>{finding.severity}: {body}</system-out>"


def _attribute(text: str) -> str:
    return quoteattr(_plain(text))


def _plain(text: str) -> str:
    """XML 1.0 has no room for control characters and lone surrogates."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in text)
