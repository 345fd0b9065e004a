r"""Names out of pci.ids, the list lspci uses (https://pci-ids.ucw.cz): a few out of 38,000 lines, which are not all read.

    10de  NVIDIA Corporation        a vendor, at the margin
    \t1eb8  TU104GL [Tesla T4]      its device, behind one tab; subsystems are behind two
    C 03  Display controller        a class
    \t02  3D controller             its subclass

Comments begin with `#`. Vendors and classes stand in the order of their IDs; other orders cost time, not names.
"""

from __future__ import annotations

from hostagent.values.blanks import stripped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Most sections are a few lines; Intel's is 300 KB.
_CHUNK = 1 << 13


class PciIds:
    """The text of one pci.ids, and the sections of it that were asked for."""

    def __init__(self, book: bytes) -> None:
        self._book = book
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
            at = self._find(key.encode() + b"  ")
            self._sections[key] = None if at < 0 else self._from(at)
        return self._sections[key]

    def _find(self, head: bytes) -> int:
        """Where a line that begins with `head` is; -1 if there is none."""
        if self._book.startswith(head):
            return 0
        at = self._book.find(b"\n" + head, self._last)
        if at < 0:
            at = self._book.find(b"\n" + head)
        self._last = max(at, 0)
        return at + 1 if at >= 0 else -1

    def _from(self, at: int) -> bytes:
        # In order, the next line at the margin most often begins with the same digit.
        end = self._book.find(b"\n" + self._book[at : at + 1], at)
        size = end + 2 - at if end >= 0 else _CHUNK
        while True:
            chunk = self._book[at : at + size]
            # One step, and nothing moves: what is left of the newlines stands before the margin or a comment.
            marked = chunk.replace(b"\n\t", b"\0\t")
            end = marked.find(b"\n")
            while marked[end + 1 : end + 2] == b"#" and end >= 0:
                end = marked.find(b"\n", end + 1)
            # A newline at the very end may have its tab in the next chunk.
            if 0 <= end < len(chunk) - 1 or at + size >= len(self._book):
                return chunk[:end] if end >= 0 else chunk
            size *= 4


def _named(section: bytes | None, indent: bytes, key: str) -> str | None:
    """What stands behind `key`: in the section's first line without indent, in a line below it with one."""
    if section is None:
        return None
    head = indent + key.encode() + b"  "
    at = section.find(b"\n" + head) + 1 if indent else 0
    if indent and at == 0:
        return None
    end = section.find(b"\n", at)
    name = stripped(section[at + len(head) : end if end >= 0 else None].decode("utf-8", "replace"))
    return name or None


def names(
    book: bytes, keys: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str, str], tuple[str | None, str | None, str | None]]:
    """(vendor, device, class) IDs to their names, in the order given; ascending order is the fastest."""
    ids = PciIds(book)
    keys = tuple(keys)
    vendors = {key: (ids.vendor(key[0]), ids.device(key[0], key[1])) for key in keys}
    return {key: (*vendors[key], ids.class_name(key[2])) for key in keys}
