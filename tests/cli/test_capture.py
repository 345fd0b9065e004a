"""`hostagent capture`: what it writes over, what it takes for a machine, what a full disk makes of it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from bench.synthetic import build
from hostagent.cli import main
from hostagent.host import Host
from tests.plant import pci_function, plant


def test_no_node_and_no_pipe_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    root = str(plant(tmp_path / "root", pci_function("0000:00:01.0")))
    assert main(["capture", "--root", root, str(tmp_path / "pipe")]) == 2
    assert (tmp_path / "pipe").is_fifo()
    assert capsys.readouterr().err == (
        f"hostagent: {tmp_path}/pipe: expected a file to replace or a new one, saw something else\n"
    )


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ("empty", "holds neither sys nor proc; expected the root of a machine"),
        ("missing", "No such file or directory; expected a directory that holds sys or proc"),
        ("file", "expected a directory or a capture.tar.gz"),
    ],
)
def test_what_is_no_machine_is_not_captured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], root: str, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "file")
    assert main(["capture", "--root", str(tmp_path / root), str(tmp_path / "x.tar.gz")]) == 2
    assert capsys.readouterr().err == f"hostagent: --root {tmp_path / root}: {said}\n"
    assert not (tmp_path / "x.tar.gz").exists()


def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    root = str(plant(tmp_path / "root", pci_function("0000:00:01.0")))
    command = [sys.executable, "-m", "hostagent", "capture", "--root", root, str(tmp_path / "x.tar.gz")]
    done = subprocess.run(
        command,
        # Byte code cut off at the limit would stay beside the sources.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    assert (done.returncode, done.stderr) == (4, f"hostagent: {tmp_path}/x.tar.gz: File too large\n")
    assert sorted(os.listdir(tmp_path)) == ["root"]


def test_a_large_machine_is_captured_and_read_back(tmp_path: Path) -> None:
    root = build(tmp_path / "root", 512)
    assert main(["capture", "--root", str(root), str(tmp_path / "x.tar.gz")]) == 0
    assert len(Host(str(tmp_path / "x.tar.gz")).reader().names("sys/bus/pci/devices")) == 512
