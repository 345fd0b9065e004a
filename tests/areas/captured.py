"""One area's view of a capture of a planted machine: law L1 for trees that no machine at hand has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hostagent.host import Host, Problem, Reader
from hostagent.host.capture import archive, recording

T = TypeVar("T")


def before_and_after(
    probe: Callable[[Reader], T], root: Path, at: Path
) -> tuple[tuple[T, list[Problem]], tuple[T, list[Problem]]]:
    """What `probe` says, and its problems, of the tree `root` and of the capture of it, which is written to `at`."""
    host = recording(str(root))
    seen = host.reader()
    data = probe(seen)
    at.write_bytes(archive(host))
    host.close()
    again = Host(str(at), thorough=True).reader()
    return (data, seen.problems), (probe(again), again.problems)
