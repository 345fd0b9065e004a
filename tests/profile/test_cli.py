"""`hostagent profile`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hostagent.cli import main
from hostagent.profile import json_schema, read_profile
from tests.plant import pci_function, plant

FILES = pci_function("0000:03:00.0", id="10DE:1EB8", cls="30200") | {"etc/os-release": "ID=debian\n"}


def test_a_first_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "init", "--root", str(plant(tmp_path / "node-a", FILES))]) == 0
    text = capsys.readouterr().out
    assert "#   - id: 10de:1eb8\n#     resourceName: nvidia.com/10de_1eb8\n" in text
    assert read_profile(text, "p").platform.name == "debian"


def test_from_a_report_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(plant(tmp_path / "node-a", FILES))
    assert main(["profile", "init", "--root", root]) == 0
    printed = capsys.readouterr().out
    main(["probe", "--root", root, "-o", "json"])
    (tmp_path / "node-a.json").write_text(capsys.readouterr().out)
    target = tmp_path / "profile.yaml"
    assert main(["profile", "init", "--report", str(tmp_path / "node-a.json"), "-o", str(target)]) == 0
    assert target.read_text() == printed
    assert capsys.readouterr().out == ""
    assert main(["profile", "init", "--root", root, "-o", str(target)]) == 2
    message = f"hostagent: {target}: is there already; expected a new file, a profile is somebody's work\n"
    assert capsys.readouterr().err == message
    assert target.read_text() == printed


def test_where_nothing_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "missing" / "profile.yaml"
    assert main(["profile", "schema", "-o", str(target)]) == 4
    assert capsys.readouterr().err == f"hostagent: {target}: No such file or directory\n"
    assert not target.parent.exists()


def test_one_node_is_one_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(plant(tmp_path / "node-a", FILES))
    main(["probe", "--root", root, "-o", "json"])
    report = capsys.readouterr().out
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(report)
    assert main(["profile", "init", "--report", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "hostagent: --report: 2 nodes; expected one to write a profile from\n"


def test_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
