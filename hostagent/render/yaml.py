r"""YAML as gopkg.in/yaml.v3 writes it: two blanks of indentation, indented sequences, no folding.

>>> emit({"units": [{"name": "a.service", "contents": "[Unit]\n"}], "fips": False}, sort=True).splitlines()
['fips: false', 'units:', '  - contents: |', '      [Unit]', '    name: a.service']

Comments and numbers in octal are for Butane files, which people read; Butane itself writes neither.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cmp_to_key

from hostagent.render import scalars
from hostagent.values.record import record


@record
class Verbatim:
    """A plain scalar written as it stands, such as the octal `0644`."""

    text: str


@record
class Commented:
    """A value of a mapping with comment lines above its key."""

    lines: tuple[str, ...]
    value: Value


Value = str | int | bool | None | Verbatim | Commented | Mapping[str, "Value"] | Sequence["Value"]


def emit(document: Mapping[str, Value], *, sort: bool) -> str:
    """The document as text; `sort` orders every mapping as yaml.v3 does, else the order given is kept."""
    return "".join(f"{line}\n" for line in lines(document, 0, sort=sort))


def natural(keys: Sequence[str]) -> list[str]:
    """Keys in the order of yaml.v3: digit runs compare as numbers, other letters stand before the alphabet."""
    return sorted(keys, key=cmp_to_key(_compared))


def lines(value: Value, column: int, *, sort: bool) -> list[str]:
    """The lines of a mapping or sequence that is not empty, beginning at `column`."""
    found: list[str] = []
    pad = " " * column
    if isinstance(value, Mapping):
        for key in natural(tuple(value)) if sort else value:
            item = value[key]
            if isinstance(item, Commented):
                found += [f"{pad}# {text}".rstrip() for text in item.lines]
                item = item.value
            found += _entry(f"{pad}{scalars.key(key)}:", item, column, sort=sort)
        return found
    assert isinstance(value, Sequence)
    for item in value:
        if _is_full(item):
            first, *rest = lines(item, column + 2, sort=sort)
            found += [f"{pad}- {first[column + 2 :]}", *rest]
        else:
            found += f"{pad}- {_leaf(item, column + 2)}".split("\n")
    return found


def _entry(head: str, item: Value, column: int, *, sort: bool) -> list[str]:
    if _is_full(item):
        return [head, *lines(item, column + 2, sort=sort)]
    return f"{head} {_leaf(item, column + 2)}".split("\n")


def _is_full(item: Value) -> bool:
    return isinstance(item, Mapping | Sequence) and not isinstance(item, str) and len(item) > 0


def _leaf(item: Value, column: int) -> str:
    match item:
        case str():
            text = scalars.scalar(item, column)
        case bool():
            text = "true" if item else "false"
        case int():
            text = str(item)
        case None:
            text = "null"
        case Verbatim():
            text = item.text
        case Commented():
            msg = "a comment belongs to a key"
            raise TypeError(msg)
        case _:
            text = "{}" if isinstance(item, Mapping) else "[]"
    return text


def _compared(a: str, b: str) -> int:
    differing = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if differing is None:
        return len(a) - len(b)
    x, y = a[differing], b[differing]
    if _is_letter(x) and _is_letter(y):
        return -1 if x < y else 1
    if _is_letter(x) or _is_letter(y):
        # After a digit the number has ended for whoever goes on with a letter: `a1b` stands before `a1-`.
        after_digit = differing > 0 and _is_digit(a[differing - 1])
        return -1 if _is_letter(x) == after_digit else 1
    mine, other = _number(a, differing, y), _number(b, differing, x)
    return -1 if (*mine, x) < (*other, y) else 1


def _number(text: str, start: int, rival: str) -> tuple[int, int]:
    """The digit run from `start` as (number, end); a zero there counts with the digits before it."""
    end, number = start, 0
    if "0" in (text[start], rival):
        before = start
        while before > 0 and _is_digit(text[before - 1]):
            before -= 1
            if text[before] != "0":
                number = 1
                break
    while end < len(text) and _is_digit(text[end]):
        number = number * 10 + ord(text[end]) - ord("0")
        end += 1
    return number, end


def _is_letter(letter: str) -> bool:
    return unicodedata.category(letter).startswith("L")


def _is_digit(letter: str) -> bool:
    return unicodedata.category(letter) == "Nd"
