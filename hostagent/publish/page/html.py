"""Markup that cannot be forgotten to be escaped: whatever is not `Html` already is text, and is escaped where it goes in.

Text of hardware and files may hold anything: markup, control characters, bytes that are no UTF-8, marks that turn the
direction of writing. `clean` makes all of it printable first.
"""

from __future__ import annotations

from html import escape

from hostagent.values.words import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID = ("meta", "link")


class Html(str):
    """A piece of the page; made by `element` and `joined` only."""

    __slots__ = ()


NOTHING = Html()


def text(said: object) -> Html:
    """Foreign text."""
    return said if isinstance(said, Html) else Html(escape(clean(said)))


def joined(parts: Iterable[object], between: str = "") -> Html:
    """The parts that are not None or empty, as they are if `Html`, else escaped."""
    kept = [text(part) for part in parts if part is not None and part != ""]
    return Html(escape(between).join(kept))


def element(tag: str, /, *children: object, **attributes: object) -> Html:
    """`<tag attributes>children</tag>`; children and values None are left out. `cls` is class, `_` in names is `-`."""
    said = "".join(
        f' {_NAMES.get(key, key.replace("_", "-"))}="{escape(clean(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{said}>" if tag in _VOID else f"<{tag}{said}>{joined(children)}</{tag}>")


_NAMES = {"cls": "class", "view": "viewBox"}
