"""Every topic and every code; a topic is one module here and one line in TOPICS."""

from __future__ import annotations

from hostagent.advice import devices, drift, firmware, groups, hugepages, iommu, kvm, vfio, watchdog
from hostagent.advice.model import Code, Finding
from hostagent.advice.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Title, codes, what looks for them; in the order a person would clear them away.
TOPICS: tuple[tuple[str, tuple[Code, ...], Callable[[View], Iterator[Finding]]], ...] = (
    ("IOMMU", iommu.CODES, iommu.look),
    ("VFIO", vfio.CODES, vfio.look),
    ("Devices asked for", devices.CODES, devices.look),
    ("IOMMU groups", groups.CODES, groups.look),
    ("Now and after the next boot", drift.CODES, drift.look),
    ("Huge pages", hugepages.CODES, hugepages.look),
    ("KVM", kvm.CODES, kvm.look),
    ("Watchdog", watchdog.CODES, watchdog.look),
    ("Firmware", firmware.CODES, firmware.look),
)
CODES: dict[str, Code] = {code.name: code for _, codes, _ in TOPICS for code in codes}
