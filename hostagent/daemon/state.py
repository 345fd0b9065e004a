"""One look at the machine, and everything that was concluded from it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from hostagent.about import About, about
from hostagent.advice import Finding
from hostagent.area import LabelOptions
from hostagent.assess.node import Node
from hostagent.assess.readiness import readiness
from hostagent.daemon.configured import Configured
from hostagent.daemon.verdict import findings, verdict_labels
from hostagent.host import Host
from hostagent.host.reader import Left
from hostagent.publish.judged import labels as names_of
from hostagent.publish.labels import NodeLabels, fit
from hostagent.report import AREAS, DEFAULT_LABEL_OPTIONS, SCHEMA_VERSION, NodeReport, survey
from hostagent.settings import Labels
from hostagent.values.record import record


@record
class Snapshot:
    """What is published: equal snapshots need no publishing."""

    report: NodeReport
    findings: tuple[Finding, ...]
    labels: NodeLabels


@record
class Look:
    """A snapshot, how long each area took, and the processor time of it all, in seconds.

    `node`: the report with what is judged about it, for those who publish; None afterwards, for nobody reads it then.
    `about`: what stands beside the report of this survey; None where it is not one of the running machine.
    """

    snapshot: Snapshot
    node: Node | None
    about: About | None
    seconds: Mapping[str, float]
    processor: float


def look(root: str, configured: Configured, left: Left | None = None) -> Look:
    """Survey and conclude. Raises RootError where the root is gone. `left`: what looks leave each other, see `Host`."""
    began = time.thread_time()
    # Whoever reaches its port reads what the agent says, and pages, labels and files are made of one survey.
    host = Host(root, left=left, redacted=True)
    try:
        report, seconds = _timed(host)
        beside = about(host, node=configured.node, at=time.time())
    finally:
        host.close()
    node = Node(configured.node, report)
    found = findings(node, configured.profile)
    names = names_of(report, readiness(report), label_options(configured.settings.labels))
    names |= verdict_labels(report, found, configured.profile)
    labels = fit(names, prefix=configured.settings.labels.prefix)
    snapshot = Snapshot(report=report, findings=found, labels=labels)
    return Look(snapshot=snapshot, node=node, about=beside, seconds=seconds, processor=time.thread_time() - began)


def _timed(host: Host) -> tuple[NodeReport, dict[str, float]]:
    """The survey, area by area: reports have no clocks, so the watch is held here."""
    found, seconds = {}, {}
    for name in AREAS:
        began = time.perf_counter()
        found[name] = getattr(survey(host, frozenset({name})), name)
        seconds[name] = time.perf_counter() - began
    return NodeReport(schema_version=SCHEMA_VERSION, **found), seconds


def label_options(labels: Labels) -> LabelOptions:
    """The settings' choices, the defaults where they say nothing."""
    classes, features = labels.pci_classes, labels.cpu_features
    return LabelOptions(
        pci_classes=DEFAULT_LABEL_OPTIONS.pci_classes if classes is None else classes,
        cpu_features=DEFAULT_LABEL_OPTIONS.cpu_features if features is None else features,
    )
