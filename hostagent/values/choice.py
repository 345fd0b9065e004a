"""Files that list every choice with the present one in brackets: `always [madvise] never` (transparent_hugepage/enabled)."""

from __future__ import annotations

from hostagent.values.blanks import fields


def chosen(text: str) -> str | None:
    """The word in brackets; None if there is none."""
    for word in fields(text):
        if len(word) > 2 and word[0] == "[" and word[-1] == "]":
            return word[1:-1]
    return None
