"""`hostagent docs DIRECTORY`: the reference documents, written from the code they describe."""

from __future__ import annotations

import os
import sys

from hostagent.cli.entry import UsageError
from hostagent.cli.reference import documents
from hostagent.host.limits import GIVEN_BYTES
from hostagent.host.regular import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `docs` takes."""
    parser.add_argument("directory", metavar="DIRECTORY", help="where the documents are")
    parser.add_argument("--check", action="store_true", help="write nothing; say which documents are out of date")


def run(options: argparse.Namespace) -> int:
    """Write the documents that differ, or name them."""
    if not os.path.isdir(options.directory):
        raise UsageError(f"{options.directory}: expected a directory")
    return brought_up_to_date(options.directory, documents(), check=options.check)


def brought_up_to_date(directory: str, files: Mapping[str, str], *, check: bool) -> int:
    """Write those of `files` below `directory` that differ, or only name them; the exit status."""
    stale = 0
    for name, text in files.items():
        path = os.path.join(directory, name)
        if _content(path) != text:
            stale += 1
            print(f"hostagent: {path} {'is out of date' if check else 'written'}", file=sys.stderr)
            if not check:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
    return 1 if stale and check else 0


def _content(path: str) -> str | None:
    try:
        return content(path, GIVEN_BYTES).decode()
    except FileNotFoundError:
        return None
