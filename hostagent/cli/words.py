"""The command line as argparse reads it: the whole of it for --help, completions and documents, or one command's part."""

from __future__ import annotations

import argparse
from importlib import import_module

from hostagent import __version__
from hostagent.cli.entry import COMMANDS, HIDDEN, STATUSES, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

EPILOG = "exit status:\n" + "\n".join(f"  {status:<4} {meaning}" for status, meaning in STATUSES)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without a page of usage before it."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def parser(only: str | None = None) -> Parser:
    """All commands, or the one named (building the others costs as much as a survey)."""
    top = Parser(
        prog="hostagent",
        description="Look at a virtualization host; say what blocks it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"hostagent {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, about in (HIDDEN if only in HIDDEN else COMMANDS).items():
        if only in (None, name):
            part = commands.add_parser(
                name,
                help=about,
                description=about[0].upper() + about[1:] + ".",
                epilog=EPILOG,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            module = import_module(f"hostagent.cli.{name.replace('-', '_')}")
            module.arguments(part)
            part.set_defaults(run=module.run)
    return top
