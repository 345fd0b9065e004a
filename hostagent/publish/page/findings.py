"""The verdict, and under it every finding with its evidence and what helps."""

from __future__ import annotations

from hostagent.host.problem import FAILED
from hostagent.plan.node import data
from hostagent.publish.page.html import NOTHING, Html, element, joined, text
from hostagent.publish.page.states import BOUND, PROTECTED, Machine, free
from hostagent.report import NodeReport, problems
from hostagent.values.words import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from hostagent.plan.model import Evidence

    class Remedy(Protocol):
        """What helps, as advice says it."""

        @property
        def kind(self) -> str: ...
        @property
        def target(self) -> str | None: ...
        @property
        def text(self) -> str: ...

    class Finding(Protocol):
        """A judgement, as advice makes it: publishing and advising do not import each other."""

        @property
        def code(self) -> str: ...
        @property
        def severity(self) -> str: ...
        @property
        def subject(self) -> str: ...
        @property
        def sentence(self) -> str: ...
        @property
        def evidence(self) -> tuple[Evidence, ...]: ...
        @property
        def remedy(self) -> Remedy: ...


# Severity to sign, word and class; in the order of gravity.
SEVERITIES = {
    "BLOCKER": ("✕", "Blocker", "blocked"),
    "WARNING": ("▲", "Warning", "protected"),
    "NOTE": ("i", "Note", "vfio"),
}
GOOD = ("○", "", "viable")
# Findings of one code beyond so many are folded: a card with hundreds of functions says the same of each.
SHOWN = 4


def tone(report: NodeReport, findings: Sequence[Finding]) -> str:
    """The class that colours the verdict."""
    gravest = next((key for key in SEVERITIES if any(one.severity == key for one in findings)), None)
    if gravest in (None, "NOTE"):
        return "protected" if _unseen(report) else GOOD[2]
    return SEVERITIES[gravest][2]


def verdict(report: NodeReport, findings: Sequence[Finding], machine: Machine) -> Html:
    """One sentence, and one about the functions."""
    blockers, warnings = (sum(one.severity == key for one in findings) for key in ("BLOCKER", "WARNING"))
    if blockers:
        said = f"{counted(blockers, 'thing')} in the way of guests"
    elif warnings:
        said = f"Nothing in the way, {counted(warnings, 'thing')} to look at"
    elif _unseen(report):
        said = "Nothing found in the way, but not everything could be seen"
    else:
        said = "Nothing in the way of guests"
    state = tone(report, findings)
    mark = next((mark for mark, _, name in (*SEVERITIES.values(), GOOD) if name == state), GOOD[0])
    sentence = element("p", element("i", mark, aria_hidden="true"), " ", said, cls=f"verdict {state}")
    return joined((sentence, element("p", _tally(machine), cls="tally")))


def _unseen(report: NodeReport) -> bool:
    return any(problem.kind == FAILED for _, problem in problems(report)) or data(report.pci) is None


def _tally(machine: Machine) -> Html:
    states = [part.state for part in machine.parts]
    counts = (
        (len(states), "PCI functions"),
        (states.count(BOUND), "bound to vfio"),
        (free(machine), "free to be given to guests"),
        (states.count(PROTECTED), "kept, because the host stands on them"),
    )
    return joined((element("span", element("strong", count), f" {word}") for count, word in counts if count), " · ")


def section(findings: Sequence[Finding]) -> Html:
    """The findings as a list of cards, the gravest first, in the order given otherwise."""
    if not findings:
        return NOTHING
    gravity = list(SEVERITIES)
    ordered = sorted(findings, key=lambda one: gravity.index(one.severity) if one.severity in gravity else len(gravity))
    shown: list[Html] = []
    folded: list[Html] = []
    seen: dict[str, int] = {}
    for one in ordered:
        seen[one.code] = seen.get(one.code, 0) + 1
        (shown if seen[one.code] <= SHOWN else folded).append(_card(one))
    title = element("h2", "Findings ", element("small", len(findings)), id="findings")
    more: object = NOTHING
    if folded:
        summary = element("summary", f"{len(folded)} more of the same kinds")
        more = element("details", summary, element("ol", *folded, cls="cards"), cls="fold")
    return element("section", title, element("ol", *shown, cls="cards"), more, aria_labelledby="findings")


def _card(one: Finding) -> Html:
    mark, word, state = SEVERITIES.get(one.severity, ("?", one.severity, "unknown"))
    head = element(
        "header",
        element("b", element("i", mark, aria_hidden="true"), " ", word, cls=f"sign {state}"),
        element("code", one.subject),
        element("small", one.code),
    )
    helps = element("p", element("strong", "What helps "), _prose(one.remedy.text), cls="remedy")
    target = None
    if one.remedy.target is not None:
        command = f"hostagent render {one.remedy.target} --profile profile.yaml"
        target = element("p", element("code", command), cls="remedy")
    return element(
        "li", head, element("p", _prose(one.sentence)), helps, target, _evidence(one.evidence), cls=f"card {state}"
    )


def _prose(said: str) -> Html:
    """Words between backticks as code."""
    pieces = said.split("`")
    if len(pieces) % 2 == 0:
        return text(said)
    return joined(element("code", piece) if place % 2 else piece for place, piece in enumerate(pieces))


def _evidence(evidence: Sequence[Evidence]) -> Html:
    """Files and what they said, folded."""
    if not evidence:
        return NOTHING
    rows = [element("li", element("code", f"/{one.path}"), " ", element("q", one.said)) for one in evidence]
    return element("details", element("summary", "Evidence"), element("ul", *rows, cls="evidence"))
