"""Pages before and after the first survey, and the age of what they say of the agent itself."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from hostagent.about import About, document
from hostagent.daemon.exposition import NAMES, Exposition
from hostagent.daemon.http_message import BadQueryError, Request, Response
from hostagent.daemon.http_negotiate import OPENMETRICS, TEXT
from hostagent.daemon.pages import OWN_SECONDS, Pages
from hostagent.daemon.published import Labelled, labelled, published
from hostagent.daemon.state import Snapshot
from hostagent.host import Host
from hostagent.publish.labels import NodeLabels
from hostagent.report import survey
from hostagent.values.plain import json_text
from hostagent.values.record import replaced
from tests.plant import pci_function, plant


class Site:
    def __init__(self) -> None:
        self.now, self.late, self.rendered = 100.0, False, 0
        self.pages = Pages(own=self.own, overdue=lambda: self.late, clock=lambda: self.now)

    def own(self, _chosen: frozenset[str]) -> list[Family]:
        self.rendered += 1
        return [GaugeMetricFamily("own", "Own.", value=self.rendered)]

    def get(
        self, path: str, query: Iterable[tuple[str, str]] = (), accept: str = "", given: Mapping[str, str] | None = None
    ) -> Response:
        headers = {"accept": accept} | dict(given or {})
        request = Request(method="GET", path=path, query=tuple(query), headers=headers, peer="::1")
        return self.pages.routes()[path](request)


def snapshot(tmp_path: Path) -> Snapshot:
    report = survey(Host(str(plant(tmp_path, pci_function("0000:00:01.0")))))
    return Snapshot(report=report, findings=(), labels=NodeLabels(labels=(("hostagent.io/a", "1"),), dropped=("b c",)))


def test_before_the_first_survey() -> None:
    site = Site()
    assert {path: site.get(path).status for path in site.pages.routes()} == {
        "/": 503,
        "/metrics": 200,
        "/report.json": 503,
        "/-/healthy": 200,
        "/healthz": 200,
        "/-/ready": 503,
        "/readyz": 503,
    }
    assert site.get("/metrics").body == b"# HELP own Own.\n# TYPE own gauge\nown 1.0\n"
    assert site.get("/metrics", accept="application/openmetrics-text").body.endswith(b"own 2.0\n# EOF\n")


def test_a_survey_that_does_not_end_is_not_healthy() -> None:
    site = Site()
    site.late = True
    assert (site.get("/-/healthy").status, site.get("/healthz").status) == (503, 503)


def test_the_report_is_dated_when_asked_and_its_tag_is_of_the_report_alone(tmp_path: Path) -> None:
    site = Site()
    found = snapshot(tmp_path)
    site.pages.report = made = published(found, None, sinks=frozenset(), title="a", since=0.0).report
    assert site.get("/report.json") is made
    first = About(node="a", surveyed_at="2026-11-27T06:45:26Z", boot="0123456789abcdef")
    for beside in (first, replaced(first, surveyed_at="2026-11-27T06:46:26Z")):
        site.pages.about = beside
        answer = site.get("/report.json")
        assert answer.body == json_text(document(found.report, beside)).encode()
        assert gzip.decompress(answer.gzipped or b"") == answer.body
        assert answer.headers == made.headers
        assert site.get("/report.json") is answer
        tag = dict(answer.headers)["ETag"]
        for asked in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
            known = site.get("/report.json", given={"if-none-match": asked})
            assert (known.status, known.body, known.headers) == (304, b"", made.headers)
        assert site.get("/report.json", given={"if-none-match": '"x"'}) is answer
    other = survey(Host(str(plant(tmp_path / "other", pci_function("0000:00:02.0")))))
    assert (
        published(replaced(found, report=other), None, sinks=frozenset(), title="a", since=0.0).report.headers
        != made.headers
    )


def test_a_page_that_may_be_old_says_so(tmp_path: Path) -> None:
    site = Site()
    site.late = site.pages.failed = True
    assert site.get("/").status == 503
    site.pages.page = published(snapshot(tmp_path), None, sinks=frozenset(), title="a", since=0.0).page
    old = site.get("/")
    assert (old.status, old.gzipped, old.headers) == (200, None, site.pages.page.headers)
    notice = b'<body><p class="notice" role="alert">The survey of this host does not end. '
    assert old.body.count(notice) == 1
    assert site.get("/") is old
    site.late, site.pages.failed = False, True
    assert b'role="alert">The last survey of this host failed. ' in site.get("/").body
    site.pages.failed = False
    assert site.get("/") is site.pages.page
    assert notice not in site.pages.page.body


def test_own_metrics_are_made_once_a_second(tmp_path: Path) -> None:
    site = Site()
    site.pages.exposition = Exposition(snapshot(tmp_path), None)
    bodies = {site.get("/metrics").body for _ in range(5)}
    assert (len(bodies), site.rendered) == (1, 1)
    site.now += OWN_SECONDS
    assert site.get("/metrics").body.endswith(b"own 2.0\n")
    site.now -= 50  # a clock of the loop does not, but a frozen tail would never thaw
    assert site.get("/metrics").body.endswith(b"own 3.0\n")


def test_subsets_are_not_kept_for_ever(tmp_path: Path) -> None:
    site = Site()
    site.pages.exposition = Exposition(snapshot(tmp_path), None)
    for name in sorted(NAMES):
        site.get("/metrics", [("collect[]", name)])
        site.now += OWN_SECONDS / 2
    assert len(site.pages._lasts) <= 2


def test_formats(tmp_path: Path) -> None:
    site = Site()
    site.pages.exposition = Exposition(snapshot(tmp_path), None)
    found = [site.get("/metrics", accept=accept) for accept in ("", "application/openmetrics-text;version=1.0.0")]
    assert [response.content_type for response in found] == [TEXT, OPENMETRICS]
    assert [response.vary for response in found] == [("Accept",), ("Accept",)]
    assert all(response.gzipped for response in found)


def test_an_unknown_collector_is_a_bad_query(tmp_path: Path) -> None:
    with pytest.raises(BadQueryError):
        Site().get("/metrics", [("collect[]", "gpu")])


def test_everything_that_is_made_of_a_snapshot(tmp_path: Path) -> None:
    shot = snapshot(tmp_path)
    assert labelled(shot) == Labelled(features=b"hostagent.io/a=1\n", left_out=("b c",))
    found = published(shot, None, sinks=frozenset({"nfd", "textfile"}), title="worker-3", since=1_700_000_000.5)
    assert found.files["report"] == found.report.body
    assert b"hostagent_pci_device_info{" in found.files["textfile"]
    assert b"<title>worker-3" in found.page.body
    time = b'<time datetime="2023-11-14T22:13:20Z">2023-11-14 22:13:20 UTC</time>'
    assert b"this state since " + time in found.page.body
    assert "frame-ancestors 'none'" in dict(found.page.headers)["Content-Security-Policy"]
    assert set(published(shot, None, sinks=frozenset({"nfd"}), title="worker-3", since=1_700_000_000.5).files) == {
        "report"
    }
