"""The local fact as Ansible runs it: one JSON object on standard output, or a status that is not 0."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.plant import pci_function, plant, unreadable
from tests.roots import REPOSITORY

FACT = REPOSITORY / "deploy" / "ansible" / "hostagent.fact"


def _run(path: Path) -> subprocess.CompletedProcess[str]:
    # Where hostagent may be installed besides stays out of it: the script appends, it does not replace.
    environment = {"PATH": f"{path}:/bin", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run([str(FACT)], capture_output=True, text=True, check=False, timeout=300, env=environment)


def _install(directory: Path, words: str) -> Path:
    """A `hostagent` on PATH that is this checkout's, looking at `words`."""
    directory.mkdir()
    command = directory / "hostagent"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m hostagent "$@" {words}\n')
    command.chmod(0o755)
    return directory


def test_it_can_be_executed() -> None:
    assert os.access(FACT, os.X_OK)


def test_it_prints_facts_of_a_whole_machine(tmp_path: Path) -> None:
    root = plant(tmp_path / "root", pci_function("0000:01:00.0"))
    done = _run(_install(tmp_path / "bin", f"--root {root} --only pci"))
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    assert facts["complete"] is True
    assert facts["labels"] == {"pci_8086_10d3_count": "1"}


def test_what_could_not_be_read_is_a_fact_and_no_failure(tmp_path: Path) -> None:
    root = plant(tmp_path / "root", pci_function("0000:01:00.0"))
    unreadable(root, "sys/bus/pci/devices/0000:01:00.0/numa_node")
    done = _run(_install(tmp_path / "bin", f"--root {root} --only pci"))
    assert done.returncode == 0
    assert json.loads(done.stdout)["complete"] is False


def test_bad_input_is_a_failure(tmp_path: Path) -> None:
    assert _run(_install(tmp_path / "bin", f"--root {tmp_path}/none")).returncode == 2


@pytest.mark.skipif(
    any(Path(place, "hostagent").exists() for place in ("/usr/bin", "/usr/local/bin")), reason="installed here"
)
def test_a_host_without_hostagent_has_no_facts(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, {}, "")


def test_the_playbook_puts_it_where_ansible_looks() -> None:
    (play,) = yaml.safe_load((FACT.parent / "facts.yaml").read_text())
    (copy,) = [task["ansible.builtin.copy"] for task in play["tasks"] if "ansible.builtin.copy" in task]
    assert copy == {"src": FACT.name, "dest": "/etc/ansible/facts.d/hostagent.fact", "mode": "0755"}
