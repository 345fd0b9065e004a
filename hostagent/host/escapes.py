r"""Letters that are written otherwise in names.

Blanks in the names of mounts and swaps the kernel and fstab(5) write as `\040` and its like; udev writes a label `my disk` as the
link `my\x20disk` (encode_devnode_name of systemd: ASCII letters and digits, some marks, and all that is not ASCII stay).
"""

from __future__ import annotations

from hostagent.host.redact_names import is_hidden


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
    """A tag's value as udev writes it in names of links; a pseudonym stands for what is encoded already."""
    if is_hidden(value):
        return value
    plain = "#+-.:=@_"
    return "".join(
        letter if letter.isalnum() or letter in plain or not letter.isascii() else f"\\x{ord(letter):02x}"
        for letter in value
    )
