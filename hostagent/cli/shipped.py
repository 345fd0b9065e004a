"""`hostagent shipped CHECKOUT`: the man page and the shell completions, written from the parser they are about.

Made when the project is, with argparse-manpage and shtab; at run time there is nothing to load at every TAB.
"""

from __future__ import annotations

import os

from hostagent import __version__
from hostagent.cli.docs import brought_up_to_date
from hostagent.cli.entry import STATUSES, UsageError
from hostagent.cli.words import parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

MAN = "docs/man/hostagent.8"
# Shell to the name its completions have where they are installed: bash-completion(7), zsh's fpath, fish's vendor_completions.d.
SHELLS = {"bash": "hostagent.bash", "zsh": "_hostagent", "fish": "hostagent.fish"}
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
    import shtab

    made = {MAN: man_page()}
    for shell, name in SHELLS.items():
        text = shtab.complete(_completed(parser()), shell=shell)
        made[f"deploy/completions/{name}"] = "".join(f"{line.rstrip()}\n" for line in text.rstrip().split("\n"))
    return made


def _parts(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and those of its commands."""
    import argparse

    yield top
    for action in top._actions:  # noqa: SLF001 - as shtab and argparse-manpage do
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for part in dict.fromkeys(action.choices.values()):
                yield from _parts(part)


def _completed(top: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Let the shell offer files where a file is meant."""
    import shtab

    for part in _parts(top):
        for action in part._actions:  # noqa: SLF001
            named = str(action.metavar or "")
            if "FILE" in named or "CAPTURE" in named:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif "DIR" in named:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return top


def man_page() -> str:
    """hostagent(8). What differs between versions of Python (how usage lines break) is left out."""
    from argparse_manpage.manpage import Manpage

    top = parser()
    for part in _parts(top):
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
