"""What a scheduler or an alert asks of a node, each judged in one word: labels and metrics say it and decide nothing."""

from __future__ import annotations

from hostagent.areas.vfio import IdCount
from hostagent.assess.node import data
from hostagent.host.modules import BUILT_IN, LOADED
from hostagent.report import NodeReport
from hostagent.values.record import record


@record
class GroupViability:
    """Whether no member of an IOMMU group has a driver that keeps the kernel from giving the group to a guest."""

    number: int
    viable: bool


@record
class Readiness:
    """One node. None, and empty, where the area was not surveyed or its probe failed.

    `iommu_enabled`: an IOMMU translates for devices. `vfio_ready`: vfio-pci is in the kernel and devices have IOMMU groups.
    `viable`: of each group that the kernel made. `counts`: functions by ID and class, and how many of them a guest could have.
    """

    iommu_enabled: bool | None
    vfio_ready: bool | None
    viable: tuple[GroupViability, ...]
    counts: tuple[IdCount, ...]


def readiness(report: NodeReport) -> Readiness:
    """Of a report, whole or of some areas."""
    iommu, vfio = data(report.iommu), data(report.vfio)
    groups = () if vfio is None else vfio.groups
    return Readiness(
        iommu_enabled=None if iommu is None else iommu.enabled,
        vfio_ready=None if vfio is None else vfio.vfio_pci in (BUILT_IN, LOADED) and bool(groups),
        viable=tuple(GroupViability(number=one.number, viable=not one.blockers) for one in groups),
        counts=() if vfio is None else vfio.counts,
    )
