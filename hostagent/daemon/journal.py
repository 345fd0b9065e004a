"""The log on standard error: with `<3>` before each line where the journal reads it (sd-daemon(3)), else with words."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class _Lines(logging.Formatter):
    """One line for each record, tracebacks too: the journal would take every line of one for an entry of its own."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        text = " | ".join(super().format(record).splitlines())
        if self._journal:
            return f"<{_PRIORITIES.get(record.levelno, 6)}>{text}"
        return f"hostagent: {record.levelname.lower()}: {text}"


def start_log(level: str, environ: Mapping[str, str]) -> None:
    """Log to standard error from here on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(journal=is_journal(environ.get("JOURNAL_STREAM", ""))))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # pyroute2 and asyncio say at these levels what only their authors act on.
    logging.getLogger("pyroute2").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def set_level(level: str) -> None:
    """Say more, or less."""
    logging.getLogger().setLevel(level.upper())


def is_journal(stream: str) -> bool:
    """Whether standard error is the journal: systemd writes its device and inode into JOURNAL_STREAM."""
    try:
        found = os.fstat(2)
    except OSError:
        return False
    return stream == f"{found.st_dev}:{found.st_ino}"
