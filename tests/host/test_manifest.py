"""A capture's word on itself comes from anybody: whatever it is, the rest of the capture is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.host import Host, Problem
from hostagent.host.problem import MANIFEST
from hostagent.report import problems, survey
from tests.plant import plant

GOOD = '{"operation": "read", "path": "sys/a", "kind": "unreadable", "detail": "EIO: Input/output error"}'


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"errors": 1}', '{"errors": [1]}', '{"errors": [{"path": "sys/a"}]}', "[" * 100_000,
        b"\xff\xfe", f'{{"errors": [{GOOD}, {{"operation": "close", "path": "x", "kind": "unreadable", "detail": "x"}}]}}',
        '{"errors": [{"operation": "read", "path": ["x"], "kind": "unreadable", "detail": "x"}]}',
        '{"errors": [{"operation": "read", "path": "x", "kind": "\\u001b[31m", "detail": "x"}]}',
        '{"errors": [{"operation": "read", "path": "x", "kind": "unreadable", "detail": null}]}',
    ],
)  # fmt: skip
def test_a_manifest_that_is_none_is_one_problem(tmp_path: Path, text: str | bytes) -> None:
    root = plant(tmp_path, {MANIFEST: text, "proc/sys/kernel/osrelease": "6.12.0\n"})
    report = survey(Host(str(root)))
    ((area, problem),) = problems(report)
    assert (area, problem.path, problem.kind) == ("pci", MANIFEST, "malformed")
    assert report.kernel is not None
    assert report.kernel.data is not None
    assert report.kernel.data.release == "6.12.0"


def test_what_failed_on_the_machine_fails_again(tmp_path: Path) -> None:
    root = plant(tmp_path, {MANIFEST: f'{{"errors": [{GOOD}]}}', "sys/a": "there\n"})
    reader = Host(str(root)).reader()
    assert reader.text("sys/a") is None
    assert reader.problems == [Problem(path="sys/a", kind="unreadable", detail="EIO: Input/output error")]
