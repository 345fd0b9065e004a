"""`hostagent probe`: one survey of a machine, printed."""

from __future__ import annotations

import gc
import sys
import time

from hostagent.about import about, document, node_name
from hostagent.cli.entry import UsageError
from hostagent.cli.output import show, write, write_pieces
from hostagent.cli.roots import add_root, opened
from hostagent.report import AREAS, NodeReport, problems, survey
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from hostagent.about import About

FORMATS = ("table", "json", "yaml", "labels", "prom", "ansible")
# What people paste, and programs carry elsewhere: read as others may see it.
REDACTED = frozenset(("json", "yaml", "ansible"))
# The document with `about` in it.
DATED = frozenset(("json", "yaml"))


@record
class Options:
    """What a command line said."""

    root: str
    only: str | None
    output: str
    unredacted: bool
    node_name: str | None


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `probe` takes."""
    add_root(parser)
    parser.add_argument("--only", metavar="AREA,...", help=f"look at these areas only: {', '.join(AREAS)}")
    parser.add_argument("-o", "--output", choices=FORMATS, default="table", help="default: %(default)s")
    parser.add_argument("--unredacted", action="store_true", help=_UNREDACTED)
    parser.add_argument(
        "--node-name", metavar="NAME", help="what this node is called (default: $NODE_NAME, else the host name)"
    )


_UNREDACTED = (
    f"names of people, disks and networks in {', '.join(sorted(REDACTED))} too, as the table shows them: for oneself"
)


def quick(words: list[str]) -> Options | None:
    """Well-formed options in their plain spelling: argparse costs 10 ms. None for everything else, errors included."""
    names = {"--root": "root", "--only": "only", "-o": "output", "--output": "output", "--node-name": "node_name"}
    said: dict[str, str | bool | None] = {
        "root": "/",
        "only": None,
        "output": "table",
        "unredacted": False,
        "node_name": None,
    }
    rest = iter(words)
    for word in rest:
        value = next(rest, "-")
        if word not in names or value.startswith("-") or (names[word] == "output" and value not in FORMATS):
            return None
        said[names[word]] = value
    return Options(**said)  # type: ignore[arg-type]


def run(options: argparse.Namespace | Options) -> int:
    """Survey, print, and say by the exit status whether everything could be read."""
    only = _only(options.only)
    # A report of thousands of functions is garbage only when the process ends: looking for some on the way costs a sixth,
    # and looking through all of it at the end is for nothing.
    gc.disable()
    with opened(options.root, redacted=options.output in REDACTED and not options.unredacted) as host:
        report = survey(host, only)
        beside = about(host, node=node_name(options.node_name), at=time.time()) if options.output in DATED else None
    gc.freeze()
    _print(report, beside, options.output)
    return 3 if problems(report) else 0


def _only(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    names = frozenset(text.split(","))
    unknown = sorted(names - set(AREAS))
    if unknown:
        shown = ", ".join(repr(name) for name in unknown)
        raise UsageError(f"--only: no area {shown}; expected some of {', '.join(AREAS)}")
    return names


def _print(report: NodeReport, beside: About | None, output: str) -> None:
    if output == "json":
        from hostagent.values.plain import json_pieces

        write_pieces(json_pieces(document(report, beside)))
    elif output == "table":
        from hostagent.cli.table import page

        show(page(report))
    else:
        from hostagent.cli import formats

        shown = document(report, beside) if output == "yaml" else report
        text, remarks = getattr(formats, f"as_{output}")(shown)
        write(text)
        for remark in remarks:
            print(f"hostagent: {remark}", file=sys.stderr)
