"""Law L1 with a real machine in the middle: what its capture says outside is what it said itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lab.look import Json, Look


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of every number, text, null and empty list of a report; list items by what names them, or number."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            key = number
            if isinstance(item, dict):
                key = next((item[name] for name in ("address", "name", "number", "path") if name in item), number)
            yield from leaves(item, f"{path}[{key}]")
    else:
        yield path, value


def differences(one: Json, other: Json) -> list[str]:
    """Paths at which two reports differ, with both values."""
    left, right = dict(leaves(one)), dict(leaves(other))
    absent = "nothing"
    return [
        f"{path}: {left.get(path, absent)!r} and {right.get(path, absent)!r}"
        for path in sorted(left.keys() | right.keys())
        if left.get(path, absent) != right.get(path, absent)
    ]


def outside(capture: Path) -> Json:
    """The report of a capture, made on this machine."""
    command = [sys.executable, "-m", "hostagent", "probe", "--root", str(capture), "-o", "json"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 3), done.stderr.decode()
    found: Json = json.loads(done.stdout)
    return found


def capture_law(look: Look, work: Path) -> list[str]:
    """The disagreements between the machine and its capture."""
    file = work / "capture.tar.gz"
    file.write_bytes(look.capture)
    return [f"L1: {line}" for line in differences(look.report, outside(file))]
