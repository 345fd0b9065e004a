"""Booting a machine, and talking to it while it runs."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import payload
from tests.lab.channel import Channel, ClosedError, Qmp
from tests.lab.image import Image, LabError
from tests.lab.machine import Machine, command

# A fast init takes 8 s and systemd 15 s on an idle machine; where others use its cores, or its memory is taken from it, minutes.
BOOT_SECONDS = 900
# A command of the lab takes seconds where the emulator has a core, and has taken two minutes where it had little of one.
COMMAND_SECONDS = 900
NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"),
    *("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"),
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a command in the guest ended."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()

    def json(self) -> Any:
        return json.loads(self.out)


class Guest:
    """A running machine. `boot_seconds` is how long it took until it answered."""

    def __init__(self, process: subprocess.Popen[bytes], work: Path, qmp: socket.socket, agent: socket.socket) -> None:
        began = time.monotonic()
        self._process = process
        self._work = work
        self._agent = Channel(agent)
        try:
            self.qmp = Qmp(qmp)
            self._agent.receive(BOOT_SECONDS)
        except (ClosedError, TimeoutError) as error:
            process.kill()
            process.wait()
            raise LabError(f"the machine did not come up ({type(error).__name__}: {error})\n{self.tail()}") from error
        self.boot_seconds = time.monotonic() - began
        self.boot_processor_seconds = self.processor_seconds()

    def processor_seconds(self) -> float:
        """What emulating it has cost so far: unlike time, it does not depend on who else is busy here."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def tail(self, lines: int = 30) -> str:
        """The end of its console and of what QEMU said."""
        texts = [
            (self._work / name).read_text(errors="replace")
            for name in ("console", "qemu")
            if (self._work / name).exists()
        ]
        return "\n".join(f"  | {line}" for line in "\n".join(texts).splitlines()[-lines:])

    def run(
        self,
        *argv: str,
        nobody: bool = False,
        timeout: float = COMMAND_SECONDS,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        """Run one command to its end, as root or as a user without capabilities; status 124 is a timeout."""
        request = {
            "argv": [*(NOBODY if nobody else ()), *argv],
            "input": base64.b64encode(stdin).decode(),
            "environment": dict(environment or {}),
            "timeout": timeout,
        }
        try:
            self._agent.send(request)
            reply = self._agent.receive(timeout + 60)
        except (ClosedError, TimeoutError) as error:
            raise LabError(f"the machine is gone, or deaf, at {' '.join(argv)[:200]}\n{self.tail()}") from error
        return Result(status=reply["status"], out=base64.b64decode(reply["out"]), err=base64.b64decode(reply["err"]))

    def sh(self, script: str, *, nobody: bool = False, timeout: float = COMMAND_SECONDS) -> str:
        """The output of a shell script that must succeed."""
        result = self.run("sh", "-ec", script, nobody=nobody, timeout=timeout)
        if result.status:
            raise AssertionError(f"status {result.status} of: {script}\n{result.err.decode()}\n{self.tail(10)}")
        return result.text

    def hostagent(self, *arguments: str, nobody: bool = False, statuses: tuple[int, ...] = (0,)) -> Result:
        """Run the checkout's hostagent; any other exit status than `statuses` is a failure."""
        result = self.run("hostagent", *arguments, nobody=nobody)
        if result.status not in statuses:
            raise AssertionError(f"hostagent {' '.join(arguments)}: status {result.status}\n{result.err.decode()}")
        return result

    def read(self, path: str) -> bytes:
        """A file of the guest."""
        return self.run("cat", "--", path).out

    def write(self, path: str, content: str | bytes, mode: str = "644") -> None:
        """A file into the guest, directories above it made."""
        data = content.encode() if isinstance(content, str) else content
        script = 'mkdir -p "$(dirname "$0")" && cat >"$0" && chmod "$1" "$0"'
        result = self.run("sh", "-c", script, path, mode, stdin=data)
        assert result.status == 0, result.err

    def until(self, script: str, *, seconds: float = COMMAND_SECONDS) -> None:
        """Wait for a shell condition to become true."""
        deadline = time.monotonic() + seconds
        while self.run("sh", "-c", script).status:
            assert time.monotonic() < deadline, f"not in {seconds} s: {script}\n{self.tail(10)}"
            time.sleep(0.2)

    def power_off(self) -> None:
        """An orderly end: disks written, then off. For machines with a disk of their own."""
        self.run("sh", "-c", "sync; mount -o remount,ro / || echo s >/proc/sysrq-trigger; sync")
        self.close()

    def close(self) -> None:
        """Pull the plug."""
        self._process.kill()
        self._process.wait()
        self.qmp.close()
        self._agent.close()


def boot(image: Image, machine: Machine, work: Path, *, disk: Path | None = None) -> Guest:
    """A machine that answers. Its root starts clean, unless `disk` is given: a copy made on first use, then kept."""
    work.mkdir(parents=True, exist_ok=True)
    initrd = work / "initrd"
    initrd.write_bytes(image.initrd.read_bytes() + payload.common() + payload.own(machine))
    root = f"snapshot=on,file={image.root}"
    if disk is not None:
        if not disk.exists():
            subprocess.run(["cp", "--sparse=always", image.root, disk], check=True)
        root = f"file={disk}"
    pairs = [socket.socketpair() for _ in range(2)]
    (qmp, qmp_inside), (agent, agent_inside) = pairs
    inside = (qmp_inside.fileno(), agent_inside.fileno())
    words = command(
        machine, image, initrd=str(initrd), root=root, console=str(work / "console"), qmp=inside[0], agent=inside[1]
    )
    with (work / "qemu").open("wb") as log:
        process = subprocess.Popen(words, pass_fds=inside, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    qmp_inside.close()
    agent_inside.close()
    return Guest(process, work, qmp, agent)
