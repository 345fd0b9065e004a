"""Lines of JSON over a socket, with deadlines; QMP on top of it."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

Message = dict[str, Any]


class ClosedError(Exception):
    """The other end is gone."""


class Channel:
    """One JSON object a line, both ways. One thread reads."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._buffer = b""

    def send(self, message: Message) -> None:
        """One line out."""
        try:
            self.socket.settimeout(60)
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise ClosedError(str(error)) from error

    def receive(self, timeout: float) -> Message:
        """One line in; TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                chunk = self.socket.recv(1 << 20)
            except TimeoutError:
                raise
            except OSError as error:
                raise ClosedError(str(error)) from error
            if not chunk:
                raise ClosedError("end of file")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: Message = json.loads(line)
        return message

    def close(self) -> None:
        self.socket.close()


class QmpError(Exception):
    """QEMU refused a command."""


class Qmp:
    """QEMU's monitor: commands, and the events it has sent so far."""

    def __init__(self, end: socket.socket) -> None:
        self._channel = Channel(end)
        self._changed = threading.Condition()
        self._replies: list[Message] = []
        self._closed = False
        self.events: list[Message] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.execute("qmp_capabilities")

    def _read(self) -> None:
        while True:
            try:
                message = self._channel.receive(3600)
            except (ClosedError, TimeoutError):
                message = {}
            with self._changed:
                if not message:
                    self._closed = True
                elif "event" in message:
                    self.events.append(message)
                elif "QMP" not in message:
                    self._replies.append(message)
                self._changed.notify_all()
            if not message:
                return

    def execute(self, command: str, **arguments: Any) -> Any:
        """What QEMU returns for a command."""
        self._channel.send({"execute": command, "arguments": arguments})
        with self._changed:
            if not self._changed.wait_for(lambda: self._replies or self._closed, timeout=300) or not self._replies:
                raise ClosedError(f"no answer to {command}")
            reply = self._replies.pop(0)
        if "error" in reply:
            raise QmpError(f"{command} {arguments}: {reply['error']['desc']}")
        return reply["return"]

    def wait(self, event: str, timeout: float = 60, **data: Any) -> Message:
        """The first event of that name whose data has those values, past or to come."""

        def found() -> Message | None:
            for message in self.events:
                if message["event"] == event and data.items() <= message.get("data", {}).items():
                    return message
            return None

        with self._changed:
            self._changed.wait_for(lambda: found() or self._closed, timeout=timeout)
            message = found()
        if message is None:
            raise TimeoutError(f"no {event} {data} in {timeout} s; seen: {[item['event'] for item in self.events]}")
        return message

    def close(self) -> None:
        """Stop listening."""
        self._channel.socket.close()
        self._thread.join(timeout=5)
