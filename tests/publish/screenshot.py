"""docs/images/node-page.png: the page of a machine of the lab. `python -m tests.publish.screenshot` takes it anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hostagent.advice import advise
from hostagent.host import Host
from hostagent.publish.page import page
from hostagent.report import survey
from tests.publish.browser import running
from tests.roots import FIXTURES, REPOSITORY

MACHINE = "lab-amd-vfio"
PICTURE = REPOSITORY / "docs" / "images" / "node-page.png"
WIDTH, HEIGHT = 1280, 1780


def take() -> bytes:
    """The top of the page by day."""
    report = survey(Host(str(FIXTURES / MACHINE)))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, running(Path(home) / "browser") as tab:
        path = Path(home) / "page.html"
        path.write_bytes(page(report, advise(report), title="worker-0.example.com"))
        tab.open(path, width=WIDTH, scheme="light")
        return tab.picture(height=HEIGHT)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(take())
