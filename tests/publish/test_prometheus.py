"""Metric families: every declared one, no series for an absent fact, text that promtool and the parsers accept."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from hostagent import __version__
from hostagent.host import Host
from hostagent.publish.prometheus import declared, families, openmetrics, text
from hostagent.report import AREAS, NodeReport, survey
from tests.plant import pci_function, plant, unreadable
from tests.roots import roots

PROMTOOL = shutil.which("promtool")


def pci_report(root: Path) -> NodeReport:
    return survey(Host(str(root)), frozenset({"pci"}))


def series(data: bytes) -> list[str]:
    return [line for line in data.decode().splitlines() if not line.startswith("#")]


def test_samples_and_the_survey_itself(tmp_path: Path) -> None:
    root = plant(tmp_path, pci_function("0000:00:01.0", driver='odd"driver\\'))
    unreadable(root, "sys/bus/pci/devices/0000:00:01.0/numa_node")
    assert series(text(pci_report(root))) == [
        'hostagent_area_success{area="pci"} 1.0',
        'hostagent_area_problems{area="pci"} 1.0',
        f'hostagent_build_info{{version="{__version__}"}} 1.0',
        (
            'hostagent_pci_device_info{address="0000:00:01.0",class_id="020000",device_id="10d3",numa_node="",'
            'subsystem_device_id="0000",subsystem_vendor_id="8086",vendor_id="8086"} 1.0'
        ),
        'hostagent_pci_device_driver_info{address="0000:00:01.0",driver="odd\\"driver\\\\",iommu_group=""} 1.0',
    ]


def test_an_absent_fact_has_a_family_and_no_series(tmp_path: Path) -> None:
    root = plant(tmp_path, pci_function("0000:00:01.0"))
    found = {family.name: family for family in families(pci_report(root))}
    assert found["hostagent_pci_device_driver_info"].samples == []
    assert found["hostagent_pci_device_driver_info"].documentation


def test_areas_not_asked_for_have_no_family(tmp_path: Path) -> None:
    root = plant(tmp_path, {})
    asked = {family.name for family in families(pci_report(root))}
    others = {metric.name for area in AREAS.values() if area.name != "pci" for metric in area.metrics}
    assert not asked & others


def test_a_name_that_is_not_utf8_does_not_cost_the_text(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        pci_function("0000:00:01.0") | {"sys/bus/pci/devices/0000:00:01.0/uevent": "PCI_CLASS=1\nPCI_ID=8086:1\n"},
    )
    place = root / "sys/bus/pci/devices/0000:00:02.0"
    place.mkdir()
    for name, value in {"class": "0x020000", "vendor": "0x8086", "device": "0x10d3"}.items():
        (place / name).write_text(value)
    (place / "driver").symlink_to(b"../drivers/\xff".decode("utf-8", "surrogateescape"))
    assert any(r'driver="\\udcff"' in line for line in series(text(pci_report(root))))


def test_names_are_declared_once() -> None:
    names = [metric.name for metric in declared()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("root", roots())
def test_every_sample_is_declared_once_and_reads_back(root: str) -> None:
    host = Host(root)
    report = survey(host)
    host.close()
    found = families(report)
    assert {family.name for family in found} == {metric.name for metric in declared()}
    for family in found:
        keys = [tuple(sorted(sample.labels.items())) for sample in family.samples]
        assert len(keys) == len(set(keys)), f"{family.name} has a series twice"
    expected = [(s.name, s.labels, s.value) for family in found for s in family.samples]
    classic = read_text(text(report).decode())
    modern = read_openmetrics(openmetrics(report).decode())  # type: ignore[no-untyped-call]
    for parsed in (classic, modern):
        assert [(s.name, s.labels, s.value) for family in parsed for s in family.samples] == expected


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize("root", roots())
def test_promtool_has_no_complaint(root: str) -> None:
    host = Host(root)
    data = text(survey(host))
    host.close()
    done = subprocess.run(
        [str(PROMTOOL), "check", "metrics"], input=data, capture_output=True, check=False, timeout=300
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
