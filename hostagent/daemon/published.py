"""A snapshot as bytes: rendered once, in the survey's thread, for all who read it."""

from __future__ import annotations

import gzip

from hostagent.daemon.exposition import Exposition
from hostagent.daemon.http_message import Response, prepared
from hostagent.daemon.pages import HTML, JSON, index
from hostagent.daemon.sinks import Sink
from hostagent.daemon.state import Snapshot
from hostagent.daemon.verdict import FINDING, finding_samples
from hostagent.publish.nfd import feature_file
from hostagent.publish.prometheus import filled
from hostagent.publish.report_file import report_file
from hostagent.publish.textfile import textfile
from hostagent.values.record import record

_LEVEL = 6


@record
class Published:
    """What pages serve, what files hold (by name of the sink), and the labels that fit neither."""

    exposition: Exposition
    report: Response
    index: Response
    files: dict[str, bytes]
    left_out: tuple[str, ...]


def published(snapshot: Snapshot, before: Exposition | None, sinks: frozenset[str]) -> Published:
    """Everything that is made of a snapshot; files only for the sinks there are."""
    features = feature_file(snapshot.labels)
    report = report_file(snapshot.report)
    files = {"nfd": features.body, "report": report}
    if "textfile" in sinks:
        files["textfile"] = textfile(snapshot.report, filled((FINDING,), finding_samples(snapshot.findings)))
    return Published(
        exposition=Exposition(snapshot, before),
        report=_response(JSON, report),
        index=_response(HTML, index(snapshot.labels.labels)),
        files=files,
        left_out=(*snapshot.labels.dropped, *features.left_out),
    )


def _response(content_type: str, body: bytes) -> Response:
    return prepared(content_type, body, gzipped=gzip.compress(body, _LEVEL, mtime=0))


def offer(files: dict[str, bytes], sinks: tuple[Sink, ...]) -> None:
    """Say to each sink what it is to hold."""
    for sink in sinks:
        sink.offer(files[sink.name])
