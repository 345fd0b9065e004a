"""A reload whose web.listen the next start could not use is refused, with the old configuration going on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.cli.run import REPOSITORY
from tests.daemon.running import configuration, free_port, until, until_said
from tests.plant import pci_function, plant


def test_an_impossible_address_is_refused(tmp_path: Path) -> None:
    plant(tmp_path / "root", pci_function("0000:00:01.0"))
    for name in ("features.d", "run", "text"):
        (tmp_path / name).mkdir()
    port, config, log = free_port(), tmp_path / "config.yaml", tmp_path / "log"

    def write(listen: str, prefix: str) -> None:
        config.write_text(
            configuration(tmp_path, f"web: {{listen: [{listen}]}}\nlabels: {{prefix: {prefix}.example.org}}\n")
        )

    write(f'":{port}"', "first")
    command = [sys.executable, "-m", "hostagent", "run", "--config", str(config), "--root", str(tmp_path / "root")]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stderr=output, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    features = tmp_path / "features.d/hostagent"
    try:
        until(features.exists)
        until(lambda: log.read_text().count("serves whoever reaches any interface") == 1)
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            for number, (listen, why) in enumerate(
                (
                    (
                        '"nonsense"',
                        "web.listen.0: expected host:port, [ipv6]:port, :port or unix:/path, saw 'nonsense'",
                    ),
                    ('"192.0.2.1:80"', "web.listen: cannot listen on 192.0.2.1:80: Cannot assign requested address"),
                    (f'"127.0.0.1:{taken}"', f"web.listen: cannot listen on 127.0.0.1:{taken}: Address already in use"),
                ),
                start=1,
            ):
                write(listen, "refused")
                process.send_signal(signal.SIGHUP)
                until_said(log, why)
                assert log.read_text().count("the configuration stays as it was") == number
        assert "first.example.org/" in features.read_text()
        write(f'"127.0.0.1:{port}"', "second")  # ours already: the next start may have it
        process.send_signal(signal.SIGHUP)
        until(lambda: "second.example.org/" in features.read_text())
        until_said(log, "web.listen and web.config count from the next start")
        until(lambda: log.read_text().count("serves whoever reaches any interface") == 2)
        assert "refused.example.org" not in features.read_text()
    finally:
        process.kill()
        process.wait()
