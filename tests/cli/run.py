"""The command as a process: what a shell sees."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hostagent.values.record import record

REPOSITORY = Path(__file__).resolve().parents[2]


@record
class Done:
    """How it ended."""

    status: int
    out: str
    err: str


def hostagent(
    *words: str,
    environment: Mapping[str, str] | None = None,
    stdout: int | None = None,
    directory: Path | None = None,
) -> Done:
    """`hostagent WORDS` with a small environment; `stdout` a descriptor to write to instead of a pipe."""
    given = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONWARNINGS": "error",
        **(environment or {}),
    }
    done = subprocess.run(
        [sys.executable, "-m", "hostagent", *words],
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=given,
        cwd=directory,
        check=False,
        timeout=120,
    )
    return Done(status=done.returncode, out=(done.stdout or b"").decode(), err=done.stderr.decode())
