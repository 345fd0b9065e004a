"""Reasons for which a function is never taken: their codes, and how one is made."""

from __future__ import annotations

from hostagent.plan.model import Evidence, Reason
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Found = Iterator[tuple[PciAddress, Reason]]

BRIDGE, PLATFORM, CONSOLE, BMC, STORAGE, NETWORK = "bridge", "platform", "console", "bmc", "storage", "network"
VFS, NAMESPACE, GUEST, WATCHDOG = "virtual-functions", "network-namespace", "guest", "watchdog"
MEMORY = "memory"
VMD, REFUSED_ID, RESERVED, GROUP, UNKNOWN = "vmd", "denylist", "reserved-region", "group", "unknown"


def because(code: str, text: str, *evidence: Evidence) -> Reason:
    """A reason, with the files that prove it."""
    return Reason(code=code, text=text, evidence=evidence)
