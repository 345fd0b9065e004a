"""NUMA nodes by their directories: /sys/devices/system/node/node<N> (Documentation/ABI/stable/sysfs-devices-node).

Numbers may be sparse; a machine without the directory (no CONFIG_NUMA) has none.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader

PATH = "sys/devices/system/node"
_PREFIX = "node"
# MAX_NUMNODES is 1,024 at most; a longer number is no node.
_DIGITS = 5


def numa_nodes(reader: Reader) -> tuple[int, ...]:
    """The numbers of the nodes, ascending."""
    digits = (name.removeprefix(_PREFIX) for name in reader.names(PATH) if name.startswith(_PREFIX))
    return tuple(sorted(int(text) for text in digits if text.isascii() and text.isdigit() and len(text) <= _DIGITS))
