"""Runs commands for the outside: one JSON request a line on the virtio-serial port `lab.agent`, one answer a line.

Request {"argv", "input", "environment", "timeout"}, answer {"status", "out", "err"}; bytes are base64. Status 124 is a
command that took longer than its timeout, 127 one that could not be started.
"""

from __future__ import annotations

import base64
import glob
import json
import os
import signal
import subprocess
import sys
from typing import Any


def port() -> str:
    """The device node of our port: without udev there is no /dev/virtio-ports."""
    for name in glob.glob("/sys/class/virtio-ports/*/name"):
        with open(name, encoding="ascii") as file:
            if file.read().strip() == "lab.agent":
                return "/dev/" + name.split("/")[4]
    sys.exit("lab: no port lab.agent")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run one command to its end, or to its timeout."""
    environment = os.environ | request["environment"]
    try:
        process = subprocess.Popen(
            request["argv"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        return {"status": 127, "out": "", "err": base64.b64encode(str(error).encode()).decode()}
    try:
        out, err = process.communicate(base64.b64decode(request["input"]), timeout=request["timeout"])
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = 124
    return {"status": status, "out": base64.b64encode(out).decode(), "err": base64.b64encode(err).decode()}


def main() -> None:
    """Say hello, then serve until the machine ends."""
    descriptor = os.open(port(), os.O_RDWR | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as incoming:
        os.write(descriptor, b'{"hello": true}\n')
        buffer = b""
        while True:
            chunk = incoming.read(1 << 16)
            if not chunk:
                continue
            buffer += chunk
            while b"\n" in buffer:
                line, _, buffer = buffer.partition(b"\n")
                reply = json.dumps(answer(json.loads(line))).encode() + b"\n"
                while reply:
                    reply = reply[os.write(descriptor, reply) :]


if __name__ == "__main__":
    main()
