"""The few words of man(7) that the pages need."""

from __future__ import annotations


def plain(said: str) -> str:
    """Text as it is: hyphens that stay hyphens, and no line that begins with a control character."""
    escaped = said.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in escaped.split("\n"))


def heading(name: str) -> str:
    """The start of a section."""
    return f".SH {name}\n"


def item(name: str, meaning: str) -> str:
    """A word and, indented, what it means."""
    return f".TP\n.B {plain(name)}\n{plain(meaning)}\n"


def paragraph(words: str) -> str:
    """Running text."""
    return f"{plain(words)}\n"
