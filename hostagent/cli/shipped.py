"""`hostagent shipped CHECKOUT`: the man page and the shell completions, written from the parser they are about.

Made when the project is, with argparse-manpage and shtab; at run time there is nothing to load at every TAB.
"""

from __future__ import annotations

import os

from hostagent import __version__
from hostagent.cli.completions import SHELLS, completion, parts
from hostagent.cli.docs import brought_up_to_date
from hostagent.cli.entry import STATUSES, UsageError
from hostagent.cli.words import parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

MAN = "docs/man/hostagent.8"
_FILES = (
    ("/etc/hostagent/config.yaml", "settings of `hostagent run`"),
    ("/etc/hostagent/profile.yaml", "what the node is to be"),
    ("/run/hostagent/report.json", "the last survey of the running agent"),
    (
        "/etc/kubernetes/node-feature-discovery/features.d/hostagent",
        "labels for Node Feature Discovery; they expire when the agent does not renew them",
    ),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `shipped` takes."""
    parser.add_argument("checkout", metavar="CHECKOUT", help="the top of the source tree")
    parser.add_argument("--check", action="store_true", help="write nothing; say which files are out of date")


def run(options: argparse.Namespace) -> int:
    """Write the files that differ, or name them."""
    for path in files():
        directory = os.path.join(options.checkout, os.path.dirname(path))
        if not os.path.isdir(directory):
            raise UsageError(f"{directory}: expected a directory")
    return brought_up_to_date(options.checkout, files(), check=options.check)


def files() -> dict[str, str]:
    """Path below the checkout to content."""
    made = {MAN: man_page()}
    for shell, name in SHELLS.items():
        made[f"deploy/completions/{name}"] = completion(shell)
    return made


def man_page() -> str:
    """hostagent(8). What differs between versions of Python (how usage lines break) is left out."""
    from argparse_manpage.manpage import Manpage

    top = parser()
    for part in parts(top):
        part.epilog = None
    page = Manpage(top)
    page.section, page.manual, page.source, page.date = (
        8,
        "System administration",
        f"hostagent {__version__}",
        "undated",
    )
    page.description = "what a virtualization host has, what is ready for guests, and what is in the way"
    text = str(page).replace('"undated"', '""', 1)
    kept: list[str] = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        at = next((place for place, line in enumerate(lines) if line.startswith("usage: ")), len(lines))
        kept.append("\n".join(lines[:at]))
    body = "\n".join(
        line for block in kept for line in block.split("\n") if line.strip() and ".SH OPTIONS \\fI" not in line
    )
    body = body.replace(".SH\nPOSITIONAL ARGUMENTS", ".SH COMMANDS")
    body = body.replace(".SH COMMAND \\fI\\,'", ".SH ").replace("'\\/\\fR\n", "\n")
    return f"{body}\n{_exits()}{_places()}{_SEE}"


def _exits() -> str:
    return ".SH EXIT STATUS\n" + "".join(f".TP\n.B {status}\n{_plain(meaning)}\n" for status, meaning in STATUSES)


def _places() -> str:
    return ".SH FILES\n" + "".join(f".TP\n.I {_plain(path)}\n{_plain(meaning)}\n" for path, meaning in _FILES)


def _plain(said: str) -> str:
    """Text for roff: hyphens that stay hyphens, no line that begins with a dot."""
    return said.replace("\\", "\\e").replace("-", "\\-")


_SEE = """\
.SH SEE ALSO
.BR lspci (8),
.BR virt\\-host\\-validate (1),
.BR systemd.service (5)
"""
