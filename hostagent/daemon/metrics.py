"""What the agent says of itself: surveys, wake-ups, files, configuration, requests, its process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.process_collector import ProcessCollector

from hostagent.area import Metric, Sample
from hostagent.daemon.sinks import Sink
from hostagent.daemon.state import Look
from hostagent.publish.prometheus import filled, survey_families
from hostagent.report import AREAS, NodeReport
from hostagent.values.record import replaced

AREA_SECONDS = Metric(
    name="hostagent_area_duration_seconds", help="How long the last look at this area took.", labels=("area",)
)
LAST_SURVEY = Metric(
    name="hostagent_last_survey_timestamp_seconds", help="When the last survey ended, in seconds since 1970.", labels=()
)
LAST_CHANGE = Metric(
    name="hostagent_last_change_timestamp_seconds",
    help="When a survey last found something else than the one before, in seconds since 1970.",
    labels=(),
)
SOURCE_UP = Metric(
    name="hostagent_wake_source_up",
    help="Whether the kernel's messages are heard (1); 0: the timer alone says when to look.",
    labels=("source",),
)
SINK_SUCCESS = Metric(
    name="hostagent_sink_success",
    help="Whether this file could be written the last time (1) or not (0).",
    labels=("sink",),
)
SINK_WRITTEN = Metric(
    name="hostagent_sink_last_success_timestamp_seconds",
    help="When this file was last written, in seconds since 1970.",
    labels=("sink",),
)
LABELS = Metric(name="hostagent_labels", help="Labels published for this node.", labels=())
LEFT_OUT = Metric(
    name="hostagent_labels_left_out",
    help="Labels that fit neither the Kubernetes grammar nor the feature file.",
    labels=(),
)
RELOAD_OK = Metric(
    name="hostagent_config_last_reload_successful",
    help="Whether the configuration holds as it was last read (1); 0: the files cannot be used, and the older one holds.",
    labels=(),
)
RELOAD_TIME = Metric(
    name="hostagent_config_last_reload_success_timestamp_seconds",
    help="When the configuration that holds was read, in seconds since 1970.",
    labels=(),
)
WEB_RELOAD_OK = Metric(
    name="hostagent_web_config_last_reload_successful",
    help="Whether the web configuration and its certificates hold as last read (1); 0: they cannot be used, the older ones hold.",
    labels=(),
)
BOOT_TIME = Metric(name="hostagent_boot_time_seconds", help="When this host booted, in seconds since 1970.", labels=())
CONNECTIONS = Metric(name="hostagent_http_connections", help="Connections open now.", labels=())

GAUGES = (
    AREA_SECONDS, LAST_SURVEY, LAST_CHANGE, SOURCE_UP, SINK_SUCCESS, SINK_WRITTEN, LABELS, LEFT_OUT, RELOAD_OK, RELOAD_TIME,
    WEB_RELOAD_OK, BOOT_TIME, CONNECTIONS,
)  # fmt: skip

SURVEYS = Metric(name="hostagent_surveys_total", help="Surveys that ran to their end.", labels=())
FAILED = Metric(name="hostagent_survey_failures_total", help="Surveys that could not be taken at all.", labels=())
WAKES = Metric(name="hostagent_wakes_total", help="What asked for a survey, by source.", labels=("source",))
REQUESTS = Metric(name="hostagent_http_requests_total", help="HTTP answers by status code.", labels=("code",))
DROPPED = Metric(
    name="hostagent_http_connections_dropped_total",
    help="Connections closed without an answer, by reason.",
    labels=("reason",),
)
COUNTERS = (SURVEYS, FAILED, WAKES, REQUESTS, DROPPED)

_process = ProcessCollector(registry=None)


class Vitals:
    """What the loop counts. Times are seconds since 1970, None for never."""

    def __init__(self) -> None:
        self.surveys = self.failures = 0
        self.survey_at: float | None = None
        self.change_at: float | None = None
        self.wakes: Counter[str] = Counter()
        self.sources_up: dict[str, bool] = {}
        self.reload_ok = True
        self.reload_at: float | None = None
        self.left_out = 0
        # Once: what is worked out anew moves with every correction of the clock.
        self.boot_at = round(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))


def own_families(
    *,
    look: Look | None,
    chosen: frozenset[str],
    vitals: Vitals,
    sinks: Iterable[Sink],
    requests: Mapping[int, int],
    dropped: Mapping[str, int],
    connections: int,
    web_config_holds: bool | None,
) -> list[Family]:
    """Everything but what the host is like. `chosen`: the areas whose probes are spoken of."""
    files = tuple(sinks)
    found = [
        *_said(LAST_SURVEY, vitals.survey_at),
        *_said(LAST_CHANGE, vitals.change_at),
        *(_sample(SOURCE_UP, up, name) for name, up in vitals.sources_up.items()),
        *(_sample(SINK_SUCCESS, sink.success, sink.name) for sink in files if sink.success is not None),
        *(_sample(SINK_WRITTEN, sink.written_at, sink.name) for sink in files if sink.written_at is not None),
        _sample(RELOAD_OK, vitals.reload_ok),
        *_said(RELOAD_TIME, vitals.reload_at),
        *_said(WEB_RELOAD_OK, web_config_holds),
        _sample(BOOT_TIME, vitals.boot_at),
        _sample(CONNECTIONS, connections),
    ]
    if look is not None:
        found += [_sample(AREA_SECONDS, took, name) for name, took in look.seconds.items() if name in chosen]
        found += [_sample(LABELS, len(look.snapshot.labels.labels)), _sample(LEFT_OUT, vitals.left_out)]
    counters = [
        _counter(SURVEYS, {(): vitals.surveys}),
        _counter(FAILED, {(): vitals.failures}),
        _counter(WAKES, {(source,): count for source, count in sorted(vitals.wakes.items())}),
        _counter(REQUESTS, {(str(code),): count for code, count in sorted(requests.items())}),
        _counter(DROPPED, {(reason,): count for reason, count in sorted(dropped.items())}),
    ]
    survey = [] if look is None else survey_families(_only(look.snapshot.report, chosen))
    return [*survey, *filled(GAUGES, found), *counters, *_process.collect()]


def _only(report: NodeReport, chosen: frozenset[str]) -> NodeReport:
    return replaced(report, **{name: None for name in AREAS if name not in chosen})


def _sample(metric: Metric, value: float, *labels: str) -> Sample:
    return Sample(metric=metric, labels=labels, value=float(value))


def _said(metric: Metric, value: float | None) -> tuple[Sample, ...]:
    return () if value is None else (_sample(metric, value),)


def _counter(metric: Metric, values: Mapping[tuple[str, ...], int]) -> Family:
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
