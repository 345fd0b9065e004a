"""`hostagent run` as a process over a planted machine, and ways to ask it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.run import REPOSITORY
from tests.plant import pci_function, plant

SECONDS = 120.0


def until(holds: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait until something is true; OSError is not yet."""
    patience = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except (OSError, http.client.HTTPException):
            pass
        assert time.monotonic() < patience, "it never became true"
        time.sleep(0.02)


def until_said(log: Path, words: str) -> None:
    """Wait for words in a log: an agent says what it did a moment after it is done."""
    until(lambda: words in log.read_text())


class Running:
    """A running agent: its process, its tree, its files, its port."""

    def __init__(self, process: subprocess.Popen[bytes], place: Path, port: int) -> None:
        self.process, self.place, self.port = process, place, port
        self.root = place / "root"
        self.features, self.report, self.textfile = (
            place / "features.d" / "hostagent",
            place / "run" / "report.json",
            place / "text" / "hostagent.prom",
        )
        self.config = place / "config.yaml"
        self.log = place / "log"

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def metric(self, line: str) -> str | None:
        """The value of a series, None where there is none."""
        text = self.get("/metrics")[1].decode()
        return next((row.rpartition(" ")[2] for row in text.splitlines() if row.startswith(f"{line} ")), None)

    def labels(self) -> dict[str, str]:
        """The labels in the feature file."""
        lines = self.features.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    def hangup(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def leave(self) -> float:
        """SIGTERM, and how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(SECONDS) == 0, self.log.read_text()
        return time.monotonic() - began


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def configuration(place: Path, more: str = "", interval: str = "1s") -> str:
    """Every sink, each in a directory of its own, and no patience."""
    return (
        f"sinks:\n  nfd: {{path: {place}/features.d/hostagent}}\n  report: {{path: {place}/run/report.json}}\n"
        f"  textfile: {{enabled: true, path: {place}/text/hostagent.prom}}\n"
        f"timing: {{quiet: 50ms, bound: 200ms, interval: {interval}}}\n{more}"
    )


@contextmanager
def started(place: Path, *words: str, **given: Any) -> Iterator[Running]:
    """An agent that has published once; killed at the end if it is still there. `given`: as below."""
    with started_without_pages(place, *words, **given) as agent:
        until(lambda: agent.get("/-/ready")[0] == 200 and agent.metric('hostagent_sink_success{sink="textfile"}'))
        yield agent


@contextmanager
def started_without_pages(
    place: Path,
    *words: str,
    more: str = "",
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    interval: str = "1s",
    program: tuple[str, ...] = ("-m", "hostagent"),
) -> Iterator[Running]:
    """An agent that has written its files, and lets nobody look at its pages, maybe."""
    plant(place / "root", {**pci_function("0000:00:01.0", driver="e1000e"), **(files or {})})
    for name in ("features.d", "run", "text"):
        (place / name).mkdir(exist_ok=True)
    (place / "config.yaml").write_text(configuration(place, more, interval))
    port = free_port()
    command = [
        *(sys.executable, *program, "run", "--config", str(place / "config.yaml")),
        *("--root", str(place / "root"), "--web.listen-address", f"127.0.0.1:{port}", *words),
    ]
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "error"}
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log, env={**given, **(environment or {})})
    agent = Running(process, place, port)
    try:
        until(agent.textfile.exists)
        yield agent
    finally:
        process.kill()
        process.wait()
