"""Reports at the door: those of this schema, of the one before, and what is none."""

from __future__ import annotations

import gzip
import json

import pytest

from hostagent.host import Host
from hostagent.report import SCHEMA_VERSION, survey
from hostagent.schema import ReportError, read_report
from hostagent.values.plain import json_text
from tests.roots import FIXTURES

SAVED = FIXTURES.parent / "reports"


@pytest.mark.parametrize("machine", ["lab-intel", "lab-amd-vfio"])
def test_a_report_of_schema_1_is_read_with_later_facts_not_looked_at(machine: str) -> None:
    saved = gzip.decompress((SAVED / f"schema-1-{machine}.json.gz").read_bytes())
    report = read_report(saved, "saved")
    assert report.schema_version == SCHEMA_VERSION
    was, now = json.loads(saved), json.loads(json_text(report))
    assert _added(was | {"schema_version": SCHEMA_VERSION}, now) == {None}


def _added(was: object, now: object) -> set[object]:
    """The values of `now` that `was` does not have, and None; all else has to be equal."""
    if isinstance(was, dict) and isinstance(now, dict):
        assert set(was) <= set(now)
        new = {json.dumps(now[name]) if now[name] is not None else None for name in now if name not in was}
        return {None}.union(new, *(_added(was[name], now[name]) for name in was))
    if isinstance(was, list) and isinstance(now, list):
        return {None}.union(*(_added(*pair) for pair in zip(was, now, strict=True)))
    assert was == now
    return {None}


def test_a_report_of_this_schema_needs_every_fact() -> None:
    document = json.loads(json_text(survey(Host(str(FIXTURES / "lab-intel")))))
    del document["network"]["data"]["links"][0]["kind"]
    with pytest.raises(ReportError, match=r"worker-1\.json: network\.data\.links\.0\.kind: .*required"):
        read_report(json.dumps(document), "worker-1.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected the JSON of `hostagent probe -o json`"),
        ("[" * 100_000, "expected the JSON of `hostagent probe -o json`"),
        ("[]", "top level: "),
        ('{"schema_version": 1}', "pci: "),
        ('{"schema_version": true}', "pci: "),
        ('{"schema_version": 0, "pci": 7}', "pci: "),
    ],
)
def test_what_is_no_report_is_said_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ReportError) as refused:
        read_report(text, "x.json")
    assert str(refused.value).startswith(f"x.json: {message}")
    assert "\n" not in str(refused.value)
