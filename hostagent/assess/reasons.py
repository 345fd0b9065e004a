"""Why a function stays with the host, or something asked for is not done: codes, sentences, and the files that prove them.

The codes are an enumeration, so that a reader of reasons that forgets one does not type-check.
"""

from __future__ import annotations

from enum import StrEnum, unique

from hostagent.values.pci import PciAddress
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@unique
class Why(StrEnum):
    """Stable words for machines. Down to UNKNOWN they are about functions; the others about what a profile asks for."""

    BRIDGE = "bridge"
    PLATFORM = "platform"
    CONSOLE = "console"
    BMC = "bmc"
    STORAGE = "storage"
    NETWORK = "network"
    VFS = "virtual-functions"
    NAMESPACE = "network-namespace"
    GUEST = "guest"
    WATCHDOG = "watchdog"
    MEMORY = "memory"
    VMD = "vmd"
    DENYLIST = "denylist"
    RESERVED = "reserved-region"
    GROUP = "group"
    UNKNOWN = "unknown"

    EXPECTED_GROUP = "expected-group"
    COMPANIONS = "companions"
    TOO_FEW = "too-few"
    TAKEN_TWICE = "taken-twice"
    TWO_NAMES = "two-names"
    STAYS_HERE = "stays-here"
    TWINS = "twins"
    PAGE_SIZE = "page-size"
    NUMA_NODE = "numa-node"
    TOO_MANY_PAGES = "too-many-pages"
    NO_WATCHDOG = "no-watchdog"
    OTHER_WATCHDOG = "other-watchdog"
    TIMEOUT = "timeout"


# Why the kernel assigns no member of a group, as a clause.
MAPPED = "firmware keeps memory mapped for it (a reserved region of type direct)"


@record
class Evidence:
    """A file (relative to the root), and what it said."""

    path: str
    said: str


@record
class Reason:
    """Why a function is not taken, or something is not done."""

    code: Why
    text: str
    evidence: tuple[Evidence, ...]


if TYPE_CHECKING:
    Found = Iterator[tuple[PciAddress, Reason]]


def because(code: Why, text: str, *evidence: Evidence) -> Reason:
    """A reason, with the files that prove it."""
    return Reason(code=code, text=text, evidence=evidence)
