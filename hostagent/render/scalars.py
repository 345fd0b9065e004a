"""How gopkg.in/yaml.v3 writes one scalar: plain, single quotes, double quotes or a literal block.

Butane prints MachineConfigs with that library, so a MachineConfig of ours has to make the same choices
(encode.go, resolve.go and emitterc.go there). Text is quoted where a reader would take it for something else
than text, under YAML 1.2 as Go reads it and, out of courtesy, under YAML 1.1 (`on`, `no`, `1:30`).

Not reproduced, because yaml.v3 loses or folds characters there: text that begins with a line break, U+2028, U+2029
and a leading byte order mark. Here such text is double-quoted, which every reader gets right; `files.check`
refuses it where the text has to equal Butane's.
"""

from __future__ import annotations

import math
import re

_NULLS_AND_BOOLS = "~ null Null NULL true True TRUE false False FALSE"
_FLOAT_WORDS = ".nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF"
_OLD_BOOLS = "y Y yes Yes YES on On ON n N no No NO off Off OFF"
_WORDS = frozenset(f"{_NULLS_AND_BOOLS} {_FLOAT_WORDS} {_OLD_BOOLS}".split())
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINT_FLOAT = re.compile(r"\.[0-9](_?[0-9])*([eE][-+]?[0-9](_?[0-9])*)?")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_DATE = r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
_CLOCK = r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?"
_TIMESTAMP = re.compile(rf"{_DATE}(?:[Tt]{_CLOCK}(?:Z|[-+]([0-9]{{2}}):([0-9]{{2}}))| +{_CLOCK})?")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_SIGN_INSIDE = re.compile(r"0(?:b(?P<bin>[-+][01]+)|o(?P<oct>[-+][0-7]+))")
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}

_BREAKS = frozenset("\r\n\x85\u2028\u2029")
_ESCAPES = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e",
    '"': '"', "\\": "\\", "\x85": "N", "\u2028": "L", "\u2029": "P",
}  # fmt: skip
_FIRST_INDICATORS = frozenset("#,[]{}&*!|>'\"%@`")


def scalar(text: str, column: int) -> str:
    """`text` in the style yaml.v3 gives a value; the lines of a literal block start at `column`."""
    if "\n" in text:
        return _literal(text, column) if _fits_literal(text) else _double_quoted(text)
    return key(text)


def key(text: str) -> str:
    """`text` on one line, as yaml.v3 writes a mapping key or a value without line breaks."""
    if reads_as_other(text) or not _fits_single_quotes(text):
        return _double_quoted(text)
    return text if _fits_plain(text) else "'" + text.replace("'", "''") + "'"


def printable(letter: str) -> bool:
    """Whether yaml.v3 writes this character as it is; astral characters are not among them, nor is the tab."""
    return (
        letter == "\n"
        or " " <= letter <= "~"
        or "\xa0" <= letter <= "\ud7ff"
        or ("\ue000" <= letter <= "\ufffd" and letter != "\ufeff")
    )


def reads_as_other(text: str) -> bool:
    """Whether plain `text` would be read as null, bool, number or time by YAML 1.2 or 1.1."""
    if not text or text in _WORDS:
        return True
    if text[0] == ".":
        return _POINT_FLOAT.fullmatch(text) is not None and _finite(text)
    if text[0] not in "+-0123456789":
        return False
    digits = text.replace("_", "")
    return (
        _is_timestamp(text)
        or _is_integer(digits)
        or (_FLOAT.fullmatch(digits) is not None and _finite(digits))
        or _BASE_60.fullmatch(text) is not None
    )


def _finite(number: str) -> bool:
    return math.isfinite(float(number.replace("_", "")))


def _is_integer(digits: str) -> bool:
    """What strconv.ParseInt and ParseUint take: 64 bits, unsigned only without a sign."""
    match = _INTEGER.fullmatch(digits) or _SIGN_INSIDE.fullmatch(digits)
    if match is None:
        return False
    base, number = next((_BASES[name], found) for name, found in match.groupdict().items() if name in _BASES and found)
    value = int((match.groupdict().get("sign") or "") + number, base)
    signed = digits[0] in "+-" or number[0] in "+-"
    return -(2**63) <= value < (2**63 if signed else 2**64)


def _is_timestamp(text: str) -> bool:
    """What time.Parse takes for the four layouts of yaml.v3: the day has to exist."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    year, month, day, *rest = (int(part or 0) for part in match.groups())
    hour, minute, second, zone_hour, zone_minute, late_hour, late_minute, late_second = rest
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return (
        1 <= month <= 12
        and 1 <= day <= lengths[month - 1]
        and max(hour, late_hour) < 24
        and max(minute, second, late_minute, late_second) < 60
        and zone_hour <= 24
        and zone_minute <= 60
    )


def _fits_plain(text: str) -> bool:
    first = text[0]
    return not (
        first in _FIRST_INDICATORS
        or (first in "?:-" and text[1:2] in ("", " "))
        or text.startswith(("---", "..."))
        or first == " "
        or text[-1] in " :"
        or ": " in text
        or " #" in text
    )


def _fits_single_quotes(text: str) -> bool:
    return all(printable(letter) and letter not in _BREAKS for letter in text)


def _fits_literal(text: str) -> bool:
    return (
        text[0] != "\n"
        and text[-1] != " "
        and " \n" not in text
        and _fits_single_quotes(text.replace("\n", "").replace("\t", ""))
    )


def _literal(text: str, column: int) -> str:
    lines = text.split("\n")
    chomp = "-" if lines[-1] else "+" if text.endswith("\n\n") else ""
    body = lines if lines[-1] else lines[:-1]
    pad = " " * column
    return "\n".join([f"|{'2' if text[0] == ' ' else ''}{chomp}", *[pad + line if line else "" for line in body]])


def _double_quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if printable(letter) and letter not in _BREAKS and letter not in '"\\':
        return letter
    if letter in _ESCAPES:
        return "\\" + _ESCAPES[letter]
    code = ord(letter)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
