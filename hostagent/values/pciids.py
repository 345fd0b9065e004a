r"""Names out of pci.ids, the list lspci uses (https://pci-ids.ucw.cz): a few out of 38,000 lines, which are not all read.

    10de  NVIDIA Corporation        a vendor, at the margin
    \t1eb8  TU104GL [Tesla T4]      its device, behind one tab; subsystems are behind two
    C 03  Display controller        a class
    \t02  3D controller             its subclass

Comments begin with `#`. Vendors and classes stand in the order of their IDs; other orders cost time, not names.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Intel's section, the longest, is 300 KB; most are a few lines.
_CHUNK = 1 << 13


class PciIds:
    """The text of one pci.ids, and the sections of it that were asked for."""

    def __init__(self, book: bytes) -> None:
        self._book = b"\n" + book
        self._last = 0
        self._sections: dict[str, bytes | None] = {}

    def vendor(self, vendor_id: str) -> str | None:
        """`NVIDIA Corporation`."""
        return _named(self._section(vendor_id), b"", vendor_id)

    def device(self, vendor_id: str, device_id: str) -> str | None:
        """`TU104GL [Tesla T4]`."""
        return _named(self._section(vendor_id), b"\t", device_id)

    def class_name(self, class_id: str) -> str | None:
        """`3D controller` for `030200`; the base class where the subclass has no name."""
        section = self._section(f"C {class_id[:2]}")
        return _named(section, b"\t", class_id[2:4]) or _named(section, b"", f"C {class_id[:2]}")

    def _section(self, key: str) -> bytes | None:
        """The line of a vendor or class, and what is indented below it."""
        if key not in self._sections:
            line = b"\n" + key.encode() + b"  "
            at = self._book.find(line, self._last)
            at = at if at >= 0 else self._book.find(line)
            self._sections[key] = self._from(at) if at >= 0 else None
            self._last = max(at, 0)
        return self._sections[key]

    def _from(self, at: int) -> bytes:
        size = _CHUNK
        while True:
            # Lines that belong to the section stop beginning with a newline, in one step and without moving.
            chunk = self._book[at : at + size]
            marked = b"\n" + chunk[1:].replace(b"\n\t", b"\0\t").replace(b"\n#", b"\0#")
            end = marked.find(b"\n", 1)
            # A newline at the very end may have its tab in the next chunk.
            if 0 <= end < len(chunk) - 1 or at + size >= len(self._book):
                return chunk[:end] if end >= 0 else chunk
            size *= 8


def _named(section: bytes | None, indent: bytes, key: str) -> str | None:
    if section is None:
        return None
    head = b"\n" + indent + key.encode() + b"  "
    at = section.find(head)
    if at < 0:
        return None
    end = section.find(b"\n", at + 1)
    name = section[at + len(head) : end if end >= 0 else None].decode("utf-8", "replace").strip()
    return name or None


def names(
    book: bytes, keys: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str, str], tuple[str | None, str | None, str | None]]:
    """(vendor, device, class) IDs to their names, in the order given; ascending order is the fastest."""
    ids = PciIds(book)
    keys = tuple(keys)
    vendors = {key: (ids.vendor(key[0]), ids.device(key[0], key[1])) for key in keys}
    return {key: (*vendors[key], ids.class_name(key[2])) for key in keys}
