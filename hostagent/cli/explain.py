"""`hostagent explain`: what a finding's code means."""

from __future__ import annotations

from difflib import get_close_matches

from hostagent.advice import CODES
from hostagent.cli.entry import UsageError
from hostagent.cli.findings import explained, listed
from hostagent.cli.output import show
from hostagent.cli.table.paper import standard_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

# Longer lines are hard to read.
_WIDEST = 110


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `explain` takes."""
    parser.add_argument("code", nargs="*", metavar="CODE", help="codes as `check` prints them (default: list all)")


def run(options: argparse.Namespace) -> int:
    """Print what the codes mean."""
    for name in options.code:
        if name not in CODES:
            near = [code for code in CODES if name in code] or get_close_matches(name, CODES, n=3)
            expected = f"did you mean {' or '.join(near)}?" if near else "`hostagent explain` lists them"
            raise UsageError(f"no finding has the code {name!r}: {expected}")
    width = min(standard_output().width, _WIDEST)
    show("\n".join(explained(CODES[name], width) for name in options.code) if options.code else listed())
    return 0
