"""A headless Chromium at the end of a pipe: the DevTools protocol without a library, a port or a network.

Messages are JSON ended by a NUL, on descriptors 3 and 4 (--remote-debugging-pipe).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKAGE = "no Chromium found: install the package chromium"
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE = 60.0


def found() -> str | None:
    """The browser's path, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab. Every page that it is given is looked at from the outside only."""

    def __init__(self, program: str, home: Path) -> None:
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        # The shell puts both pipes where Chromium looks for them, whatever their numbers are here.
        script = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$0" "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", script, program, *_OPTIONS, f"--user-data-dir={home}"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._read = b""
        self._last = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Ask, and wait for the answer; what happens meanwhile is kept in `events`."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            said = self._message()
            if said.get("id") == self._last:
                assert "error" not in said, said
                answer: dict[str, Any] = said["result"]
                return answer
            self.events.append(said)

    def _message(self) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._in, 1 << 16) if ready else b""
            assert piece, "the browser does not answer"
            self._read += piece
        whole, _, self._read = self._read.partition(b"\0")
        found: dict[str, Any] = json.loads(whole)
        return found

    def open(self, path: Path, *, width: int, scheme: str) -> None:
        """Load a file at a window width, with light or dark preferred."""
        self.events.clear()
        self.resize(width=width, scheme=scheme)
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())

    def resize(self, *, width: int, scheme: str) -> None:
        """Another window, with light or dark preferred, for the page that is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript comes to in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def requests(self) -> list[str]:
        """Addresses asked for since `open`."""
        asked = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in asked]

    def complaints(self) -> list[str]:
        """What the console holds since `open`: refusals of the policy, broken markup of styles, errors."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [json.dumps(event["params"]) for event in self.events if event.get("method") in kinds]

    def picture(self, *, quality: int) -> bytes:
        """The whole page as WebP; `quality`: 0 to 100."""
        size = self.value("[innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        shot = self.call(
            "Page.captureScreenshot", format="webp", quality=quality, captureBeyondViewport=True, clip=clip
        )
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        """End the browser and whatever it started: the processes of its own session."""
        os.close(self._out)
        os.close(self._in)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=300)


@contextlib.contextmanager
def running(home: Path) -> Iterator[Browser]:
    """A browser for a block of code; `home` is its own directory."""
    program = found()
    assert program is not None, PACKAGE
    browser = Browser(program, home)
    try:
        yield browser
    finally:
        browser.close()
