"""What the plan refuses, as findings: each reason has the code of its topic."""

from __future__ import annotations

from typing import assert_never

from hostagent.advice import devices, groups, hugepages, vfio, watchdog
from hostagent.advice.model import BLOCKER, PROFILE, Code, Finding, Remedy, finding, other, said
from hostagent.advice.view import View
from hostagent.assess.node import id_said
from hostagent.assess.reasons import Why
from hostagent.plan.model import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ALONG = other(PROFILE, "Say companions: true in the profile's entry, so that they are taken along.")


def code_of(why: Why) -> Code:  # noqa: C901, PLR0911, PLR0912 - one line for each reason there is
    """The code under which a refusal is found."""
    match why:
        case (
            Why.BRIDGE | Why.PLATFORM | Why.CONSOLE | Why.BMC | Why.STORAGE | Why.NETWORK | Why.VFS | Why.NAMESPACE
            | Why.GUEST | Why.WATCHDOG | Why.MEMORY | Why.VMD | Why.UNKNOWN
        ):  # fmt: skip
            return devices.PROTECTED
        case Why.GROUP:
            return devices.PROTECTED_COMPANION
        case Why.EXPECTED_GROUP:
            return devices.GROUPS_UNKNOWN
        case Why.TOO_FEW:
            return devices.TOO_FEW
        case Why.TAKEN_TWICE | Why.TWO_NAMES:
            return devices.CONFLICT
        case Why.STAYS_HERE:
            return devices.ELSEWHERE
        case Why.TWINS:
            return devices.NOT_TOLD_APART
        case Why.DENYLIST:
            return vfio.DENYLISTED
        case Why.RESERVED:
            return groups.RMRR
        case Why.COMPANIONS:
            return groups.SIBLING
        case Why.PAGE_SIZE:
            return hugepages.UNSUPPORTED
        case Why.NUMA_NODE:
            return hugepages.NO_NODE
        case Why.TOO_MANY_PAGES:
            return hugepages.BEYOND
        case Why.NO_WATCHDOG:
            return watchdog.ABSENT
        case Why.OTHER_WATCHDOG:
            return watchdog.DIFFERS
        case Why.TIMEOUT:
            return watchdog.TIMEOUT
        case _:
            assert_never(why)


def look(view: View) -> Iterator[Finding]:
    """Each refusal on this node."""
    for refusal in view.refused:
        yield _refused(view, refusal)


def _refused(view: View, refusal: Refusal) -> Finding:
    subject = refusal.address or refusal.entry
    where = refusal.entry if refusal.address is None else f"{refusal.address} ({refusal.entry})"
    function = None if refusal.address is None else view.node.at.get(refusal.address)
    # What stands in the profile has no file of the machine to prove it; the machine's part is which function it is.
    own = said("sys/bus/pci/devices", refusal.reason.text) if function is None else id_said(function)
    remedy: Remedy | None = _ALONG if refusal.reason.code is Why.COMPANIONS else None
    evidence = refusal.reason.evidence or (own,)
    code = code_of(refusal.reason.code)
    return finding(code, BLOCKER, subject, f"{where}: {refusal.reason.text}.", evidence, remedy=remedy)
