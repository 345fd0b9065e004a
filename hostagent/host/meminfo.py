"""/proc/meminfo, read once for all areas that need a line of it."""

from __future__ import annotations

from hostagent.values.meminfo import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader

PATH = "proc/meminfo"


def meminfo(reader: Reader) -> dict[str, int]:
    """Field to bytes (or to a bare count); empty where the file is absent."""
    return reader.once(_meminfo)


def _meminfo(reader: Reader) -> dict[str, int]:
    text = reader.text(PATH)
    if text is None:
        return {}
    fields = parse(text)
    if "MemTotal" not in fields:
        reader.malformed(PATH, "a line `MemTotal: <number> kB`", text)
    return fields
