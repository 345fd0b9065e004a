r"""Words and lines of what the kernel writes.

Names may hold any letter that is no blank to the kernel, and Python finds more blanks than it does: U+2028, U+3000, 0x1c to 0x1f.
isspace of lib/ctype.c in ASCII: space, \t, \n, \v, \f, \r. Only newlines end a line.
"""

from __future__ import annotations

BLANKS = " \t\n\v\f\r"


def fields(text: str) -> list[str]:
    """What stands between blanks."""
    if text.isascii() and not ("\x1c" in text or "\x1d" in text or "\x1e" in text or "\x1f" in text):
        return (
            text.split()
        )  # nothing that Python alone takes for a blank: so are most texts, and it is six times as fast
    # Of bytes, Python's blanks are the kernel's; joined by one of them, they are decoded at once.
    found = b" ".join(text.encode("utf-8", "surrogatepass").split())
    return found.decode("utf-8", "surrogatepass").split(" ") if found else []


def stripped(text: str) -> str:
    """`text` without the blanks around it."""
    return text.strip(BLANKS)


def is_blank(text: str) -> bool:
    """Whether there is nothing but blanks."""
    return not text.strip(BLANKS)


def lines(text: str) -> list[str]:
    """The lines of a text; a newline at its end begins none."""
    found = text.split("\n")
    return found[:-1] if found[-1] == "" else found
