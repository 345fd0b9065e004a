"""What stands beside a report: which node, when, which boot; and only of the running machine."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from hostagent.about import About, about, document, put_into
from hostagent.cli.inputs import remarks
from hostagent.host import Host
from hostagent.host.capture import archive, recording
from hostagent.report import survey
from hostagent.schema import ReportError, read_document, read_report
from hostagent.values.plain import json_text
from hostagent.values.record import replaced
from tests.cli.run import hostagent
from tests.plant import plant

BOOT_ID = "proc/sys/kernel/random/boot_id"
NOON = 1_795_780_800.0
BESIDE = About(node="worker-1", surveyed_at="2026-11-27T12:00:00Z", boot="0123456789abcdef")


@pytest.fixture
def own() -> str:
    return Path("/", BOOT_ID).read_text()


def test_of_the_running_machine_through_whatever_root(tmp_path: Path, own: str) -> None:
    wanted = replaced(BESIDE, boot=hashlib.sha256(own.strip().encode()).hexdigest()[:16])
    assert about(Host("/"), node="worker-1", at=NOON) == wanted
    assert about(Host(str(plant(tmp_path, {BOOT_ID: own}))), node="worker-1", at=NOON) == wanted
    assert own.strip() not in repr(wanted)


def test_of_nothing_else(tmp_path: Path, own: str) -> None:
    host = recording(str(plant(tmp_path / "host", {BOOT_ID: own})))
    survey(host)
    (tmp_path / "capture.tar.gz").write_bytes(archive(host))
    assert about(Host(str(tmp_path / "capture.tar.gz")), node="a", at=NOON) is None
    assert about(Host(str(plant(tmp_path / "other", {BOOT_ID: "x\n"}))), node="a", at=NOON) is None


def test_the_command_shows_it_of_the_running_machine_alone(tmp_path: Path, own: str) -> None:
    here, there = plant(tmp_path / "here", {BOOT_ID: own}), plant(tmp_path / "there", {BOOT_ID: "x\n"})
    words = ("probe", "--only", "numa", "-o", "json", "--root")
    assert "about" not in json.loads(hostagent(*words, str(there)).out)
    found = json.loads(hostagent(*words, str(here)).out)
    assert list(found)[:3] == ["schema_version", "about", "pci"]
    assert found["about"]["node"] == os.uname().nodename
    pod = {"NODE_NAME": "worker-1"}
    assert json.loads(hostagent(*words, str(here), environment=pod).out)["about"]["node"] == "worker-1"
    named = hostagent(*words, str(here), "--node-name", "worker-2", environment=pod).out
    assert json.loads(named)["about"]["node"] == "worker-2"
    assert "\nabout:\n  node: " in hostagent("probe", "--only", "numa", "-o", "yaml", "--root", str(here)).out


def test_it_is_put_into_bytes_as_it_is_written(tmp_path: Path) -> None:
    report = survey(Host(str(plant(tmp_path, {"proc/cmdline": "a\n"}))))
    text = json_text(document(report, BESIDE))
    assert put_into(json_text(report).encode(), BESIDE) == text.encode()
    assert read_document(text, "x.json") == (report, BESIDE)
    assert read_report(text, "x.json") == report
    assert read_document(json_text(document(report, None)), "x.json") == (report, None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (7, "x.json: about: "),
        ({"node": "a", "boot": None}, "x.json: about.surveyed_at: "),
        ({"node": "a", "boot": None, "surveyed_at": "yesterday"}, "x.json: about.surveyed_at: time data 'yesterday'"),
    ],
)
def test_what_is_none_is_refused(given: object, message: str, tmp_path: Path) -> None:
    found = json.loads(json_text(survey(Host(str(plant(tmp_path, {"proc/cmdline": "a\n"}))))))
    with pytest.raises(ReportError) as refused:
        read_document(json.dumps(found | {"about": given}), "x.json")
    assert str(refused.value).startswith(message)


def test_old_surveys_and_two_of_one_node_are_said() -> None:
    week = 7 * 24 * 3600
    given = (("a.json", BESIDE), ("b.json", replaced(BESIDE, node="worker-2")), ("c.json", BESIDE))
    assert list(remarks(given[:2], NOON + week - 1)) == []
    assert list(remarks(given[:1], NOON + week)) == [
        "a.json: surveyed 7 days ago (2026-11-27T12:00:00Z): worker-1 may be another by now"
    ]
    assert list(remarks(given, NOON)) == ["a.json and c.json are both of node worker-1: expected one of each"]


@pytest.mark.parametrize("command", [("check", "--generic"), ("render", "kargs", "--profile", "profile.yaml")])
def test_check_and_render_say_so_on_standard_error(command: tuple[str, ...], tmp_path: Path) -> None:
    report = survey(Host(str(plant(tmp_path / "host", {"proc/cmdline": "a\n"}))))
    old = replaced(BESIDE, surveyed_at="2001-01-01T00:00:00Z")
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json_text(document(report, old)))
    (tmp_path / "profile.yaml").write_text("platform: {name: debian}\n")
    said = hostagent(*command, "--report", "a.json", "b.json", directory=tmp_path).err
    assert "hostagent: a.json: surveyed " in said
    assert "hostagent: a.json and b.json are both of node worker-1: expected one of each\n" in said
