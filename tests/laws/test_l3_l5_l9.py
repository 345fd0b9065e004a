"""L3 labels fit the grammar; L5 output is a function of the tree; L9 no series without a fact."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.area import LabelOptions
from hostagent.assess.readiness import readiness
from hostagent.publish.judged import JUDGED, label_docs, labels, metrics, samples
from hostagent.report import AREAS, DEFAULT_LABEL_OPTIONS
from hostagent.values.labels import is_name, is_value
from hostagent.values.plain import json_text, plain
from tests.laws.machines import host_of, machines, of

MACHINES = sorted(machines())


@pytest.mark.parametrize("machine", MACHINES)
def test_labels_fit_the_kubernetes_grammar(machine: str) -> None:
    report = of(machines()[machine])
    for name, value in labels(report, readiness(report), DEFAULT_LABEL_OPTIONS).items():
        assert is_name(name), name
        assert is_value(value), (name, value)


@given(st.text(), st.text())
def test_labels_fit_whatever_the_hardware_calls_itself(identity: str, vendor: str) -> None:
    nodes = {
        "": ("directory", b""),
        "sys/class/watchdog/watchdog0/identity": ("file", identity.encode("utf-8", "replace")),
        "proc/cpuinfo": (
            "file",
            f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: {vendor}\n".encode("utf-8", "replace"),
        ),
    }
    for leaf in list(nodes):
        path = leaf
        while path:
            path = path.rpartition("/")[0]
            nodes.setdefault(path, ("directory", b""))
    options = LabelOptions(pci_classes=("",), cpu_features=(vendor, identity))
    report = of(nodes)
    for name, value in labels(report, readiness(report), options).items():
        assert is_name(name), name
        assert is_value(value), (name, value)


@pytest.mark.parametrize("machine", MACHINES)
def test_areas_give_different_keys_and_only_documented_ones(machine: str) -> None:
    report = of(machines()[machine])
    seen: dict[str, str] = {}
    for name, area in AREAS.items():
        data = getattr(report, name).data
        patterns = [re.sub("<[^>]+>", ".+", re.escape(doc.key)) for doc in label_docs(area)]
        judged = JUDGED[name].labels(readiness(report), DEFAULT_LABEL_OPTIONS) if name in JUDGED else ()
        for key, _ in (*judged, *area.labels(data, DEFAULT_LABEL_OPTIONS)):
            assert seen.setdefault(key, name) == name, key
            assert any(re.fullmatch(pattern, key) for pattern in patterns), f"{key} is not in {name}'s label_docs"


@pytest.mark.parametrize("machine", MACHINES)
def test_output_is_a_function_of_the_tree(machine: str) -> None:
    nodes = machines()[machine]
    shuffled = dict(sorted(nodes.items(), key=lambda item: item[0][::-1]))
    texts = {json_text(plain(of(tree))) for tree in (nodes, shuffled, nodes)}
    assert len(texts) == 1


@pytest.mark.parametrize("machine", MACHINES)
def test_samples_are_declared_numbers(machine: str) -> None:
    report = of(machines()[machine])
    seen = set()
    for sample in samples(report, readiness(report)):
        key = (sample.metric.name, sample.labels)
        assert key not in seen, key
        seen.add(key)
        assert len(sample.labels) == len(sample.metric.labels), key
        assert all(isinstance(label, str) for label in sample.labels), key
        assert isinstance(sample.value, (int, float)), key
        assert math.isfinite(sample.value), key
        assert any(sample.metric in metrics(area) for area in AREAS.values()), key


def test_an_empty_machine_has_no_series_of_numbers() -> None:
    report = of({"": ("directory", b""), "sys": ("directory", b"")})
    counted = [sample for sample in samples(report, readiness(report)) if sample.value != 0]
    assert counted == []
    assert host_of({"": ("directory", b"")}).live is False
