"""docs/images/node-page-*.webp: a whole page by day and by night. `python -m tests.publish.screenshot` takes them anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hostagent.advice import advise
from hostagent.publish.page import page
from tests.publish.browser import running
from tests.publish.shown_machine import shown
from tests.roots import REPOSITORY

PICTURES = REPOSITORY / "docs" / "images"
SCHEMES = ("light", "dark")
WIDTH, QUALITY = 1280, 80
SINCE = 1767258000.0  # a morning in January


def take(scheme: str) -> bytes:
    """The page as a desk shows it."""
    report = shown()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, running(Path(home) / "browser") as tab:
        path = Path(home) / "page.html"
        path.write_bytes(page(report, advise(report), title="worker-0.example.com", since=SINCE))
        tab.open(path, width=WIDTH, scheme=scheme)
        return tab.picture(quality=QUALITY)


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for name in SCHEMES:
        (PICTURES / f"node-page-{name}.webp").write_bytes(take(name))
