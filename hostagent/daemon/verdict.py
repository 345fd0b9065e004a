"""What the agent thinks of the node: findings against the profile, as one metric and two labels.

Without a profile it is said what is in the way of guests in general; labels that answer to a profile exist only with one.
"""

from __future__ import annotations

from hostagent.advice import BLOCKER, PASSTHROUGH, Finding, advised
from hostagent.area import LabelDoc, Metric, Sample, truth
from hostagent.assess.node import Node
from hostagent.plan.making import planned
from hostagent.profile import Profile
from hostagent.report import NodeReport, complete

FINDING = Metric(
    name="hostagent_finding",
    help="What is in the way of guests, or of the profile. Always 1; `hostagent explain CODE` says what it means.",
    labels=("code", "severity", "subject"),
)
LABEL_DOCS = (
    LabelDoc(
        key="passthrough.ready",
        values="true, false",
        meaning="With a profile that asks for devices: nothing blocks handing them to guests. Absent where nothing was found to "
        "block and not everything could be read.",
    ),
    LabelDoc(
        key="profile.compliant",
        values="true, false",
        meaning="With a profile: nothing blocks anything it asks for. Absent where nothing was found to block and not "
        "everything could be read.",
    ),
)


def findings(node: Node, profile: Profile | None) -> tuple[Finding, ...]:
    """Every finding about this node, the gravest first."""
    return advised(node, None if profile is None else planned((node,), profile))


def verdict_labels(report: NodeReport, found: tuple[Finding, ...], profile: Profile | None) -> dict[str, str]:
    """Label name (without prefix) to value; none without a profile.

    Where nothing blocks and not everything could be read, neither true nor false is known, and there is no label.
    """
    if profile is None:
        return {}
    blockers = [one for one in found if one.severity == BLOCKER]
    judged = {"profile.compliant": bool(blockers)}
    if profile.devices:
        judged["passthrough.ready"] = any(one.code in PASSTHROUGH for one in blockers)
    whole = complete(report)
    return {name: truth(not blocked) for name, blocked in judged.items() if blocked or whole}


def finding_samples(found: tuple[Finding, ...]) -> tuple[Sample, ...]:
    """One sample for each code and subject."""
    # Two findings may share all three, and differ in their sentence.
    keys = dict.fromkeys((one.code, one.severity.lower(), one.subject) for one in found)
    return tuple(Sample(metric=FINDING, labels=key, value=1) for key in keys)
