"""The entry point: finds the command, builds its parser alone, runs it, and turns what stops it into an exit status.

0 done and complete; 1 a check found blockers; 2 usage or bad input; 3 something on the machine could not be read;
130 interrupted; 141 the reader of a pipe went away.
"""

from __future__ import annotations

import os
import sys

from hostagent import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

# Command -> one line about it. Each is a module hostagent.cli.<command> with `arguments(parser)` and `run(options)`.
COMMANDS = {
    "probe": "survey a machine and print what it has",
    "capture": "write what a survey reads to an archive that --root reads back",
    "schema": "print the JSON Schema of the report",
}


class UsageError(Exception):
    """Bad input: one message naming the place and what was expected. Exit status 2."""


def _command(
    name: str,
) -> tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]:
    from importlib import import_module

    module = import_module(f"hostagent.cli.{name.replace('-', '_')}")
    return module.arguments, module.run


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole parser, or the part that one command needs (building all of it costs as much as a survey)."""
    import argparse

    top = argparse.ArgumentParser(prog="hostagent", description="Look at a virtualization host; say what blocks it.")
    top.add_argument("--version", action="version", version=f"hostagent {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, about in COMMANDS.items():
        if only in (None, name):
            part = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
            arguments, run = _command(name)
            arguments(part)
            part.set_defaults(run=run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    only = words[0] if words and words[0] in COMMANDS else None
    try:
        options = parser(only).parse_args(words)
        status: int = options.run(options)
        sys.stdout.flush()
    except UsageError as error:
        print(f"hostagent: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `hostagent probe | head`: nothing is wrong. The interpreter must not try to flush again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status
