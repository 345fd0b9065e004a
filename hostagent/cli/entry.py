"""The entry point: finds the command, builds its parser alone, runs it, and turns what stops it into an exit status."""

from __future__ import annotations

import os
import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Command -> one line about it. Each is a module hostagent.cli.<command> with `arguments(parser)` and `run(options)`.
# It may have `quick(words)`: the options of a plain command line without argparse, or None where argparse has to look.
COMMANDS = {
    "probe": "survey a machine and print what it has",
    "check": "say what blocks a node, or many, with the files that prove it",
    "explain": "say what a finding means, how it is proven and what helps",
    "allocatable": "predict how many devices KubeVirt will offer, and how many of them can start",
    "render": "write the files that make nodes what a profile says",
    "run": "watch this node: labels and metrics that follow the hardware",
    "capture": "write what a survey reads to an archive that --root reads back",
    "profile": "write a first profile from what a machine has",
    "schema": "print the JSON Schema of the report",
}
# For the project itself: kept out of --help.
HIDDEN = {
    "docs": "write the reference documents that are generated from the code",
    "shipped": "write the man page and the shell completions",
}

STATUSES = (
    (0, "done, and complete"),
    (1, "a check found what it looks for: blockers, or documents that are out of date"),
    (2, "usage or bad input; one line on standard error says which"),
    (3, "done, but something on the machine could not be read; the report's problems say what"),
    (4, "the output could not be written"),
    (130, "interrupted"),
    (141, "the reader of the output went away"),
)


class UsageError(Exception):
    """Bad input: one message naming the place and what was expected. Exit status 2."""


def _run(words: list[str]) -> int:
    only = words[0] if words and (words[0] in COMMANDS or words[0] in HIDDEN) else None
    if only is not None:
        module = import_module(f"hostagent.cli.{only.replace('-', '_')}")
        quick = getattr(module, "quick", None)
        options = quick(words[1:]) if quick else None
        if options is not None:
            return int(module.run(options))
    from hostagent.cli.words import parser

    given = parser(only).parse_args(words)
    return int(given.run(given))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["run"] and "--once" not in words:
        # The agent reads its configuration again for it, once it can; until then the default would be death.
        import signal

        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from hostagent.cli.output import OutputError

    if sys.stderr is None:  # closed by the caller (`2>&-`): print would take standard output for it
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    try:
        return _run(words)
    except UsageError as error:
        print(f"hostagent: {error}", file=sys.stderr)
        return 2
    except OutputError as error:
        print(f"hostagent: {error}", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `hostagent probe | head`: nothing is wrong. The interpreter must not try to flush again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
