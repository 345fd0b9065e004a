"""`hostagent allocatable`: one node, several, every form, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hostagent.cli import main
from hostagent.host import Host
from hostagent.report import survey
from hostagent.values.plain import json_text
from tests.plant import pci_function, plant, unreadable

T4, RESOURCE = "10de:1eb8", "nvidia.com/T4"
PERMITTED = f"pciHostDevices:\n  - {{pciVendorSelector: '{T4.upper()}', resourceName: {RESOURCE}}}\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    files = pci_function("0000:04:00.0", id=T4, cls="30200", driver="vfio-pci")
    files |= pci_function("0000:05:00.0", id=T4, cls="30200", driver="nouveau")
    links = {
        "sys/bus/pci/devices/0000:04:00.0/iommu_group": "../../../../kernel/iommu_groups/13",
        "sys/kernel/iommu_groups/13/devices/0000:04:00.0": "x",
    }
    return plant(tmp_path / "worker-1", files, links)


@pytest.fixture
def permitted(tmp_path: Path) -> str:
    path = tmp_path / "permitted.yaml"
    path.write_text(PERMITTED)
    return str(path)


EXPECTED = {
    RESOURCE: {
        "kubevirt": 1,
        "usable": 1,
        "devices": [{"address": "0000:04:00.0", "id": T4, "driver": "vfio-pci", "iommu_group": 13, "usable": True}],
        "why": ["0000:05:00.0: its driver is nouveau; KubeVirt takes vfio-pci only"],
    }
}


def test_json_of_one_node(machine: Path, permitted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["allocatable", "--permitted", permitted, "--root", str(machine), "-o", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == EXPECTED
    assert err == ""


def test_json_of_several_nodes(machine: Path, permitted: str, capsys: pytest.CaptureFixture[str]) -> None:
    reports = machine.parent / "reports"
    reports.mkdir()
    for name in ("a", "b"):
        (reports / f"{name}.json").write_text(json_text(survey(Host(str(machine), thorough=True))))
    assert main(["allocatable", "--permitted", permitted, "--report", str(reports), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"a": EXPECTED, "b": EXPECTED}


def test_table(machine: Path, permitted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["allocatable", "--permitted", permitted, "--root", str(machine)]) == 0
    assert capsys.readouterr().out == (
        "worker-1: resource       KubeVirt counts  usable\n"
        "          nvidia.com/T4                1       1\n"
        "            0000:04:00.0 10de:1eb8 group 13\n"
        "            0000:05:00.0: its driver is nouveau; KubeVirt takes vfio-pci only\n"
    )


def test_table_of_what_is_not_usable(machine: Path, permitted: str, capsys: pytest.CaptureFixture[str]) -> None:
    plant(machine, {"sys/kernel/iommu_groups/13/reserved_regions": "0x0 0xff direct\n"})
    assert main(["allocatable", "--permitted", permitted, "--root", str(machine)]) == 0
    assert "0000:04:00.0 10de:1eb8 group 13, not usable\n" in capsys.readouterr().out


def test_other_kinds_are_said_to_be_left_out(machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("usb: [{resourceName: a.com/b}]\n")
    assert main(["allocatable", "--permitted", str(path), "--root", str(machine)]) == 0
    out, err = capsys.readouterr()
    assert out == "worker-1: nothing permitted\n"
    assert err == "hostagent: usb are not predicted: PCI devices only\n"


def test_what_could_not_be_read_is_status_3(machine: Path, permitted: str, capsys: pytest.CaptureFixture[str]) -> None:
    unreadable(machine, "sys/bus/pci/devices/0000:05:00.0/uevent")
    assert main(["allocatable", "--permitted", permitted, "--root", str(machine), "-o", "json"]) == 3
    assert "files could not be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "{}: No such file or directory"),
        ("kind: Pod\n", "--permitted {}: apiVersion None, kind 'Pod': expected one of"),
        ("a: [\n", "--permitted {}:2: no YAML: "),
    ],
)
def test_bad_input_is_status_2(
    text: str | None, message: str, machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.yaml"
    if text is not None:
        path.write_text(text)
    assert main(["allocatable", "--permitted", str(path), "--root", str(machine)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"hostagent: {message.format(path)}")
    assert err.count("\n") == 1


def test_a_resource_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["allocatable"]) == 2
    assert "--permitted" in capsys.readouterr().err
