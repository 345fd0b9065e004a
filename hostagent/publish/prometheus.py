"""The report as Prometheus metric families: text format 0.0.4 and OpenMetrics 1.0, written by prometheus-client.

Every metric an area declares is a family with its HELP and TYPE; a fact the host does not say has no series
(https://prometheus.io/docs/instrumenting/writing_exporters/). What is said of the survey itself:

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
from hostagent.report import AREAS, NodeReport, samples, surveyed

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
    return (*OWN, *(metric for area in AREAS.values() for metric in area.metrics))


def _own(report: NodeReport) -> Iterator[Sample]:
    for area, probed in surveyed(report):
        yield Sample(metric=_SUCCESS, labels=(area.name,), value=float(probed.data is not None))
        yield Sample(metric=_PROBLEMS, labels=(area.name,), value=float(len(probed.problems)))
    yield Sample(metric=_BUILD, labels=(__version__,), value=1)


def families(report: NodeReport) -> list[Family]:
    """A family for every metric of the areas that were asked for, with the samples there are."""
    asked = (*OWN, *(metric for area, _ in surveyed(report) for metric in area.metrics))
    found = {metric.name: GaugeMetricFamily(metric.name, metric.help, labels=metric.labels) for metric in asked}
    for sample in (*_own(report), *samples(report)):
        # prometheus-client would zip too few labels and say nothing.
        assert len(sample.labels) == len(sample.metric.labels), sample
        found[sample.metric.name].add_metric([_utf8(label) for label in sample.labels], sample.value)
    return list(found.values())


def _utf8(label: str) -> str:
    """A label that UTF-8 can hold: bytes of a name that were not UTF-8 become `?`."""
    return label if label.isascii() else label.encode("utf-8", "replace").decode("utf-8")


class _Families(Collector):
    """What prometheus-client renders: anything with `collect`."""

    def __init__(self, found: list[Family]) -> None:
        self._found = found

    def collect(self) -> list[Family]:
        return self._found


def text(report: NodeReport, more: Iterable[Family] = ()) -> bytes:
    """Prometheus text format 0.0.4, `TEXT_TYPE`; `more` families follow the report's."""
    return generate_latest(_Families([*families(report), *more]))


def openmetrics(report: NodeReport, more: Iterable[Family] = ()) -> bytes:
    """OpenMetrics 1.0, `OPENMETRICS_TYPE`; `more` families follow the report's."""
    written: bytes = generate_openmetrics(_Families([*families(report), *more]))  # type: ignore[no-untyped-call]
    return written
