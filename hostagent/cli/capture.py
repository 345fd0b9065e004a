"""`hostagent capture`: what a survey reads, redacted, in one archive that `--root` reads back."""

from __future__ import annotations

import errno
import os
import sys

from hostagent.cli.entry import UsageError
from hostagent.cli.output import OutputError
from hostagent.host import Host
from hostagent.host.archive import ArchiveTree
from hostagent.host.capture import archive, recording
from hostagent.host.reader import RootError
from hostagent.host.tar import ArchiveError
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
    if os.path.exists(options.file) and not os.path.isfile(options.file):
        raise UsageError(f"{options.file}: expected a file to replace or a new one, saw something else")
    try:
        host = recording(options.root)
    except RootError as error:
        raise UsageError(f"--root {error}") from error
    report = survey(host)
    packed = archive(host)
    host.close()
    try:
        write_whole(options.file, packed, mode=0o644)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
        raise (OutputError if full else UsageError)(f"{options.file}: {error.strerror}") from error
    try:
        again = survey(Host(options.file, thorough=True, tree=ArchiveTree(options.file)))
    except (ArchiveError, OSError) as error:
        raise OutputError(f"{options.file}: written, and --root will not read it: {error}") from error
    differing = [name for name in AREAS if getattr(report, name) != getattr(again, name)]
    for name in differing:
        print(f"hostagent: the capture says something else of area {name} than the machine did", file=sys.stderr)
    print(f"hostagent: {options.file}: {os.path.getsize(options.file)} bytes", file=sys.stderr)
    return 3 if differing or problems(report) else 0
