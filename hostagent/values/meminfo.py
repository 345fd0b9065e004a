r"""/proc/meminfo and its per-node kind (Documentation/filesystems/proc.rst, mm/hugetlb.c).

    MemTotal:       24684092 kB
    HugePages_Total:       0
    Node 0 MemTotal:        3507240 kB

>>> parse("MemTotal:       24684092 kB\nHugePages_Total:       3\n")
{'MemTotal': 25276510208, 'HugePages_Total': 3}
"""

from __future__ import annotations

from hostagent.values.blanks import fields, stripped

_NODE = "Node "
# More digits than any memory has; beyond it a text is not a number of kilobytes.
_DIGITS = 18


def parse(text: str) -> dict[str, int]:
    """Field name to bytes, or to the bare number where the line has no unit. Lines of other shapes are left out."""
    found: dict[str, int] = {}
    for line in text.split("\n"):
        name, colon, rest = line.partition(":")
        words = fields(rest)
        if not colon or not words:
            continue
        digits = words[0]
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS):
            continue
        if name.startswith(_NODE):
            name = name[len(_NODE) :].partition(" ")[2]
        found[stripped(name)] = int(digits) * (1024 if words[1:] == ["kB"] else 1)
    return found
