"""Labels leave only when the API server would take them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.host import Host
from hostagent.publish.labels import NodeLabels, fit, node_labels
from hostagent.report import survey
from hostagent.values.labels import is_name, is_prefix, is_value
from tests.plant import pci_function, plant


def test_full_keys_in_order(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        pci_function("0000:00:02.0", id="10DE:1EB8", cls="30200") | pci_function("0000:00:01.0", id="8086:10D3"),
    )
    report = survey(Host(str(root)), frozenset({"pci"}))
    assert node_labels(report) == NodeLabels(
        labels=(("hostagent.io/pci-10de-1eb8.count", "1"), ("hostagent.io/pci-8086-10d3.count", "1")), dropped=()
    )
    assert node_labels(report, prefix="example.org").labels[0] == ("example.org/pci-10de-1eb8.count", "1")


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("watchdog.identity", "iTCO_wdt", "iTCO_wdt"),
        ("watchdog.identity", "Software Watchdog", "Software_Watchdog"),
        ("watchdog.identity", "  (HP) iLO2+ watchdog!", "HP__iLO2__watchdog"),
        ("cpu.model", "x" * 70, "x" * 63),
        ("cpu.model", "x" * 62 + ".y", "x" * 62),
        ("empty", "", ""),
    ],
)
def test_values_are_made_to_fit(name: str, said: str, expected: str) -> None:
    assert fit({name: said}) == NodeLabels(labels=((f"hostagent.io/{name}", expected),), dropped=())


@pytest.mark.parametrize(
    ("name", "said", "why"),
    [
        ("cpu-feature.☃", "true", "a key is never changed: another key is another fact"),
        ("x" * 64, "true", "one letter too long"),
        ("", "true", "no name"),
        ("watchdog.identity", "!!!", "no letter of the value is left"),
    ],
)
def test_what_cannot_fit_is_left_out_and_named(name: str, said: str, why: str) -> None:
    assert fit({name: said, "kept": "1"}) == NodeLabels(labels=(("hostagent.io/kept", "1"),), dropped=(name,)), why


@given(st.dictionaries(st.text(), st.text()))
def test_whatever_hardware_says_fits_the_grammar(said: dict[str, str]) -> None:
    found = fit(said)
    for key, value in found.labels:
        prefix, _, name = key.partition("/")
        assert is_prefix(prefix)
        assert is_name(name)
        assert is_value(value)
        assert name in said
    assert len(found.labels) + len(found.dropped) == len(said)
    assert list(found.labels) == sorted(found.labels)


@pytest.mark.parametrize("prefix", ["", "Example.org", "a/b", "-x.org", "x..y", "a" * 64 + ".org"])
def test_a_prefix_that_is_no_domain_is_refused(prefix: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a DNS subdomain such as"):
        node_labels(survey(Host(str(plant(tmp_path, {})))), prefix=prefix)
