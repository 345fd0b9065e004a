"""The dashboard: panels that lie beside each other, and expressions that promtool can parse about metrics that exist."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.expressions import faults, mentioned
from tests.roots import REPOSITORY

DASHBOARD: dict[str, Any] = json.loads((REPOSITORY / "deploy/grafana/hostagent.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
EXPRESSIONS = [(panel["title"], target["expr"]) for panel in PANELS for target in panel.get("targets", ())]
PROMTOOL = shutil.which("promtool")


def test_panels_have_places_of_their_own() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_every_panel_asks_the_chosen_source_about_the_chosen_nodes() -> None:
    names = [variable["name"] for variable in DASHBOARD["templating"]["list"]]
    assert names == ["datasource", "job", "instance"]
    assert DASHBOARD["uid"] == "hostagent-nodes"
    for panel in PANELS:
        for target in panel.get("targets", ()):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            # Every metric, not only the first of an expression.
            assert all({"job", "instance"} <= labels for _, labels in mentioned(target["expr"])), panel["title"]


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_it_shows_metrics_and_labels_that_the_agent_has(title: str, expression: str) -> None:
    assert mentioned(expression), title
    assert faults(expression) == []


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool found: install the package prometheus")
def test_promtool_can_parse_every_expression(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expression} for number, (_, expression) in enumerate(EXPRESSIONS)]
    path = tmp_path / "panels.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "check", "rules", str(path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(EXPRESSIONS)} rules found" in done.stdout
