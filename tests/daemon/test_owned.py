"""Two agents and one path: the second says so, writes nothing, leaves nothing, and takes over when the first is gone."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hostagent.daemon.owned import OwnedFile
from tests.cli.run import REPOSITORY, hostagent
from tests.daemon.running import configuration, started, until, until_said
from tests.plant import pci_function, plant


def test_a_second_agent_says_so_and_writes_nothing(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        plant(tmp_path / "other", pci_function("0000:00:09.0", driver="vfio-pci"))
        (tmp_path / "other.yaml").write_text(configuration(tmp_path, "labels: {prefix: second.example.org}\n"))
        words = ("run", "--config", str(tmp_path / "other.yaml"), "--root", str(tmp_path / "other"))
        before = {path.name: path.stat().st_ino for path in (first.report,)}
        with (tmp_path / "said").open("wb") as log:
            second = subprocess.Popen(
                [sys.executable, "-m", "hostagent", *words, "--web.listen-address", f"unix:{tmp_path}/web"],
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            )
        try:
            told = tmp_path / "said"
            for name, path in (("nfd", first.features), ("report", first.report), ("textfile", first.textfile)):
                line = f"error: {name}: {path} cannot be written: another agent writes to it\n"
                until_said(told, line)
            assert {path.name: path.stat().st_ino for path in (first.report,)} == before
            assert not any(key.startswith("second.example.org/") for key in first.labels())
            once = hostagent(*words[:1], "--once", *words[1:], "--sink", "report")
            assert (once.status, "another agent writes to it" in once.err) == (4, True)

            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            assert sorted(os.listdir(first.features.parent)) == ["hostagent"], "no lock is left behind"
            second.send_signal(signal.SIGHUP)
            until(lambda: any(key.startswith("second.example.org/") for key in first.labels()))
            until_said(told, f"info: nfd: {first.features} is written again\n")
            assert sorted(os.listdir(first.features.parent)) == ["hostagent"]
        finally:
            second.kill()
            second.wait()


def test_the_lock_moves_with_every_rename(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    one, two = OwnedFile(path), OwnedFile(path)
    for content in (b"a", b"b", b"c"):
        one.write(content, mode=0o644)
        with pytest.raises(OSError, match="another agent writes to it"):
            two.write(b"no", mode=0o644)
        assert Path(path).read_bytes() == content
    one.release()
    two.write(b"d", mode=0o644)
    with pytest.raises(OSError, match="another agent writes to it"):
        one.write(b"e", mode=0o644)
    assert (Path(path).read_bytes(), os.listdir(tmp_path), two.locks) == (b"d", ["file"], True)
    two.release()


def test_what_is_no_file_is_neither_opened_nor_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file")
    one = OwnedFile(str(tmp_path / "file"))
    with pytest.raises(OSError, match="not a regular file: a FIFO"):
        one.write(b"a", mode=0o644)
    assert (tmp_path / "file").is_fifo()
    assert os.listdir(tmp_path) == ["file"]
    one.release()


def test_a_directory_that_somebody_keeps_locked_is_waited_for_another_time(tmp_path: Path) -> None:
    holder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    one = OwnedFile(str(tmp_path / "file"))
    with pytest.raises(OSError, match="another process keeps its directory locked"):
        one.write(b"a", mode=0o644)
    os.close(holder)
    one.write(b"a", mode=0o644)
    one.release()
    assert os.listdir(tmp_path) == ["file"]
