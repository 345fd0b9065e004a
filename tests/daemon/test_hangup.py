"""SIGHUP at many moments of a real process's life, chosen by what it executes, not by a clock."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.daemon.running import started_without_pages, until

# Sends SIGHUP to itself at every N-th call of a Python function, from hostagent.cli.entry's first to the interpreter's last.
STORM = """\
import os, signal, sys, threading
place, every, offset = sys.argv.pop(1), int(sys.argv.pop(1)), int(sys.argv.pop(1))
calls = sent = 0
begun = False

def hook(frame, event, argument):
    global calls, sent, begun
    if event != "call":
        return
    if not begun:
        begun = frame.f_code.co_name == "signal" and frame.f_back.f_code.co_filename.endswith("hostagent/cli/entry.py")
        return
    calls += 1
    if calls % every == offset:
        sent += 1
        signal.raise_signal(signal.SIGHUP)

def count():
    with open(place, "w") as file:
        file.write(str(sent))

import atexit
atexit.register(count)
sys.setprofile(hook)
import runpy
runpy.run_module("hostagent", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("offset", [0, 2003])
def test_it_ends_nothing_at_any_moment(tmp_path: Path, offset: int) -> None:
    """Imports, settings, the first survey, reloads during surveys and reloads, the stop, and what comes after the loop."""
    (tmp_path / "storm.py").write_text(STORM)
    with started_without_pages(
        tmp_path, program=(str(tmp_path / "storm.py"), str(tmp_path / "sent"), "4001", str(offset))
    ) as agent:
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(120) == 0, agent.log.read_text()
    assert int((tmp_path / "sent").read_text()) > 10
    assert "Traceback" not in agent.log.read_text()


# What the process does once its loop is closed, and once more as the interpreter goes.
LATE = """\
import asyncio, atexit, runpy, signal, sys
closed = asyncio.SelectorEventLoop.close

def close(loop):
    closed(loop)
    signal.raise_signal(signal.SIGHUP)

asyncio.SelectorEventLoop.close = close
atexit.register(signal.raise_signal, signal.SIGHUP)
runpy.run_module("hostagent", run_name="__main__", alter_sys=True)
"""


def test_it_ends_nothing_behind_the_loop(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(LATE)
    with started_without_pages(tmp_path, program=(str(tmp_path / "late.py"),)) as agent:
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(120) == 0, agent.log.read_text()


# A hangup between the reading of the settings and the loop: what was changed meanwhile holds.
EARLY = """\
import runpy, signal, sys
import hostagent.daemon.service as service
host, config = service.Host, sys.argv.pop(1)

def changed(root):
    with open(config, "a") as file:
        file.write("labels: {prefix: late.example.org}\\n")
    signal.raise_signal(signal.SIGHUP)
    return host(root)

service.Host = changed
runpy.run_module("hostagent", run_name="__main__", alter_sys=True)
"""


def test_what_was_asked_for_before_the_loop_is_done_by_it(tmp_path: Path) -> None:
    (tmp_path / "early.py").write_text(EARLY)
    program = (str(tmp_path / "early.py"), str(tmp_path / "config.yaml"))
    with started_without_pages(tmp_path, program=program) as agent:
        until(lambda: any(key.startswith("late.example.org/") for key in agent.labels()))
