"""The probe as root and as a user without any capability: the difference is exactly what is documented."""

from __future__ import annotations

import re

from tests.lab.law import leaves
from tests.lab.look import Look

# Facts only root reads, with why; docs/lab.md repeats the list for people. Patterns of paths in the report.
ROOT_ONLY: tuple[tuple[str, str], ...] = (
    (r"watchdog\.data\.devices\[.*\]\.held_by.*", "who has a device open is in /proc/PID/fd of other users"),
)


def unexplained(look: Look) -> list[str]:
    """Differences between root's report and nobody's that no entry of ROOT_ONLY explains."""
    root, nobody = dict(leaves(look.report)), dict(leaves(look.nobody))
    differing = [path for path in sorted(root.keys() | nobody.keys()) if root.get(path, "-") != nobody.get(path, "-")]
    return [
        f"privilege: {path}: root {root.get(path, 'nothing')!r}, nobody {nobody.get(path, 'nothing')!r}"
        for path in differing
        if not any(re.fullmatch(pattern, path) for pattern, _ in ROOT_ONLY)
    ]
