"""The assessment: what each function and each IOMMU group is to guests, and why. No profile in it, no text of any format."""

from __future__ import annotations

from enum import StrEnum, unique

from hostagent.areas.vfio import Blocker, IdRequest
from hostagent.assess.reasons import Reason
from hostagent.assess.unmet import UnmetIds, UnmetPages
from hostagent.host.groups import IommuGroup
from hostagent.host.pci import PciFunction
from hostagent.values.record import record


@unique
class State(StrEnum):
    """What a function or a group is to guests; in the order of a legend."""

    BOUND = "vfio"
    FREE = "viable"
    BLOCKED = "blocked"
    IN_USE = "in-use"
    IDLE = "idle"
    PROTECTED = "protected"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"
    PLATFORM = "platform"


# State to (word, what it means).
WORDS: dict[State, tuple[str, str]] = {
    State.BOUND: ("vfio-bound", "held by vfio: a guest can have it, or has it"),
    State.FREE: ("viable", "no driver of the host keeps it from a guest"),
    State.BLOCKED: ("blocked", "begun, and a driver of the host or a region of the firmware keeps the group"),
    State.IN_USE: ("in use", "the host's drivers hold it; none of it was meant for guests yet"),
    State.IDLE: ("no driver", "nobody uses it, and without an IOMMU group it cannot be given away"),
    State.PROTECTED: ("protected", "in use by the host, or may be for all that is known: never planned away"),
    State.UNSAFE: ("no IOMMU", "nothing isolates it"),
    State.UNKNOWN: ("unknown", "the report does not say"),
    State.PLATFORM: ("platform", "bridges and the machine's own parts"),
}
# Groups that a person could assign: at once, or as they are.
ASSIGNABLE = frozenset((State.BOUND, State.FREE))


@record
class FunctionAssessment:
    """One function. `reasons`: all for which it stays with the host; `reason`: the first that is not just its class."""

    function: PciFunction
    state: State
    reasons: tuple[Reason, ...]
    reason: Reason | None


@record
class GroupAssessment:
    """One IOMMU group; `functions` are its members that could be read.

    `blockers`: members whose drivers keep it. `obstacle`: why the kernel would not give it to a guest now, as a sentence
    without its full stop; None where nothing is known against it. `assignable`: a guest could have it as things are: no
    obstacle, and nothing of it has to stay with the host. `asked`: whether area vfio, which reads who holds groups, was surveyed.
    """

    group: IommuGroup
    state: State
    functions: tuple[FunctionAssessment, ...]
    blockers: tuple[Blocker, ...]
    obstacle: str | None
    assignable: bool
    asked: bool


@record
class Unseen:
    """What an area did not look at, and what would."""

    area: str
    text: str


@record
class Assessment:
    """One report, judged. `alone`: the functions in no group.

    `iommu_off`: why nothing is translated, a clause; None where something is, or nobody asked. `unremapped`: why VFIO gives
    no device away though the IOMMU is on. `unknown_uses`: what of routes and mounts nobody could read; where it is anything,
    no function is known to be unused. `unmet_pages`, `unmet_ids`: what the running kernel was asked for and did not do.
    `unseen`: what was not looked at.
    """

    functions: tuple[FunctionAssessment, ...]
    groups: tuple[GroupAssessment, ...]
    alone: tuple[FunctionAssessment, ...]
    iommu_off: str | None
    unremapped: str | None
    unknown_uses: tuple[str, ...]
    unmet_pages: tuple[UnmetPages, ...]
    unmet_ids: tuple[UnmetIds, ...]
    unseen: tuple[Unseen, ...]

    @property
    def by_number(self) -> dict[int, GroupAssessment]:
        """Groups by their number."""
        return {one.group.number: one for one in self.groups}

    def unheard(self, request: IdRequest) -> bool:
        """Whether vfio-pci is not told of IDs that a line gives it."""
        return any(one.request == request for one in self.unmet_ids)

    @property
    def free(self) -> int:
        """How many functions a guest could be given as things are: without driver, in a group that nothing keeps."""
        return sum(part.state is State.FREE for one in self.groups if one.assignable for part in one.functions)
