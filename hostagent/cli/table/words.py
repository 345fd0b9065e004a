"""Words of the page. Text that hardware or files chose never drives the terminal: it goes through `clean` or `text`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hostagent.area import Probed
from hostagent.values.words import clean

T = TypeVar("T")

GOOD = "green"
BAD = "bold red"
CARE = "yellow"
QUIET = "dim"
HEAD = "bold"
NAME = "cyan"


def text(said: object, style: str = "") -> Text:
    """Foreign text as is: no markup, no control characters."""
    return Text(clean(said), style=style)


def joined(parts: Iterable[Text | str | None], between: str = " · ") -> Text:
    """The parts there are, with something quiet between."""
    line = Text()
    for part in parts:
        if part is not None:
            line.append(between if line else "", style=QUIET)
            line.append_text(part if isinstance(part, Text) else text(part))
    return line


def heading(title: str, remark: Text | str | None = None) -> Text:
    """The line above a section."""
    line = Text(f"\n{title}", style=HEAD)
    if remark is not None:
        line = Text.assemble(line, Text("  "), remark if isinstance(remark, Text) else Text(remark, style=QUIET))
    return line


def facts(rows: Iterable[tuple[str, Text | str | None]]) -> Table:
    """`name  value` lines; the value wraps in its own column. Rows without a value, or an empty one, are left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=QUIET, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        if value:
            grid.add_row(name, value if isinstance(value, Text) else text(value))
    return grid


class Columns:
    """A table without lines: quiet heads, columns as wide as they need, only the last one wraps.

    `right` are the numbers' columns. Paper too narrow for that gets a few lines for each row instead.
    """

    def __init__(self, heads: Iterable[str], rows: Iterable[Iterable[Text | str]], right: Iterable[int] = ()) -> None:
        self.heads = tuple(heads)
        self.rows = [[cell if isinstance(cell, Text) else text(cell) for cell in row] for row in rows]
        self.right = frozenset(right)

    def _needs(self) -> int:
        """Letters in a line, if the last column wraps at a dozen."""
        widths = [
            max(text(head).cell_len, *(row[at].cell_len for row in self.rows)) for at, head in enumerate(self.heads)
        ]
        return sum(widths[:-1]) + 2 * len(widths[:-1]) + min(widths[-1], 12)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        if self._needs() <= options.max_width:
            yield self._table()
            return
        for row in self.rows:
            said = [Text.assemble((head, QUIET), " ", cell) for head, cell in zip(self.heads, row, strict=True) if cell]
            yield said[0]
            yield Padding(joined(said[1:]), (0, 0, 0, 2))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET, show_edge=False)
        last = len(self.heads) - 1
        for number, head in enumerate(self.heads):
            justify: JustifyMethod = "right" if number in self.right else "left"
            table.add_column(head, justify=justify, no_wrap=number != last, overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        return table


def found(probed: Probed[T] | None) -> T | None:
    """What an area found; None where it was not asked for or failed."""
    return None if probed is None else probed.data


def onoff(value: bool | None, name: str) -> str | None:  # noqa: FBT001 - a value to be printed
    """`nested on`, `nested off`; None where nobody says."""
    return None if value is None else f"{name} {'on' if value else 'off'}"
