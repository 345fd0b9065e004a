r"""Blanks in the names of mounts and swaps, which the kernel and fstab(5) write as `\040` and its like."""

from __future__ import annotations


def unescaped(text: str) -> str:
    r"""`\040` and its like as the letters they stand for; other backslashes stay."""
    if "\\" not in text:
        return text
    head, *rest = text.split("\\")
    for part in rest:
        octal = part[:3]
        if len(octal) == 3 and octal.isascii() and all(digit in "01234567" for digit in octal) and octal <= "177":
            head += chr(int(octal, 8)) + part[3:]
        else:
            head += "\\" + part
    return head


def encoded(value: str) -> str:
    r"""A tag as udev writes it in the name of a link (`my\x20data`); what stands for a hidden name is one already."""
    if value.startswith("[redacted-"):
        return value
    return "".join(letter if letter.isalnum() or letter in "#+-.:=@_" else f"\\x{ord(letter):02x}" for letter in value)
