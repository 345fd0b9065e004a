"""What a survey may import: start-up is most of its time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.run import REPOSITORY

# Measured, each: pyroute2 125 ms, pydantic 60 to 100, prometheus_client 51, rich 36, psutil 19, pyudev 20, argparse 10.
HEAVY = {
    "argparse", "asyncio", "contextlib", "dataclasses", "enum", "inspect", "json", "logging", "pathlib", "prometheus_client",
    "psutil", "pydantic", "pydantic_core", "pyroute2", "pyudev", "re", "rich", "shutil", "socket", "ssl", "subprocess",
    "tempfile", "typing", "yaml",
}  # fmt: skip
_PROGRAM = """
import sys
before = set(sys.modules)
from hostagent.cli import main
status = main(sys.argv[1:])
print(*sorted(name for name in set(sys.modules) - before), file=sys.stderr)
sys.exit(status)
"""


def imported(*words: str) -> set[str]:
    """Top-level modules that one command imports, without what site imports for itself."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n{_PROGRAM}", *words],
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode in (0, 3), done.stderr.decode()
    json.loads(done.stdout)
    return {name.partition(".")[0] for name in done.stderr.decode().split("\n")[-2].split()}


def test_a_survey_imports_nothing_heavy() -> None:
    assert sorted(imported("probe", "-o", "json") & HEAVY) == []


@pytest.mark.parametrize("words", [["--output=json"], ["-ojson"]])
def test_argparse_brings_no_third_party_package(words: list[str]) -> None:
    found = imported("probe", *words)
    assert "argparse" in found
    assert sorted(found & HEAVY - {"argparse", "contextlib", "enum", "re", "shutil"}) == []
