"""The verdict: what this host does for guests, in one sentence that no card below it contradicts.

Facts come first: a host without KVM runs no guests, whatever findings about it are called. Findings come second, and that
nothing is in the way is said only where everything that could be was seen.
"""

from __future__ import annotations

from hostagent.assess import Assessment, State
from hostagent.assess.node import data
from hostagent.host.modules import ABSENT
from hostagent.host.problem import FAILED
from hostagent.publish.page.findings import SEVERITIES
from hostagent.publish.page.html import Html, element, joined
from hostagent.report import NodeReport, problems
from hostagent.values.words import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostagent.publish.page.findings import Finding

GOOD = "viable"
# Whether guests run, whether devices can be given to them, to the sentence; nothing is said against what nobody knows.
_FACTS = {
    (False, False): "Runs no guests and gives no device away",
    (False, True): "Runs no guests",
    (False, None): "Runs no guests",
    (True, False): "Runs guests, and gives them no device",
    (None, False): "Gives no device to guests",
}


def tone(report: NodeReport, findings: Sequence[Finding], machine: Assessment) -> str:
    """The class that colours the verdict: the gravest finding's, and never the good one beside a fact that is bad."""
    gravest = next((key for key in SEVERITIES if any(one.severity == key for one in findings)), None)
    if gravest in (None, "NOTE"):
        return SEVERITIES["WARNING"][2] if _lacks(report, machine) or _unseen(report, machine) else GOOD
    return SEVERITIES[gravest][2]


def section(report: NodeReport, findings: Sequence[Finding], machine: Assessment) -> Html:
    """One sentence, one about the findings, and one about the functions."""
    state = tone(report, findings, machine)
    mark = next((mark for mark, _, name in SEVERITIES.values() if name == state), "○")
    lacks = _lacks(report, machine)
    said = lacks or _judged(report, findings, machine)
    parts = (
        element("p", element("i", mark, aria_hidden="true"), " ", said, cls=f"verdict {state}"),
        _counts(findings),
        _tally(machine, sure=lacks is None and not machine.unknown_uses),
    )
    return joined(parts)


def _lacks(report: NodeReport, machine: Assessment) -> str | None:
    """What the host does not do for guests; None where nothing is known to be missing."""
    kvm = data(report.kvm)
    return _FACTS.get((None if kvm is None else kvm.available, _gives(report, machine)))


def _gives(report: NodeReport, machine: Assessment) -> bool | None:
    """Whether devices can be given away, as far as IOMMU and VFIO go; vfio-pci that is not loaded yet is no obstacle."""
    iommu, vfio = data(report.iommu), data(report.vfio)
    if iommu is None:
        return None
    absent = vfio is not None and vfio.vfio_pci == ABSENT
    return iommu.enabled and not absent and machine.unremapped is None


def _judged(report: NodeReport, findings: Sequence[Finding], machine: Assessment) -> str:
    blockers, warnings = (sum(one.severity == key for one in findings) for key in ("BLOCKER", "WARNING"))
    if blockers:
        return f"{counted(blockers, 'thing')} in the way of guests"
    if _unseen(report, machine):
        return "Nothing found in the way, but not everything could be seen"
    if warnings:
        return f"Nothing in the way, {counted(warnings, 'thing')} to look at"
    return "Nothing in the way of guests"


def _unseen(report: NodeReport, machine: Assessment) -> bool:
    """Whether something that may be in the way was not seen: what the host uses is as much of that as its functions."""
    failed = any(problem.kind == FAILED for _, problem in problems(report))
    return failed or data(report.pci) is None or bool(machine.unknown_uses)


def _counts(findings: Sequence[Finding]) -> Html | None:
    counts = [
        (sum(one.severity == key for one in findings), mark, word, state)
        for key, (mark, word, state) in SEVERITIES.items()
    ]
    signs = [
        element("b", element("i", mark, aria_hidden="true"), f" {counted(count, word.lower())}", cls=f"sign {state}")
        for count, mark, word, state in counts
        if count
    ]
    return element("p", joined(signs, " "), cls="counts") if signs else None


def _tally(machine: Assessment, *, sure: bool) -> Html | None:
    """Functions by what they are to guests; nothing is called free where not `sure`: without KVM, or what the host uses."""
    states = [part.state for part in machine.functions]
    counts = (
        (len(states), counted(len(states), "PCI function").partition(" ")[2]),
        (states.count(State.BOUND), "bound to vfio"),
        (machine.free if sure else 0, "free to be given to guests"),
        (states.count(State.PROTECTED), "kept, because the host stands on them"),
    )
    said = [element("span", element("strong", count), f" {word}") for count, word in counts if count]
    return element("p", joined(said, " · "), cls="tally") if said else None
