"""Scrape latency of the web server against prometheus-node-exporter, quiet and under 100 hostile clients.

    python bench/http_latency.py [--scrapes 300] [--realtime]

Each figure is a whole scrape as curl or a fresh Prometheus does it: connect (and TLS handshake), request, every byte of
the answer. "kept" reuses one connection, as Prometheus does between scrapes. All targets are asked in turn, so that what
else the machine does hits all of them alike. Hostile clients come back as soon as they are thrown out; a third is silent, a third
stops in the middle of a request (or of a ClientHello), a third sends random bytes. Ours serves 3,000 series (273 KB) prepared in
memory; node_exporter collects what it finds, which is less. RSS is VmRSS after the run. `--realtime` (root) lets the
servers and the measuring client go before everything else on the machine (SCHED_RR), the hostile clients not: for a machine
that has other work.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import secrets
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from hostagent.daemon.http import Server
from hostagent.daemon.http_message import LIMITS, prepared
from hostagent.daemon.http_negotiate import TEXT

NODE_EXPORTER = "prometheus-node-exporter"
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_REQUEST = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
HOSTILE = 100


def page() -> bytes:
    line = 'hostagent_pci_device_info{{address="{:04x}:{:02x}:00.0",vendor_id="8086",device_id="1572"}} 1\n'
    return "".join(line.format(n >> 8, n & 255) for n in range(3000)).encode().ljust(273_000, b"#")


def serve(port: int, web_config: str | None) -> None:
    """A server process of ours, until it is killed."""
    body = page()

    async def run() -> None:
        web = None
        if web_config is not None:
            from hostagent.daemon.webconfig import WebConfigFile

            web = WebConfigFile(web_config)
        server = Server(routes={"/metrics": lambda _: prepared(TEXT, body)}, limits=LIMITS, web_config=web)
        await server.start((f"127.0.0.1:{port}",))
        await asyncio.Event().wait()

    asyncio.run(run())


class Target:
    """One server process under measurement."""

    def __init__(self, name: str, command: list[str], port: int, tls: ssl.SSLContext | None) -> None:
        self.name, self.port, self.tls = name, port, tls
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.kept: socket.socket | None = None
        for _ in range(100):
            with contextlib.suppress(OSError):
                self.scrape()
                return
            time.sleep(0.1)
        raise RuntimeError(f"{name} does not answer")

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return sock if self.tls is None else self.tls.wrap_socket(sock, server_hostname="localhost")

    def scrape(self) -> float:
        """Seconds of a whole scrape on a new connection."""
        began = time.perf_counter()
        with self.connect() as sock:
            sock.sendall(LAST_REQUEST)
            while sock.recv(1 << 20):
                pass
        return time.perf_counter() - began

    def scrape_kept(self) -> float:
        """Seconds of a whole scrape on a connection that stays."""
        if self.kept is None:
            self.kept = self.connect()
        began = time.perf_counter()
        self.kept.sendall(REQUEST)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.kept.recv(1 << 20)
        head, _, body = got.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length: " in lower:
            left = int(lower.partition(b"content-length: ")[2].split(b"\r\n")[0]) - len(body)
            while left > 0:
                left -= len(self.kept.recv(1 << 20))
        else:
            while not body.endswith(b"0\r\n\r\n"):
                body = body[-8:] + self.kept.recv(1 << 20)
        return time.perf_counter() - began

    def rss(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self) -> None:
        if self.kept is not None:
            self.kept.close()
        self.process.kill()
        self.process.wait()


def annoy(port: int, *, tls: bool) -> None:
    """HOSTILE clients of one server, each coming back as soon as it is thrown out; until killed."""

    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))

    async def one(kind: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                half = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" if tls else b"GET /metrics HTTP/1.1\r\nHo"
                writer.write((b"", half, secrets.token_bytes(random.randint(1, 4000)))[kind])
                await reader.read()
                writer.close()
            await asyncio.sleep(0.2)

    async def run() -> None:
        await asyncio.gather(*(one(number % 3) for number in range(HOSTILE)))

    asyncio.run(run())


@contextlib.contextmanager
def annoyed(target: Target, *, hostile: bool) -> Iterator[None]:
    """The target with its hostile clients around it, or without."""
    if not hostile:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(
        target=annoy, args=(target.port,), kwargs={"tls": target.tls is not None}, daemon=True
    )
    process.start()
    time.sleep(1.5)
    yield
    process.kill()
    process.join()


def certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """A web configuration with a certificate, and a client that trusts it."""
    from tests.daemon.http_certificates import client_context, server_pair

    server_pair().write(directory, "server")
    path = directory / "web.yml"
    path.write_text("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n")
    return path, client_context(directory)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def targets(directory: Path) -> list[Target]:
    web, client = certificate(directory)
    found = []
    exporter = shutil.which(NODE_EXPORTER)
    for tls in (None, client):
        port, suffix = free_port(), "" if tls is None else ", TLS"
        ours = [
            sys.executable,
            "-I",
            __file__,
            "--serve",
            str(port),
            *([] if tls is None else ["--web-config", str(web)]),
        ]
        found.append(Target(f"hostagent{suffix}", ours, port, tls))
        if exporter is not None:
            port = free_port()
            theirs = [exporter, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
            theirs += [] if tls is None else [f"--web.config.file={web}"]
            found.append(Target(f"node_exporter{suffix}", theirs, port, tls))
    return found


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def row(name: str, what: str, times: list[float], rss: float) -> str:
    figures = f"{statistics.median(times) * 1000:8.2f} {percentile(times, 0.99):8.2f} {max(times) * 1000:8.2f}"
    return f"{name:20} {what:26} {figures} {rss:8.1f}"


def measure(found: list[Target], scrapes: int, *, hostile: bool) -> None:
    with contextlib.ExitStack() as stack:
        for target in found:
            stack.enter_context(annoyed(target, hostile=hostile))
        fresh: dict[Target, list[float]] = {target: [] for target in found}
        kept: dict[Target, list[float]] = {target: [] for target in found}
        for _ in range(scrapes):
            for target in found:
                fresh[target].append(target.scrape())
                kept[target].append(target.scrape_kept())
        crowd = f", {HOSTILE} hostile" if hostile else ""
        for target in found:
            print(row(target.name, f"new connection{crowd}", fresh[target], target.rss()))
            print(row(target.name, f"kept connection{crowd}", kept[target], target.rss()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scrapes", type=int, default=300)
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--serve", type=int)
    parser.add_argument("--web-config")
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(arguments.serve, arguments.web_config)
        return
    if arguments.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    load = os.getloadavg()[0]
    print(
        f"{arguments.scrapes} scrapes a figure; load before: {load:.2f}; {os.cpu_count()} CPUs; page {len(page())} bytes"
    )
    print(f"{'target':20} {'scrape':26} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'RSS MB':>8}")
    with tempfile.TemporaryDirectory() as directory:
        found = targets(Path(directory))
        try:
            measure(found, arguments.scrapes, hostile=False)
            measure(found, arguments.scrapes, hostile=True)
        finally:
            for target in found:
                target.stop()


if __name__ == "__main__":
    main()
