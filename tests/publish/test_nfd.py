"""NFD's feature file: what its worker reads, and what it would refuse."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from hostagent.publish.labels import NodeLabels, fit
from hostagent.publish.nfd import LIMIT, expiry_line, feature_file


def test_a_line_for_each_label() -> None:
    labels = NodeLabels(labels=(("hostagent.io/cpu.level", "3"), ("hostagent.io/iommu.vendor", "")), dropped=())
    found = feature_file(labels)
    assert found.body == b"hostagent.io/cpu.level=3\nhostagent.io/iommu.vendor=\n"
    assert found.left_out == ()


def test_no_labels() -> None:
    assert feature_file(NodeLabels(labels=(), dropped=())).body == b""


def test_the_expiry_line_is_rfc_3339() -> None:
    line = expiry_line(1795360784.9).decode()
    assert line == "# +expiry-time=2026-11-22T15:19:44Z\n"
    said = dt.datetime.fromisoformat(line.strip().removeprefix("# +expiry-time="))
    assert said.timestamp() == 1795360784


def test_a_file_of_more_than_64_kib_loses_its_end_and_says_so() -> None:
    labels = fit({f"pci-10de-{number:04x}.count": "1" for number in range(3000)})
    found = feature_file(labels)
    whole = expiry_line(0) + found.body
    assert LIMIT - 100 < len(whole) <= LIMIT
    kept = [line.partition("=")[0] for line in found.body.decode().splitlines()]
    assert (*kept, *found.left_out) == tuple(key for key, _ in labels.labels)


@given(st.dictionaries(st.text(max_size=70), st.text(max_size=80), max_size=20))
def test_whatever_hardware_says_reads_back(names: dict[str, str]) -> None:
    labels = fit(names)
    read = [tuple(line.split("=", 1)) for line in feature_file(labels).body.decode("ascii").splitlines()]
    assert tuple(read) == labels.labels
