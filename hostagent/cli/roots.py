"""`--root`: the live machine, a directory that holds a machine, or a capture of one."""

from __future__ import annotations

from hostagent.cli.entry import UsageError
from hostagent.host import Host
from hostagent.host.reader import RootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add `--root`."""
    parser.add_argument(
        "--root",
        default="/",
        metavar="DIR|CAPTURE",
        help="the machine to look at: a directory with sys and proc, or a capture.tar.gz (default: this machine)",
    )


class opened:  # noqa: N801 - reads as the function it would be if contextlib did not cost `probe` 2 ms
    """The host at `root`, closed at the end of the block; raises UsageError where there is none."""

    def __init__(self, root: str, *, thorough: bool | None = None, redacted: bool = False) -> None:
        try:
            self.host = Host(root, thorough=thorough, redacted=redacted)
        except RootError as error:
            raise UsageError(f"--root {error}") from error

    def __enter__(self) -> Host:
        return self.host

    def __exit__(self, *_error: object) -> None:
        self.host.close()
