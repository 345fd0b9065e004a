"""The textfile, the report's file, and writing either so that nobody ever reads half."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hostagent.area import Metric, Sample
from hostagent.host import Host
from hostagent.publish.prometheus import filled, text
from hostagent.publish.report_file import report_file
from hostagent.publish.textfile import textfile
from hostagent.publish.whole import write_whole
from hostagent.report import survey
from hostagent.schema import read_report
from tests.plant import pci_function, plant

EXTRA = Metric(name="hostagent_finding", help="A finding.", labels=("code",))


def test_the_textfile_is_the_metrics_and_more_without_timestamps(tmp_path: Path) -> None:
    report = survey(Host(str(plant(tmp_path, pci_function("0000:00:01.0")))))
    found = textfile(report, filled((EXTRA,), (Sample(metric=EXTRA, labels=("iommu-off",), value=1),)))
    assert found.startswith(text(report))
    assert found.endswith(b'hostagent_finding{code="iommu-off"} 1.0\n')
    families = text_string_to_metric_families(found.decode())
    assert all(sample.timestamp is None for family in families for sample in family.samples)


def test_the_report_file_reads_back(tmp_path: Path) -> None:
    report = survey(Host(str(plant(tmp_path, pci_function("0000:00:01.0")))))
    written = report_file(report)
    assert json.loads(written)["schema_version"] == 2
    assert read_report(written, "report.json") == report


def test_written_whole_with_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "file"
    before = os.umask(0o077)
    try:
        write_whole(str(path), b"one", mode=0o644)
    finally:
        os.umask(before)
    write_whole(str(path), b"another", mode=0o644)
    assert path.read_bytes() == b"another"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["file"]


def test_what_a_killed_writer_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".file.tmp").write_bytes(b"half of")
    (tmp_path / ".file.tmp").chmod(0)
    write_whole(str(tmp_path / "file"), b"all", mode=0o644)
    assert (tmp_path / "file").read_bytes() == b"all"
    assert os.listdir(tmp_path) == ["file"]


def test_a_link_planted_for_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / ".file.tmp").symlink_to("victim")
    write_whole(str(tmp_path / "file"), b"all", mode=0o644)
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError) as failed:
        write_whole(str(tmp_path / "file"), b"all", mode=0o644)
    assert failed.value.errno == errno.EISDIR
    assert os.listdir(tmp_path) == ["file"]


def test_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(str(tmp_path / "absent" / "file"), b"all", mode=0o644)
