"""Every topic and every code; a topic is one module here and one line in TOPICS."""

from __future__ import annotations

from hostagent.advice import devices, drift, firmware, groups, hugepages, iommu, kvm, vfio, watchdog
from hostagent.advice.model import Code, Finding
from hostagent.advice.view import View
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@record
class Topic:
    """Codes that belong together, and what looks for them.

    `passthrough`: whether what is found blocks handing devices to guests; False where guests without devices, or none of
    them, feel it.
    """

    title: str
    codes: tuple[Code, ...]
    look: Callable[[View], Iterator[Finding]]
    passthrough: bool


# In the order a person would clear them away.
TOPICS: tuple[Topic, ...] = (
    Topic(title="IOMMU", codes=iommu.CODES, look=iommu.look, passthrough=True),
    Topic(title="VFIO", codes=vfio.CODES, look=vfio.look, passthrough=True),
    Topic(title="Devices asked for", codes=devices.CODES, look=devices.look, passthrough=True),
    Topic(title="IOMMU groups", codes=groups.CODES, look=groups.look, passthrough=True),
    Topic(title="Now and after the next boot", codes=drift.CODES, look=drift.look, passthrough=True),
    Topic(title="Huge pages", codes=hugepages.CODES, look=hugepages.look, passthrough=False),
    Topic(title="KVM", codes=kvm.CODES, look=kvm.look, passthrough=False),
    Topic(title="Watchdog", codes=watchdog.CODES, look=watchdog.look, passthrough=False),
    Topic(title="Firmware", codes=firmware.CODES, look=firmware.look, passthrough=True),
)
CODES: dict[str, Code] = {code.name: code for topic in TOPICS for code in topic.codes}
PASSTHROUGH = frozenset(code.name for topic in TOPICS if topic.passthrough for code in topic.codes)
