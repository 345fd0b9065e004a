"""Drafts and plans for machines that exist: the project's fixtures, and other people's captures where they are at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from hostagent.cli.roots import opened
from hostagent.plan import plan, ready
from hostagent.plan.draft import draft
from hostagent.profile import read_profile
from hostagent.report import NodeReport, survey
from tests.plan.test_draft import taken_up
from tests.roots import captures, fixtures

MACHINES = [*fixtures(), *captures()]


@cache
def report(path: Path) -> NodeReport:
    with opened(str(path), thorough=True) as host:
        return survey(host)


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)
def test_what_a_draft_offers_can_be_had(path: Path) -> None:
    named = (("node", report(path)),)
    found = plan(named, read_profile(taken_up(draft("node", report(path))), "draft"))
    assert {refusal.entry for refusal in found.refused} <= {"watchdog.runtimeTimeout"}
    assert found.unmatched == ()
    stays = {one.address for one in found.protected}
    assert not stays & {one.address for one in found.bindings}


@pytest.mark.parametrize("platform", ["{name: openshift, version: 4.20}", "{name: debian}"])
def test_all_of_them_as_one_role(platform: str) -> None:
    named = tuple((path.name, report(path)) for path in MACHINES)
    wishes = read_profile(f"platform: {platform}\ndevices: [{{class: 0302}}, {{class: 02}}, {{class: 12}}]", "p")
    found = plan(named, wishes)
    assert found == plan(named[::-1], wishes)
    stays = {(one.node, one.address) for one in found.protected}
    assert not stays & {(one.node, one.address) for one in found.bindings}
    assert ready(found) == (not found.fleet.unsafe and not found.unmatched)
