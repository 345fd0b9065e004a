"""What the page is printed on: how wide, in colour or not.

Colour: NO_COLOR (https://no-color.org) is the last word; CLICOLOR_FORCE and FORCE_COLOR ask for it anywhere; else a
terminal gets it unless CLICOLOR=0 or TERM says it is dumb. Width: COLUMNS, else the terminal's, else wide enough that a
line in a pipe is one fact and grep finds it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping

from rich.console import Console, RenderableType

from hostagent.values.record import record

PIPE = 200
NARROWEST = 20


@record
class Paper:
    """`encoding`: what the output can show; others than UTF-8 get ASCII lines."""

    width: int
    colour: bool
    encoding: str


def paper(environment: Mapping[str, str], *, terminal: int | None, encoding: str) -> Paper:
    """Decide. `terminal`: the width of the terminal that standard output is, None where it is none."""
    columns = environment.get("COLUMNS", "")
    given = int(columns) if columns.isascii() and columns.isdigit() and len(columns) < 6 else 0
    width = given or terminal or PIPE
    return Paper(width=max(width, NARROWEST), colour=_colour(environment, terminal is not None), encoding=encoding)


def _colour(environment: Mapping[str, str], terminal: bool) -> bool:  # noqa: FBT001 - private
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "0") not in ("", "0") for name in ("CLICOLOR_FORCE", "FORCE_COLOR")):
        return True
    return (
        terminal and environment.get("CLICOLOR") != "0" and environment.get("TERM", "dumb") not in ("dumb", "unknown")
    )


def standard_output() -> Paper:
    """The paper that standard output is."""
    width = None
    if sys.stdout is not None and sys.stdout.isatty():
        try:
            width = os.get_terminal_size(sys.stdout.fileno()).columns
        except OSError:
            width = 0
        width = width or 80
    return paper(os.environ, terminal=width, encoding=getattr(sys.stdout, "encoding", None) or "utf-8")


class _Sheet(io.StringIO):
    """A file in memory that has an encoding, which rich asks for to choose its lines."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def printed(blocks: Iterable[RenderableType], on: Paper) -> str:
    """The blocks as text."""
    sheet = _Sheet(on.encoding)
    console = Console(
        file=sheet,
        width=on.width,
        color_system="standard" if on.colour else None,
        force_terminal=on.colour,
        no_color=not on.colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    for block in blocks:
        console.print(block)
    text = sheet.getvalue()
    if not on.encoding.lower().startswith("utf"):
        text = text.replace("·", "-").replace("⋮", ":")
    # Cells are padded to their columns; the padding at the end of a line is nobody's.
    return "".join(f"{line.rstrip()}\n" for line in text.split("\n")[:-1])
