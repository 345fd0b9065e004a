"""Words of the page. Text that hardware or files chose never drives the terminal: it goes through `clean` or `text`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.table import Table
from rich.text import Text

from hostagent.area import Probed

T = TypeVar("T")

GOOD = "green"
BAD = "bold red"
CARE = "yellow"
QUIET = "dim"
HEAD = "bold"
NAME = "cyan"

_BINARY = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def clean(said: object) -> str:
    """Printable text; control characters, bidirectional marks and the like as Python would escape them."""
    said = str(said)
    if said.isprintable():
        return said
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in said)


def text(said: object, style: str = "") -> Text:
    """Foreign text as is: no markup, no control characters."""
    return Text(clean(said), style=style)


def joined(parts: Iterable[Text | str | None], between: str = " · ") -> Text:
    """The parts there are, with something quiet between."""
    return Text(between, style=QUIET).join(
        part if isinstance(part, Text) else text(part) for part in parts if part is not None
    )


def size(count: int) -> str:
    """Bytes for people: exact where a unit divides them, else one decimal."""
    for unit, name in _BINARY:
        if count >= unit:
            return f"{count // unit} {name}" if count % unit == 0 else f"{count / unit:.1f} {name}"
    return f"{count} B"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 group`, `2 groups`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def heading(title: str, remark: Text | str | None = None) -> Text:
    """The line above a section."""
    line = Text(f"\n{title}", style=HEAD)
    if remark is not None:
        line = Text.assemble(line, Text("  "), remark if isinstance(remark, Text) else Text(remark, style=QUIET))
    return line


def facts(rows: Iterable[tuple[str, Text | str | None]]) -> Table:
    """`name  value` lines; the value wraps in its own column. Rows without a value are left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=QUIET, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        if value is not None:
            grid.add_row(name, value if isinstance(value, Text) else text(value))
    return grid


def columns(heads: Iterable[str], rows: Iterable[Iterable[Text | str]], right: Iterable[int] = ()) -> Table:
    """A table without lines: quiet heads, columns as wide as they need; `right` are the numbers' columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET, show_edge=False)
    at_right = frozenset(right)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number in at_right else "left", overflow="fold")
    for row in rows:
        table.add_row(*[cell if isinstance(cell, Text) else text(cell) for cell in row])
    return table


def found(probed: Probed[T] | None) -> T | None:
    """What an area found; None where it was not asked for or failed."""
    return None if probed is None else probed.data


def onoff(value: bool | None, name: str) -> str | None:  # noqa: FBT001 - a value to be printed
    """`nested on`, `nested off`; None where nobody says."""
    return None if value is None else f"{name} {'on' if value else 'off'}"
