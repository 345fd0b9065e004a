"""`hostagent capture`: what a survey reads, redacted, in one archive that `--root` reads back."""

from __future__ import annotations

import os
import sys

from hostagent.cli.entry import UsageError
from hostagent.host import Host
from hostagent.host.archive import ArchiveTree
from hostagent.host.capture import archive, recording
from hostagent.host.reader import RootError
from hostagent.publish.whole import write_whole
from hostagent.report import AREAS, problems, survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `capture` takes."""
    parser.add_argument("file", metavar="FILE.tar.gz", help="where to write; replaced whole or not at all")
    parser.add_argument("--root", default="/", metavar="DIR", help="the machine to capture (default: this machine)")


def run(options: argparse.Namespace) -> int:
    """Survey with a recording reader, write the archive, and read it back to see that it says the same."""
    try:
        host = recording(options.root)
    except (RootError, OSError) as error:
        raise UsageError(f"--root {options.root}: {error}") from error
    report = survey(host)
    packed = archive(host)
    host.close()
    try:
        write_whole(options.file, packed, mode=0o644)
    except OSError as error:
        raise UsageError(f"{options.file}: {error.strerror}") from error
    again = survey(Host(options.file, thorough=True, tree=ArchiveTree(options.file)))
    differing = [name for name in AREAS if getattr(report, name) != getattr(again, name)]
    for name in differing:
        print(f"hostagent: the capture says something else of area {name} than the machine did", file=sys.stderr)
    print(f"hostagent: {options.file}: {os.path.getsize(options.file)} bytes", file=sys.stderr)
    return 3 if differing or problems(report) else 0
