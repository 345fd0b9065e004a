"""`hostagent check`: every format and exit status, one node and many, bad input."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hostagent.advice import CODES
from hostagent.cli import main
from hostagent.values.plain import json_text
from tests.advice.cases import ON, card, ready, two_nics
from tests.advice.hosts import LOADED, host, vfio
from tests.plan.machines import T4, T4_CLASS, Machine
from tests.plant import plant, unreadable

PROFILE = f"""\
platform: {{name: debian}}
devices:
  - id: "{T4}"
    resourceName: nvidia.com/T4
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No profile.yaml of the working directory."""
    monkeypatch.chdir(tmp_path)


def root(at: Path, machine: Machine) -> str:
    return str(plant(at, machine.files, machine.links))


def report(at: Path, name: str, machine: Machine) -> str:
    at.mkdir(exist_ok=True)
    (at / f"{name}.json").write_text(json_text(machine.report()))
    return str(at / f"{name}.json")


def wanted(at: Path, text: str = PROFILE) -> str:
    (at / "wanted.yaml").write_text(text)
    return str(at / "wanted.yaml")


def test_a_ready_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = root(tmp_path / "worker-1", ready())
    assert main(["check", "--root", machine, "--profile", wanted(tmp_path)]) == 0
    assert capsys.readouterr() == ("worker-1: ready\n", "")


def test_a_node_with_a_blocker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = root(tmp_path / "worker-1", card(driver="nouveau"))
    assert main(["check", "--root", machine, "--profile", wanted(tmp_path)]) == 1
    assert capsys.readouterr().out == (
        "worker-1: not ready (1 blocker)\n"
        "  BLOCKER binding-not-configured 0000:04:00.0\n"
        "          The profile's devices[0] wants 0000:04:00.0 for guests, and nothing binds it to vfio-pci at boot.\n"
        "          proof  sys/bus/pci/devices/0000:04:00.0/driver: nouveau\n"
        "          proof  etc/modprobe.d: no ids with 10de:1eb8\n"
        "          remedy render modprobe. Put the rendered files in place, and reboot.\n"
    )


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, path = root(tmp_path / "worker-1", card(driver="nouveau")), wanted(tmp_path)
    assert main(["check", "--root", machine, "--profile", path, "-o", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "profile": path,
        "ready": False,
        "nodes": [
            {
                "node": "worker-1",
                "ready": False,
                "complete": True,
                "findings": [
                    {
                        "code": "binding-not-configured",
                        "severity": "BLOCKER",
                        "subject": "0000:04:00.0",
                        "sentence": "The profile's devices[0] wants 0000:04:00.0 for guests, and nothing binds it to "
                        "vfio-pci at boot.",
                        "evidence": [
                            {"path": "sys/bus/pci/devices/0000:04:00.0/driver", "said": "nouveau"},
                            {"path": "etc/modprobe.d", "said": "no ids with 10de:1eb8"},
                        ],
                        "remedy": {
                            "kind": "render",
                            "target": "modprobe",
                            "text": "Put the rendered files in place, and reboot.",
                        },
                    }
                ],
                "problems": [],
            }
        ],
        "roles": [],
    }


def test_junit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = card(driver="nouveau").put({"sys/class/watchdog/watchdog0/bootstatus": "32\n"})
    place = root(tmp_path / "a<&>b", machine)
    unreadable(Path(place), "sys/class/net/eth0/operstate")
    assert main(["check", "--root", place, "--profile", wanted(tmp_path), "-o", "junit"]) == 1
    document = ET.fromstring(capsys.readouterr().out)
    suite = document[0]
    assert suite.get("name") == "a<&>b"
    assert (suite.get("failures"), suite.get("errors")) == ("1", "0")
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases))
    skipped = [case for case in cases if case.find("skipped") is not None]
    assert [case.get("name") for case in skipped] == ["network: sys/class/net/eth0/operstate"]
    assert {str(case.get("name")).partition(":")[0] for case in cases if case not in skipped} == set(CODES)
    failures = {case.get("name"): case.find("failure") for case in cases if case.find("failure") is not None}
    assert list(failures) == ["binding-not-configured: 0000:04:00.0"]
    failure = failures["binding-not-configured: 0000:04:00.0"]
    assert failure is not None
    assert failure.get("type") == "binding-not-configured"
    assert "sys/bus/pci/devices/0000:04:00.0/driver: nouveau" in str(failure.text)
    (said,) = [case.findtext("system-out") for case in cases if case.find("system-out") is not None]
    assert str(said).startswith("WARNING: watchdog0 reset this host: ")


def test_without_a_profile_in_general(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--root", root(tmp_path / "worker-1", card()), "-o", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["profile"] is None
    assert [one["code"] for one in said["nodes"][0]["findings"]] == ["bound-until-reboot"]


def test_a_profile_in_the_working_directory_counts_unless_told_not_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = root(tmp_path / "worker-1", card(driver="nouveau"))
    (tmp_path / "profile.yaml").write_text(PROFILE)
    assert main(["check", "--root", machine]) == 1
    assert main(["check", "--root", machine, "--generic"]) == 0
    capsys.readouterr()
    assert main(["check", "--root", machine, "--generic", "--profile", "x"]) == 2
    assert capsys.readouterr().err == "hostagent: --generic looks for no profile: expected it without --profile\n"


def test_what_could_not_be_read_is_status_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = root(tmp_path / "worker-1", ready())
    for number in range(10):
        unreadable(Path(machine), f"sys/class/net/eth{number}/operstate")
    assert main(["check", "--root", machine, "--profile", wanted(tmp_path)]) == 3
    out = capsys.readouterr().out
    assert out.startswith("worker-1: undecided\n  10 files could not be read; a blocker may be hidden there:\n")
    assert "          network sys/class/net/eth0/operstate: " in out
    assert out.endswith("          and 2 more: -o json has them all\n")


def test_a_fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = tmp_path / "reports"
    report(reports, "b", ready())
    report(reports, "a", card(driver="nouveau"))
    report(reports, "c", host().put({"proc/cmdline": ON}))
    assert main(["check", "--report", str(reports), "--profile", wanted(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line and not line.startswith(" ")] == [
        "a: not ready (1 blocker)",
        "b: ready",
        "c: ready",
    ]


def test_a_fleet_that_one_configuration_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = report(tmp_path / "reports", "a", two_nics())
    second = report(tmp_path / "reports", "b", host().function("0000:02:00.0", T4, T4_CLASS, group=1))
    text = "platform: {name: openshift, version: 4.20}\ndevices:\n  - id: '8086:10d3'\n"
    assert main(["check", "--report", first, second, "--profile", wanted(tmp_path, text)]) == 1
    out = capsys.readouterr().out
    assert "  BLOCKER protected-device 0000:01:00.0\n" in out
    assert out.endswith(
        "\nOne configuration does not fit all of them; roles by hardware:\n  worker-1: a blocked\n  worker-2: b ready\n"
    )


def test_captures_and_the_live_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = root(tmp_path / "worker-1", card().put({**vfio(T4), "proc/modules": LOADED}))
    assert main(["capture", str(tmp_path / "w.tar.gz"), "--root", machine]) == 0
    assert main(["check", "--report", str(tmp_path / "w.tar.gz"), "-o", "json"]) == 0
    assert main(["check", "-o", "json"]) in (0, 1, 3)
    assert os.uname().nodename in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PROFILE.replace(T4, "1234:5678"), "{}:3: devices[0]: expected 1234:5678 on a node given, and found none"),
        (PROFILE + "pools: 5\n", "{}:5: unknown key 'pools', expected one of "),
        ("platform: {name: openshift}\n", "{}:1: platform.name: openshift needs a version: "),
    ],
)
def test_a_profile_that_does_not_fit_is_status_2(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wanted(tmp_path, text)
    assert main(["check", "--root", root(tmp_path / "worker-1", ready()), "--profile", path]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"hostagent: {message.format(path)}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--profile", "none.yaml"], "none.yaml: No such file or directory"),
        (["--root", "/nowhere"], "--root /nowhere: "),
        (["--report", "none.json"], "--report none.json: No such file or directory"),
        (["--report", "odd.json"], "--report odd.json: "),
        (["--report", "empty"], "--report empty: expected files *.json or *.tar.gz in it"),
        (["--report", "odd.json", "more/odd.json"], "--report"),
    ],
)
def test_other_bad_input_is_status_2(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    assert main(["check", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"hostagent: {message}")
    assert err.count("\n") == 1


def test_two_reports_of_one_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = report(tmp_path / "x", "a", host()), report(tmp_path / "y", "a", host())
    assert main(["check", "--report", first, second]) == 2
    assert capsys.readouterr().err == (
        f"hostagent: --report: two reports of node a: {first} and {second}; expected one of each\n"
    )


def test_of_many_findings_of_one_code_the_table_shows_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = ready()
    for number in range(10):
        machine.function(f"0000:{0x50 + number:x}:00.0", T4, T4_CLASS, driver="nouveau", group=50 + number)
    place, profile = root(tmp_path / "worker-1", machine), wanted(tmp_path)
    assert main(["check", "--root", place, "--profile", profile]) == 1
    out = capsys.readouterr().out
    assert out.count("  BLOCKER configured-not-bound ") == 8
    assert "          and 2 more of configured-not-bound: -o json has them all\n" in out
    assert main(["check", "--root", place, "--profile", profile, "-o", "json"]) == 1
    (node,) = json.loads(capsys.readouterr().out)["nodes"]
    assert sum(finding["code"] == "configured-not-bound" for finding in node["findings"]) == 10
