"""A snapshot as bytes: rendered once, in the survey's thread, for all who read it."""

from __future__ import annotations

import gzip
import hashlib

from hostagent.assess import judged
from hostagent.assess.node import Node
from hostagent.daemon.http_message import Response
from hostagent.daemon.pages import HTML, JSON
from hostagent.daemon.state import Snapshot
from hostagent.daemon.verdict import FINDING, finding_samples
from hostagent.publish.nfd import feature_file
from hostagent.publish.page import POLICY, page
from hostagent.publish.prometheus import filled
from hostagent.publish.report_file import report_file
from hostagent.publish.textfile import textfile
from hostagent.values.record import record

_LEVEL = 6
_POLICY = ("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")


@record
class Labelled:
    """The feature file, without its expiry line, and the labels that found no room or do not fit the grammar."""

    features: bytes
    left_out: tuple[str, ...]


@record
class Published:
    """What pages serve, and what files hold by name of the sink."""

    report: Response
    page: Response
    files: dict[str, bytes]


def labelled(snapshot: Snapshot) -> Labelled:
    """What is waited for most, and made fastest."""
    features = feature_file(snapshot.labels)
    return Labelled(features=features.body, left_out=(*snapshot.labels.dropped, *features.left_out))


def published(snapshot: Snapshot, node: Node | None, *, sinks: frozenset[str], title: str, since: float) -> Published:
    """Everything else but the metrics; the textfile only where it is wanted.

    `node`: the report with what is judged about it, judged anew where it is None. For people: `title`, its name, and `since`,
    when it was first found like this, in seconds since 1970.
    """
    judgement = None if node is None else judged(node)
    report = report_file(snapshot.report)
    files = {"report": report}
    if "textfile" in sinks:
        files["textfile"] = textfile(snapshot.report, filled((FINDING,), finding_samples(snapshot.findings)))
    return Published(
        report=_response(JSON, report, ("ETag", f'W/"{hashlib.sha256(report).hexdigest()[:32]}"')),
        page=_response(
            HTML, page(snapshot.report, snapshot.findings, judged=judgement, title=title, since=since), _POLICY
        ),
        files=files,
    )


def _response(content_type: str, body: bytes, *headers: tuple[str, str]) -> Response:
    gzipped = gzip.compress(body, _LEVEL, mtime=0)
    return Response(status=200, content_type=content_type, body=body, gzipped=gzipped, vary=(), headers=headers)
