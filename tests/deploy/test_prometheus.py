"""The alert rules: promtool agrees, every rule has a test that can fail, and they speak of metrics that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostagent.advice import CODES
from tests.deploy.expressions import faults, mentioned
from tests.roots import REPOSITORY

PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
RULES = PROMETHEUS / "hostagent.rules.yaml"
TESTS = HOURS, DAY = (PROMETHEUS / "hostagent.rules.test.yaml", PROMETHEUS / "hostagent.rules.day.test.yaml")
RUNBOOKS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["urls"]["Runbooks"]
PROMTOOL = shutil.which("promtool")
# What the rules say, what would be wrong instead, and which of the tests notices: each takes seconds.
WRONG = [
    ("and on (job, instance, group)", "and on (group)", HOURS),
    ("/ 32) % 2 == 1", "/ 32) % 2 == 0", HOURS),
    ("hostagent_hugepages_pages < hostagent", "hostagent_hugepages_pages <= hostagent", HOURS),
    ("unless on (job, instance)", "and on (job, instance)", HOURS),
    ("> 900", "> 9000", HOURS),
    ("(hostagent_boot_time_seconds or node_boot_time_seconds)", "process_start_time_seconds", DAY),
    ("> 1200", "> 12000", HOURS),
    (" and absent(hostagent_build_info)", "", HOURS),
]
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool found: install the package prometheus")


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _promtool(*words: str, directory: Path = PROMETHEUS) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run(
        [PROMTOOL, *words], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


@needs_promtool
def test_promtool_accepts_the_rules_and_the_scrape_configuration() -> None:
    done = _promtool("check", "config", "scrape.yaml")
    assert done.returncode == 0, done.stdout
    assert f"{len(_rules())} rules found" in done.stdout


@needs_promtool
def test_every_alert_fires_where_it_should_and_nowhere_else() -> None:
    done = _promtool("test", "rules", *(path.name for path in TESTS))
    assert done.returncode == 0, done.stdout


@needs_promtool
def test_those_tests_notice_a_wrong_rule(tmp_path: Path) -> None:
    """All in one start of promtool, a large program."""
    text, asked = RULES.read_text(), {}
    for number, (written, instead, test) in enumerate(WRONG):
        assert written in text
        directory = tmp_path / str(number)
        directory.mkdir()
        (directory / RULES.name).write_text(text.replace(written, instead))
        shutil.copy(test, directory)
        asked[f"{number}/{test.name}"] = written
    said = _promtool("test", "rules", *asked, directory=tmp_path)
    failed = re.findall(r"^Unit Testing: +(\S+)\n +FAILED:", said.stdout, re.MULTILINE)
    assert {asked[path] for path in failed} == {written for written, _, _ in WRONG}


def test_every_alert_is_tested_and_explained() -> None:
    tests = "".join(path.read_text() for path in TESTS)
    page = (REPOSITORY / "docs" / "alerts.md").read_text()
    for rule in _rules():
        name = rule["alert"]
        assert re.search(rf"alertname: {name}\n\s+exp_alerts:|alertname=\"{name}\"", tests), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}#{name.lower()}"
        assert f"\n## {name}\n" in page
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert page.count("\n## ") == len(_rules())


def test_pages_of_alerts_have_an_address_that_a_browser_takes() -> None:
    """Alertmanager and consoles link to runbook_url; a path in this checkout leads nowhere there."""
    assert RUNBOOKS.startswith("https://")
    assert RUNBOOKS in RULES.read_text().partition("\ngroups:")[0], "the line that says how to change it"


def test_they_speak_of_metrics_and_labels_that_the_agent_has() -> None:
    for rule in _rules():
        assert mentioned(rule["expr"])
        assert faults(rule["expr"]) == [], rule["alert"]


def test_they_speak_of_findings_that_exist() -> None:
    named = [
        code
        for rule in _rules()
        for match in re.findall(r'code[=!]~?"([^"]*)"', rule["expr"])
        for code in match.split("|")
    ]
    assert len(named) >= 4
    assert set(named) <= set(CODES)


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("hostagent_nothing == 1", "no metric hostagent_nothing"),
        ('hostagent_iommu_group_viable{number="1"}', "hostagent_iommu_group_viable has no label number"),
        ("sum by (node) (hostagent_kvm_available)", "nothing has the label node"),
    ],
)
def test_what_does_not_exist_is_noticed(expression: str, fault: str) -> None:
    assert faults(expression) == [fault]


def test_the_object_for_the_operator_has_the_same_rules() -> None:
    made = yaml.safe_load((REPOSITORY / "deploy/kubernetes/monitoring/prometheusrule.yaml").read_text())
    assert made["kind"] == "PrometheusRule"
    assert made["spec"] == yaml.safe_load(RULES.read_text())
