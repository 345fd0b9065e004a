"""What the running agent costs: memory at rest, idle CPU, growth, scrapes, and how fast an event is published.

    python bench/daemon_rest.py [--idle 60] [--scrapes 10000] [--surveys 1000] [--functions 1300] [--rounds 20]

One `hostagent run` with everything on: both wake sources, TLS and a password, every file, a profile, a synthetic machine of
--functions PCI functions (1,300: about 3,000 series). Event to published (root only: it writes to /sys/class/net/lo/uevent)
counts from the uevent until the feature file, and until /metrics, say what was planted before it; the settings are the defaults
(0.25 s quiet, 1 s at most). node_exporter, where it is installed, is scraped in turn with ours.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import bcrypt  # noqa: E402

from bench.synthetic import build  # noqa: E402
from tests.daemon.http_certificates import authority, server_pair  # noqa: E402
from tests.plant import pci_function, plant  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
PORT = 10846
LO = "/sys/class/net/lo/uevent"
PROFILE = "platform: {name: debian}\ndevices: [{id: 10de:1eb8}]\nhugepages: {pools: [{size: 1G, count: 4}]}\n"


class Agent:
    """A running agent over a planted machine."""

    def __init__(self, place: Path, functions: int) -> None:
        self.place, self.root = place, place / "root"
        self.features = place / "hostagent"
        build(self.root, functions)
        pair = server_pair()
        pair.write(place, "server")
        hashed = bcrypt.hashpw(b"password", bcrypt.gensalt(10)).decode()
        (place / "web.yml").write_text(
            "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
            f"basic_auth_users: {{bench: {hashed}}}\n"
        )
        (place / "profile.yaml").write_text(PROFILE)
        (place / "config.yaml").write_text(
            f"sinks:\n  nfd: {{path: {self.features}}}\n  report: {{path: {place}/report.json}}\n"
            f"  textfile: {{enabled: true, path: {place}/hostagent.prom}}\n"
            f"web: {{listen: ['127.0.0.1:{PORT}'], config: {place}/web.yml}}\nprofile: {place}/profile.yaml\n"
        )
        command = [
            sys.executable,
            "-m",
            "hostagent",
            "run",
            "--config",
            str(place / "config.yaml"),
            "--root",
            str(self.root),
        ]
        self.process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)})
        self.tls = ssl.create_default_context(cadata=authority().cert_pem)
        self.kept: http.client.HTTPSConnection | None = None
        until(lambda: self.get("/-/ready") is not None)

    def get(self, path: str) -> bytes:
        """A page over the kept connection."""
        if self.kept is None:
            self.kept = http.client.HTTPSConnection("localhost", PORT, timeout=10, context=self.tls)
        try:
            self.kept.request("GET", path, headers={"Authorization": "Basic YmVuY2g6cGFzc3dvcmQ="})
            answer = self.kept.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.kept.close()
            self.kept = None
            raise
        if answer.status != 200:
            raise OSError(answer.status)
        return body

    def memory(self) -> str:
        """Resident and private megabytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        found = {
            line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmRSS", "RssAnon"))
        }
        return f"{found['VmRSS']:.1f} MB resident, {found['RssAnon']:.1f} MB of it private"

    def cpu(self) -> float:
        """Seconds of processor used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def until(holds: object) -> float:
    """Seconds until something is true."""
    began = time.perf_counter()
    while time.perf_counter() - began < 60:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if holds():  # type: ignore[operator]
                return time.perf_counter() - began
        time.sleep(0.002)
    raise TimeoutError


def latencies(agent: Agent, rounds: int) -> Iterator[tuple[float, float]]:
    """Seconds from a uevent until the label file, and until /metrics, say what was planted."""
    key = "hostagent.io/pci-1af4-1041.count="
    device = agent.root / "sys/bus/pci/devices/00ff:00:00.0"
    for number in range(rounds * 2):
        there = number % 2 == 0
        time.sleep(1.2)
        if there:
            plant(agent.root, pci_function(device.name, id="1AF4:1041"))
        else:
            shutil.rmtree(device)
        began = time.perf_counter()
        with open(LO, "w", encoding="ascii") as file:
            file.write("change")
        until(lambda: (key in agent.features.read_text()) == there)  # noqa: B023
        label = time.perf_counter() - began
        until(lambda: (device.name.encode() in agent.get("/metrics?collect[]=pci")) == there)  # noqa: B023
        yield label, time.perf_counter() - began


def scrapes(agent: Agent, count: int) -> str:
    """p50 and p99 of whole scrapes over kept connections, ours and node_exporter's in turn."""
    ours: list[float] = []
    theirs: list[float] = []
    exporter = shutil.which("prometheus-node-exporter")
    other = None
    if exporter is not None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        other = subprocess.Popen([exporter, f"--web.listen-address=127.0.0.1:{PORT + 1}"], **quiet)  # type: ignore[call-overload]
    line = http.client.HTTPConnection("127.0.0.1", PORT + 1, timeout=10)

    def ask() -> bool:
        try:
            line.request("GET", "/metrics")
            return bool(line.getresponse().read())
        except OSError:
            line.close()
            raise

    if other is not None:
        until(ask)
    for number in range(count):
        began = time.perf_counter()
        body = agent.get("/metrics")
        ours.append(time.perf_counter() - began)
        if other is not None and number % 20 == 0:
            began = time.perf_counter()
            ask()
            theirs.append(time.perf_counter() - began)
    line.close()
    if other is not None:
        other.kill()
        other.wait()
    series = sum(1 for row in body.splitlines() if not row.startswith(b"#"))
    said = f"{series} series, {len(body) >> 10} KB, TLS: {percentiles(ours)}"
    return said + (f"; node_exporter, plain: {percentiles(theirs)}" if theirs else "")


def percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"p50 {ordered[len(ordered) // 2] * 1e3:.2f} ms, p99 {ordered[len(ordered) * 99 // 100] * 1e3:.2f} ms"


def survey_often(agent: Agent, count: int) -> None:
    """Surveys that all find something new; each SIGHUP is one."""
    device = agent.root / "sys/bus/pci/devices/00ff:00:00.0"
    for _ in range(count):
        there = device.exists()
        if there:
            shutil.rmtree(device)
        else:
            plant(agent.root, pci_function(device.name, id="1AF4:1041"))
        agent.process.send_signal(signal.SIGHUP)
        until(lambda: ("pci-1af4-1041" in agent.features.read_text()) != there)  # noqa: B023


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("idle", 60), ("scrapes", 10_000), ("surveys", 1000), ("functions", 1300), ("rounds", 20)):
        options.add_argument(f"--{name}", type=int, default=default)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        agent = Agent(Path(place), given.functions)
        try:
            time.sleep(3)
            print(f"at rest: {agent.memory()}")
            before = agent.cpu()
            time.sleep(given.idle)
            print(f"idle for {given.idle} s: {(agent.cpu() - before) / given.idle:.3%} of a core")
            if os.access(LO, os.W_OK):
                pairs = list(latencies(agent, given.rounds))
                for name, values in (("label", [pair[0] for pair in pairs]), ("metric", [pair[1] for pair in pairs])):
                    print(f"event to {name}: median {statistics.median(values):.3f} s, most {max(values):.3f} s")
            print(f"scrapes: {scrapes(agent, given.scrapes)}")
            print(f"after {given.scrapes} scrapes: {agent.memory()}")
            survey_often(agent, given.surveys)
            print(f"after {given.surveys} surveys: {agent.memory()}")
            began = time.perf_counter()
            agent.process.terminate()
            print(f"SIGTERM: gone with status {agent.process.wait(10)} after {time.perf_counter() - began:.2f} s")
        finally:
            agent.process.kill()
            agent.process.wait()


if __name__ == "__main__":
    main()
