"""The line of `systemctl status`: `14 labels, 1 blockers, 2 warnings; cannot write: nfd`."""

from __future__ import annotations

from collections.abc import Iterable

from hostagent.advice import BLOCKER, WARNING
from hostagent.daemon.sinks import Sink
from hostagent.daemon.state import Look


def status_line(look: Look | None, sinks: Iterable[Sink], trouble: str) -> str:
    """What the last look found, which files cannot be written, and what is wrong with surveys."""
    if look is None:
        return f"no survey yet: {trouble}"
    found = look.snapshot.findings
    blockers, warnings = (sum(one.severity == level for one in found) for level in (BLOCKER, WARNING))
    failing = ", ".join(sink.name for sink in sinks if sink.success is False)
    parts = (
        f"{len(look.snapshot.labels.labels)} labels, {blockers} blockers, {warnings} warnings",
        f"cannot write: {failing}" if failing else "",
        trouble,
    )
    return "; ".join(part for part in parts if part)
