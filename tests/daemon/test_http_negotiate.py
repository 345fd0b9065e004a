from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import choose_encoder

from hostagent.daemon.http_message import BadQueryError
from hostagent.daemon.http_negotiate import (
    OPENMETRICS,
    TEXT,
    accept_items,
    accepts_gzip,
    exposition,
    selected,
)

PROMETHEUS_2_42 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3_NATIVE = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7," + PROMETHEUS_3
)
PROMETHEUS_3_TEXT = "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, TEXT),
        ("", TEXT),
        ("*/*", TEXT),  # curl
        (PROMETHEUS_2_42, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        (PROMETHEUS_3_NATIVE, OPENMETRICS),
        (PROMETHEUS_3_TEXT, TEXT),
        ("application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TEXT),
        (BROWSER, TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ('APPLICATION/OpenMetrics-Text ; Version="1.0.0" ; Q=1', OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=0.0,text/plain;q=0", TEXT),  # nothing acceptable: text, not 406
        ("application/openmetrics-text;q=0.3,*/*;q=0.2", OPENMETRICS),
        ("application/openmetrics-text;q=0.3,*/*;q=0.4", TEXT),
        (
            "application/openmetrics-text;q=0.3,*/*;q=0.9,text/plain;q=0.2",
            OPENMETRICS,
        ),  # the specific range counts
        ("application/openmetrics-text;q=nonsense", TEXT),
        ("image/png", TEXT),
    ],
)
def test_exposition(accept: str | None, chosen: str) -> None:
    assert exposition(accept) == chosen


@pytest.mark.parametrize(
    "accept", [PROMETHEUS_2_42, PROMETHEUS_3, "*/*", "", "text/plain", "application/openmetrics-text"]
)
def test_exposition_is_prometheus_clients_choice(accept: str) -> None:
    _, content_type = choose_encoder(accept)
    assert exposition(accept).partition(";")[0] == content_type.partition(";")[0]


@pytest.mark.parametrize(
    ("header", "gzip"),
    [
        (None, False),
        ("", False),
        ("gzip", True),  # Prometheus
        ("gzip, deflate, br, zstd", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("GZip", True),
        ("x-gzip", True),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("gzip;q=0.2, identity;q=0", True),
        ("br", False),
        ("gzip;q=", False),
        ("gzip;q=-1", False),
        ("gzip;q=7", True),
        ("notgzip", False),
    ],
)
def test_gzip(header: str | None, *, gzip: bool) -> None:
    assert accepts_gzip(header) == gzip


@given(st.text(alphabet=';,=.*/ q1gziptext"\u00b2\x00é', max_size=60))
def test_any_header_is_understood_somehow(header: str) -> None:
    assert all(0 <= quality <= 1 for _, _, quality in accept_items(header))
    assert exposition(header) in {TEXT, OPENMETRICS}
    assert accepts_gzip(header) in {True, False}


KNOWN = frozenset({"pci", "cpu", "hugepages"})


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ((), KNOWN),
        ((("collect[]", "pci"),), {"pci"}),
        ((("collect[]", "pci"), ("collect[]", "cpu"), ("collect[]", "pci")), {"pci", "cpu"}),
        ((("exclude[]", "pci"),), {"cpu", "hugepages"}),
        ((("exclude[]", "pci"), ("exclude[]", "cpu"), ("exclude[]", "hugepages")), set()),
        ((("name[]", "x"), ("collect", "y")), KNOWN),
    ],
)
def test_selected(query: tuple[tuple[str, str], ...], names: set[str]) -> None:
    assert selected(query, KNOWN) == names


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ((("collect[]", "pci"), ("exclude[]", "cpu")), "collect[] and exclude[] cannot be combined"),
        ((("collect[]", "gpu"),), "unknown collector 'gpu'; known: cpu, hugepages, pci"),
        ((("exclude[]", ""),), "unknown collector ''; known: cpu, hugepages, pci"),
        ((("collect[]", "b"), ("collect[]", "a")), "unknown collector 'a', 'b'; known: cpu, hugepages, pci"),
    ],
)
def test_selections_that_are_none(query: tuple[tuple[str, str], ...], message: str) -> None:
    with pytest.raises(BadQueryError) as caught:
        selected(query, KNOWN)
    assert str(caught.value) == message
