"""Every finding with its evidence and what helps."""

from __future__ import annotations

from hostagent.publish.page.html import NOTHING, Html, element, joined, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from hostagent.assess.reasons import Evidence

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
# Findings of one code beyond so many are folded: a card with hundreds of functions says the same of each.
SHOWN = 4


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
