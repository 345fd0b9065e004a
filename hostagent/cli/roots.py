"""`--root`: the live machine, a directory that holds a machine, or a capture of one."""

from __future__ import annotations

from hostagent.cli.entry import UsageError
from hostagent.host import Host
from hostagent.host.reader import RootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

from contextlib import contextmanager


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add `--root`."""
    parser.add_argument(
        "--root",
        default="/",
        metavar="DIR|CAPTURE",
        help="the machine to look at: a directory with sys and proc, or a capture.tar.gz (default: this machine)",
    )


@contextmanager
def opened(root: str, *, thorough: bool | None = None) -> Iterator[Host]:
    """The host at `root`; raises UsageError where there is none."""
    try:
        host = Host(root, thorough=thorough)
    except RootError as error:
        raise UsageError(f"--root {error}") from error
    try:
        yield host
    finally:
        host.close()
