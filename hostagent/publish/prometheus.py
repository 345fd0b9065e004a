"""The report as Prometheus metric families: text format 0.0.4 and OpenMetrics 1.0, written by prometheus-client.

Every metric of an area, declared by it or judged about it, is a family with its HELP and TYPE; a fact the host does not say
has no series (https://prometheus.io/docs/instrumenting/writing_exporters/). What is said of the survey itself:

    hostagent_area_success{area="pci"} 1      its probe ran to the end
    hostagent_area_problems{area="pci"} 0     files that could not be read or understood
    hostagent_build_info{version="0.1.0"} 1
"""

from __future__ import annotations

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from hostagent import __version__
from hostagent.area import Metric, Sample
from hostagent.assess.readiness import Readiness, readiness
from hostagent.publish.judged import area_samples, metrics
from hostagent.report import AREAS, NodeReport, surveyed
from hostagent.values.plain import spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.metrics_core import Metric as Family

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_SUCCESS = Metric(
    name="hostagent_area_success",
    help="Whether the probe of this area ran to its end (1) or failed (0).",
    labels=("area",),
)
_PROBLEMS = Metric(
    name="hostagent_area_problems",
    help="Files of this area that could not be read or did not parse.",
    labels=("area",),
)
_BUILD = Metric(
    name="hostagent_build_info", help="Version of hostagent that took the survey. Always 1.", labels=("version",)
)
OWN = (_SUCCESS, _PROBLEMS, _BUILD)


def declared() -> tuple[Metric, ...]:
    """Every metric that `families` can hold."""
    return (*OWN, *(metric for area in AREAS.values() for metric in metrics(area)))


def _own(report: NodeReport) -> Iterator[Sample]:
    for area, probed in surveyed(report):
        yield Sample(metric=_SUCCESS, labels=(area.name,), value=float(probed.data is not None))
        yield Sample(metric=_PROBLEMS, labels=(area.name,), value=float(len(probed.problems)))
    yield Sample(metric=_BUILD, labels=(__version__,), value=1)


def filled(metrics: Iterable[Metric], found: Iterable[Sample]) -> list[Family]:
    """A family for each of `metrics`, with the samples there are."""
    families = {metric.name: GaugeMetricFamily(metric.name, metric.help, labels=metric.labels) for metric in metrics}
    for sample in found:
        # prometheus-client would zip too few labels and say nothing.
        assert len(sample.labels) == len(sample.metric.labels), sample
        families[sample.metric.name].add_metric([spelled(label) for label in sample.labels], sample.value)
    return list(families.values())


def survey_families(report: NodeReport) -> list[Family]:
    """What is said of the survey itself."""
    return filled(OWN, _own(report))


def area_families(report: NodeReport, name: str, judged: Readiness) -> list[Family]:
    """A family for every metric of one area, with what is judged about it; none where it was not asked for."""
    if getattr(report, name) is None:
        return []
    return filled(metrics(AREAS[name]), area_samples(report, name, judged))


def families(report: NodeReport) -> list[Family]:
    """A family for every metric of the areas that were asked for."""
    judged = readiness(report)
    areas = (family for name in AREAS for family in area_families(report, name, judged))
    return [*survey_families(report), *areas]


class _Families(Collector):
    """What prometheus-client renders: anything with `collect`."""

    def __init__(self, found: list[Family]) -> None:
        self._found = found

    def collect(self) -> list[Family]:
        return self._found


def as_text(found: list[Family]) -> bytes:
    """Families in text format 0.0.4, `TEXT_TYPE`."""
    return generate_latest(_Families(found))


def as_openmetrics(found: list[Family]) -> bytes:
    """Families in OpenMetrics 1.0, `OPENMETRICS_TYPE`, with its last line."""
    written: bytes = generate_openmetrics(_Families(found))  # type: ignore[no-untyped-call]
    return written


def text(report: NodeReport, more: Iterable[Family] = ()) -> bytes:
    """A report in text format 0.0.4; `more` families follow its own."""
    return as_text([*families(report), *more])


def openmetrics(report: NodeReport, more: Iterable[Family] = ()) -> bytes:
    """A report in OpenMetrics 1.0; `more` families follow its own."""
    return as_openmetrics([*families(report), *more])
