"""/proc/cpuinfo, read and split once for all areas that need a line of it."""

from __future__ import annotations

from hostagent.values.cpuinfo import CpuInfo, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader

PATH = "proc/cpuinfo"


def cpuinfo(reader: Reader) -> CpuInfo | None:
    """What the kernel says of its CPUs; None where the file is absent or says nothing."""
    return reader.once(_cpuinfo)


def _cpuinfo(reader: Reader) -> CpuInfo | None:
    text = reader.text(PATH)
    if text is None:
        return None
    info = parse(text)
    # sparc64 lists no processors, only the machine.
    if not info.processors and "cpu" not in info.machine:
        reader.malformed(PATH, "blocks that begin with `processor`", text)
        return None
    return info
