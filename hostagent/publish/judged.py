"""Labels and metrics: those of the areas, which are facts, and those that judge, which are read from `assess`.

A judgement stands in the documents, on /metrics and behind `collect[]=` with the area it is about.
"""

from __future__ import annotations

from hostagent.area import Area, LabelDoc, LabelOptions, Metric, Sample, truth
from hostagent.assess.readiness import Readiness
from hostagent.report import AREAS, NodeReport, surveyed
from hostagent.values.pci import in_classes
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any


@record
class Judged:
    """What is judged about one area, as `hostagent.area.Area` declares what it found."""

    labels: Callable[[Readiness, LabelOptions], Iterable[tuple[str, str]]]
    label_docs: tuple[LabelDoc, ...]
    samples: Callable[[Readiness], Iterable[Sample]]
    metrics: tuple[Metric, ...]


_ENABLED = Metric(name="hostagent_iommu_enabled", help="Whether an IOMMU translates for devices.", labels=())
_VIABLE = Metric(
    name="hostagent_iommu_group_viable",
    help="Whether no member of the group has a driver that keeps the kernel from giving it away.",
    labels=("group",),
)
_READY = Metric(name="hostagent_vfio_ready", help="Whether functions can be bound to vfio-pci now.", labels=())


def _iommu_labels(judged: Readiness, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    if judged.iommu_enabled is not None:
        yield "iommu.enabled", truth(judged.iommu_enabled)


def _iommu_samples(judged: Readiness) -> Iterator[Sample]:
    if judged.iommu_enabled is not None:
        yield Sample(metric=_ENABLED, labels=(), value=int(judged.iommu_enabled))


def _vfio_labels(judged: Readiness, chosen: LabelOptions) -> Iterator[tuple[str, str]]:
    if judged.vfio_ready is not None:
        yield "vfio.ready", truth(judged.vfio_ready)
    sums: dict[str, int] = {}
    for count in judged.counts:
        if in_classes(count.class_id, chosen.pci_classes):
            key = f"pci-{count.vendor_id}-{count.device_id}.assignable"
            sums[key] = sums.get(key, 0) + count.assignable
    yield from ((key, str(number)) for key, number in sorted(sums.items()))


def _vfio_samples(judged: Readiness) -> Iterator[Sample]:
    if judged.vfio_ready is not None:
        yield Sample(metric=_READY, labels=(), value=int(judged.vfio_ready))
    for group in judged.viable:
        yield Sample(metric=_VIABLE, labels=(str(group.number),), value=int(group.viable))


JUDGED: dict[str, Judged] = {
    "iommu": Judged(
        labels=_iommu_labels,
        label_docs=(LabelDoc(key="iommu.enabled", values="true, false", meaning="an IOMMU translates for devices"),),
        samples=_iommu_samples,
        metrics=(_ENABLED,),
    ),
    "vfio": Judged(
        labels=_vfio_labels,
        label_docs=(
            LabelDoc(
                key="vfio.ready",
                values="true, false",
                meaning="vfio-pci is in the kernel and devices have IOMMU groups",
            ),
            LabelDoc(
                key="pci-<vendor>-<device>.assignable",
                values="a number",
                meaning="functions with this ID that are free or on a vfio driver, in a viable IOMMU group without direct "
                "regions",
            ),
        ),
        samples=_vfio_samples,
        metrics=(_VIABLE, _READY),
    ),
}


def label_docs(area: Area[Any]) -> tuple[LabelDoc, ...]:
    """Every label key that the node can have for an area."""
    judged = JUDGED.get(area.name)
    return (*(() if judged is None else judged.label_docs), *area.label_docs)


def metrics(area: Area[Any]) -> tuple[Metric, ...]:
    """Every metric that the node can have for an area."""
    judged = JUDGED.get(area.name)
    return (*(() if judged is None else judged.metrics), *area.metrics)


def labels(report: NodeReport, judged: Readiness, options: LabelOptions) -> dict[str, str]:
    """Label name (without prefix) to value, sorted by name."""
    found = {key: value for one in JUDGED.values() for key, value in one.labels(judged, options)}
    for area, probed in surveyed(report):
        if probed.data is not None:
            found.update(area.labels(probed.data, options))
    return dict(sorted(found.items()))


def judged_samples(name: str, judged: Readiness) -> tuple[Sample, ...]:
    """The judgements about the area of that name."""
    return tuple(JUDGED[name].samples(judged)) if name in JUDGED else ()


def area_samples(report: NodeReport, name: str, judged: Readiness) -> tuple[Sample, ...]:
    """All that is said of one area: nothing where it has no data."""
    probed = getattr(report, name)
    if probed is None or probed.data is None:
        return ()
    return (*judged_samples(name, judged), *AREAS[name].samples(probed.data))


def samples(report: NodeReport, judged: Readiness) -> Iterator[Sample]:
    """Every sample of every area that has data."""
    return (sample for name in AREAS for sample in area_samples(report, name, judged))
