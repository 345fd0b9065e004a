"""The reference documents, and that those in docs/ are what the code says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hostagent.cli import main
from hostagent.cli.entry import COMMANDS, STATUSES
from hostagent.cli.reference import documents
from hostagent.publish.judged import label_docs
from hostagent.publish.prometheus import declared
from hostagent.report import AREAS
from tests.roots import REPOSITORY

DOCS = REPOSITORY / "docs"


def test_the_documents_are_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", str(DOCS), "--check"]) == 0, f"run `hostagent docs docs`: {capsys.readouterr().err}"


def test_stale_and_missing_documents_are_named_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in documents():
        shutil.copy(DOCS / name, tmp_path)
    (tmp_path / "cli.md").write_text("old")
    (tmp_path / "labels.md").unlink()
    expected = [f"hostagent: {tmp_path / name} is out of date\n" for name in ("cli.md", "labels.md")]
    assert main(["docs", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr() == ("", "".join(expected))
    assert (tmp_path / "cli.md").read_text() == "old"
    assert main(["docs", str(tmp_path)]) == 0
    assert main(["docs", str(tmp_path), "--check"]) == 0


def test_a_missing_directory_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"hostagent: {tmp_path / 'none'}: expected a directory\n"


def test_everything_declared_is_documented() -> None:
    found = documents()
    assert all(f"| `{metric.name}` |" in found["metrics.md"] for metric in declared())
    assert all(f"| `{doc.key}` |" in found["labels.md"] for area in AREAS.values() for doc in label_docs(area))
    assert all(f"\n## hostagent {name}\n" in found["cli.md"] for name in COMMANDS)
    assert all(f"| {status} | {meaning} |" in found["cli.md"] for status, meaning in STATUSES)
