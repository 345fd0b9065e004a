"""hostagent(8), made by argparse-manpage from the parser, with what that leaves out: how commands are called, statuses, files."""

from __future__ import annotations

from hostagent import __version__
from hostagent.cli.completions import parts
from hostagent.cli.entry import STATUSES
from hostagent.cli.roff import heading, item, plain
from hostagent.cli.words import parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

_FILES = (
    ("/etc/hostagent/config.yaml", "settings of `hostagent run`"),
    ("/etc/hostagent/profile.yaml", "what the node is to be"),
    ("/run/hostagent/report.json", "the last survey of the running agent"),
    (
        "/etc/kubernetes/node-feature-discovery/features.d/hostagent",
        "labels for Node Feature Discovery; they expire when the agent does not renew them",
    ),
)


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
    body = body.replace(".SH\nPOSITIONAL ARGUMENTS", f"{_options()}.SH COMMANDS")
    body = _with_synopsis(body)
    body = body.replace(".SH COMMAND \\fI\\,'", ".SH ").replace("'\\/\\fR\n", "\n")
    return f"{body}\n{_exits()}{_places()}{_SEE}"


def _with_synopsis(page: str) -> str:
    """Every command as it is called, instead of the one line that says `COMMAND ...`."""
    before, _, rest = page.partition(".SH SYNOPSIS\n")
    lines = []
    for part in parts(parser()):
        said = [_called(action) for action in part._actions if action.option_strings != ["-h", "--help"]]  # noqa: SLF001
        words = " ".join(said) if " " in part.prog else "[\\-h|\\-\\-version] COMMAND ..."
        lines.append(f".B {plain(part.prog)}\n{words}".rstrip() + "\n")
    after = rest[rest.index(".SH DESCRIPTION") :]
    return before + heading("SYNOPSIS") + ".br\n".join(lines) + after


def _called(action: argparse.Action) -> str:
    """One argument as it stands in a synopsis."""
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    words = [action.option_strings[-1]] if action.option_strings else []
    words += [] if action.nargs == 0 else [str(value)]
    repeated = " ..." if action.nargs in ("+", "*") else ""
    needed = action.required and action.nargs != "*"
    text = plain(" ".join(words)) + repeated
    return text if needed else f"[{text}]"


def _options() -> str:
    """What argparse-manpage leaves out, since every command has them."""
    rows = (
        ("-h, --help", "say what a command takes, and end; of every command too"),
        ("--version", "say which it is, and end"),
    )
    return heading("OPTIONS") + "".join(item(name, meaning) for name, meaning in rows)


def _exits() -> str:
    return heading("EXIT STATUS") + "".join(item(str(status), meaning) for status, meaning in STATUSES)


def _places() -> str:
    return heading("FILES") + "".join(f".TP\n.I {plain(path)}\n{plain(meaning)}\n" for path, meaning in _FILES)


_SEE = """\
.SH SEE ALSO
.BR hostagent\\-config (5),
.BR hostagent\\-profile (5),
.BR lspci (8),
.BR virt\\-host\\-validate (1),
.BR systemd.service (5)
"""
