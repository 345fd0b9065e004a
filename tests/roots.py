"""The machines that laws and comparisons run over: our own fixtures, other people's captures where they are, this machine.

Captures are looked for in $HOSTAGENT_CAPTURES, else in ../shared/captures beside the checkout; without them those cases
are skipped and say so.
"""

from __future__ import annotations

import atexit
import os
import tarfile
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from hostagent.host import Host
from hostagent.report import NodeReport, survey

REPOSITORY = Path(__file__).resolve().parent.parent
FIXTURES = REPOSITORY / "fixtures" / "sysfs"
CAPTURES = Path(os.environ.get("HOSTAGENT_CAPTURES", REPOSITORY.parent / "shared" / "captures"))


def fixtures() -> list[Path]:
    """Our own machines, each a directory with machine.toml."""
    return sorted(path.parent for path in FIXTURES.glob("*/machine.toml"))


def captures() -> list[Path]:
    """Other people's machines, each a tar.gz; none where they are not at hand."""
    return sorted(CAPTURES.glob("*.tar.gz"))


def roots() -> list[object]:
    """pytest parameters: the root of every machine at hand, by name."""
    found: list[object] = [pytest.param("/", id="live")]
    found += [pytest.param(str(path), id=path.name) for path in fixtures()]
    found += [pytest.param(str(path), id=path.name.removesuffix(".tar.gz")) for path in captures()]
    if not captures():
        reason = f"no captures in {CAPTURES}: set HOSTAGENT_CAPTURES"
        found.append(pytest.param("", id="captures", marks=pytest.mark.skip(reason=reason)))
    return found


@cache
def unpacked(root: str) -> Path:
    """`root` as a directory; an archive is unpacked once for all tests, which change nothing in it.

    The directory that holds sys is returned. A directory for each test made a third of the suite's time: creating and
    removing four thousand files costs a file system more than reading them does.
    """
    if not root.endswith(".tar.gz"):
        return Path(root)
    into = Path(mkdtemp(prefix="hostagent-machine-"))
    atexit.register(rmtree, into, ignore_errors=True)
    with tarfile.open(root) as archive:
        members = [member for member in archive if not member.issym() or not member.linkname.startswith("/")]
        archive.extractall(into, members=members, filter="fully_trusted")
    inside = [into, *into.iterdir()]
    return next(path for path in inside if (path / "sys").is_dir() or (path / "proc").is_dir())


@cache
def surveyed(root: str) -> NodeReport:
    """The report of `root`, made once for all tests that read it only."""
    host = Host(root)
    try:
        return survey(host)
    finally:
        host.close()
