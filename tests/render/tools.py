"""Readers of what is rendered that are not ours: kmod, systemd, the shell. Where one is missing its tests are skipped."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hostagent.render.files import File


def tool(name: str) -> str:
    found = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def planted(files: tuple[File, ...], root: Path) -> Path:
    """The files below `root`, where they belong."""
    for file in files:
        path = root / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
        path.chmod(file.mode)
    return root


def kmod(text: str, tmp_path: Path) -> list[str]:
    """What modprobe makes of one file of modprobe.d, without what this machine's own kernel command line adds."""
    path = tmp_path / "read.conf"
    path.write_text(text)
    path.with_name("empty.conf").write_text("")
    own = _dump(path.with_name("empty.conf"))
    return [line for line in _dump(path) if line not in own]


def _dump(path: Path) -> list[str]:
    done = subprocess.run([tool("modprobe"), "-C", path, "-c"], capture_output=True, text=True, check=True, timeout=300)
    assert done.stderr == ""
    said, _, _ = done.stdout.partition("# End of configuration files")
    return said.splitlines()


def verify(units: dict[str, str], tmp_path: Path) -> None:
    """systemd itself has nothing to say against the units."""
    paths = []
    for name, text in units.items():
        paths.append(tmp_path / name)
        paths[-1].write_text(text)
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    mine = [line for line in (done.stdout + done.stderr).splitlines() if any(name in line for name in units)]
    assert (done.returncode, mine) == (0, [])
