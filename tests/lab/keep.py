"""A capture made in the lab as a fixture: `python -m tests.lab.keep CAPTURE.tar.gz fixtures/sysfs/NAME "what it is"`."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.lab.law import outside


def qemu_version() -> str:
    """`QEMU emulator version 7.2.22 (Debian ...)` -> 7.2.22."""
    text = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, check=True, text=True).stdout
    return text.split()[3]


def keep(capture: Path, target: Path, about: str) -> None:
    """Unpack, hold open what git would drop, say where it comes from."""
    target.mkdir(parents=True)
    with tarfile.open(capture) as archive:
        archive.extractall(target, filter="fully_trusted")
    # git keeps no empty directories; hostagent does not list this name.
    for directory in [
        path for path in target.rglob("*") if path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    ]:
        (directory / ".gitkeep").touch()
    _complete(target, capture.with_name(capture.name.replace(".tar.gz", ".attributes")).read_text())
    release = outside(capture)["kernel"]["data"]["release"]
    facts = {
        "about": about,
        "source": "booted by tests/lab and captured by `hostagent capture` inside, with the files lspci reads: our own data",
        "emulator": f"QEMU {qemu_version()}, TCG",
        "kernel": f"{release} (Debian)",
    }
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in facts.items()]
    (target / "machine.toml").write_text("".join(lines))


def _complete(target: Path, attributes: str) -> None:
    """Add the files that lspci reads and we do not: a fixture is held against it."""
    for line in attributes.splitlines():
        name, _, value = line.partition("\t")
        place = target / "sys/bus/pci/devices" / name
        if not place.exists():
            place.write_text(value.replace(";", "\n"))


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
