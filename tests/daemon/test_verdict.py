"""Labels and metrics that answer to a profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.advice import BLOCKER, CODES, NOTE, Finding
from hostagent.assess.node import Node
from hostagent.daemon.configured import Configured
from hostagent.daemon.state import label_options, look
from hostagent.daemon.verdict import finding_samples, findings, verdict_labels
from hostagent.host.reader import RootError
from hostagent.profile import read_profile
from hostagent.report import AREAS, DEFAULT_LABEL_OPTIONS
from hostagent.settings import Labels, Settings
from hostagent.values.record import replaced
from tests.plan.machines import worker
from tests.plant import pci_function, plant

DEVICES = read_profile("platform: {name: debian}\ndevices: [{id: '8086:10d3'}]\n", "profile.yaml")
POOLS = read_profile("platform: {name: debian}\n", "profile.yaml")


def found(code: str, severity: str, subject: str = "node", sentence: str = "So it is.") -> Finding:
    return Finding(
        code=code, severity=severity, subject=subject, sentence=sentence, evidence=(), remedy=CODES[code].remedy
    )


POOL = next(name for name in CODES if "pool" in name or "huge" in name)
IOMMU = next(name for name in CODES if "iommu" in name)


@pytest.mark.parametrize(
    ("findings_", "ready", "compliant"),
    [
        ((), "true", "true"),
        ((found(IOMMU, NOTE),), "true", "true"),
        ((found(IOMMU, BLOCKER),), "false", "false"),
        ((found(POOL, BLOCKER),), "true", "false"),
    ],
)
def test_labels(findings_: tuple[Finding, ...], ready: str, compliant: str) -> None:
    report = worker().report()
    assert verdict_labels(report, findings_, None) == {}
    assert verdict_labels(report, findings_, POOLS) == {"profile.compliant": compliant}
    assert verdict_labels(report, findings_, DEVICES) == {"profile.compliant": compliant, "passthrough.ready": ready}


@pytest.mark.parametrize("area", AREAS)
def test_of_what_was_not_seen_nothing_is_called_ready(area: str) -> None:
    report = replaced(worker().report(), **{area: None})
    assert verdict_labels(report, (), DEVICES) == {}
    blocked = {"profile.compliant": "false", "passthrough.ready": "false"}
    assert verdict_labels(report, (found(IOMMU, BLOCKER),), DEVICES) == blocked
    assert verdict_labels(report, (found(POOL, BLOCKER),), DEVICES) == {"profile.compliant": "false"}


def test_one_series_for_code_severity_and_subject() -> None:
    two = (found(IOMMU, BLOCKER, sentence="One."), found(IOMMU, BLOCKER, sentence="Two."), found(IOMMU, BLOCKER, "14"))
    assert [sample.labels for sample in finding_samples(two)] == [(IOMMU, "blocker", "node"), (IOMMU, "blocker", "14")]


def test_one_look(tmp_path: Path) -> None:
    root = str(plant(tmp_path, pci_function("0000:00:01.0")))
    labels = Labels.model_validate({"prefix": "example.org", "pciClasses": [], "cpuFeatures": []})
    holds = Configured(settings=Settings(labels=labels), profile=DEVICES, node="a")
    seen = look(root, holds)
    assert list(seen.seconds) == list(AREAS)
    assert seen.snapshot.findings == findings(Node("a", seen.snapshot.report), DEVICES)
    names = dict(seen.snapshot.labels.labels)
    assert names["example.org/passthrough.ready"] == "false"
    assert not any("pci-" in name for name in names)
    assert look(root, holds).snapshot == seen.snapshot


def test_no_machine(tmp_path: Path) -> None:
    with pytest.raises(RootError):
        look(str(tmp_path), Configured(settings=Settings(), profile=None, node="a"))


def test_label_options() -> None:
    assert label_options(Labels()) == DEFAULT_LABEL_OPTIONS
    given = label_options(Labels.model_validate({"pciClasses": ["0302"]}))
    assert (given.pci_classes, given.cpu_features) == (("0302",), DEFAULT_LABEL_OPTIONS.cpu_features)
