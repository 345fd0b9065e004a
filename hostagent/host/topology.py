"""Sockets and cores of the CPUs that are online, from the fewest files.

x86 prints them in /proc/cpuinfo, which is read anyway: `physical id` of each CPU and, for its socket, `cpu cores`. Elsewhere one
file for each core names all CPUs of it:

    sys/devices/system/cpu/cpu<N>/topology/{core_cpus_list,package_cpus_list}    Linux 5.3
    sys/devices/system/cpu/cpu<N>/topology/{thread_siblings_list,core_siblings_list}

(Documentation/admin-guide/cputopology.rst.) `core id` does not count cores: it repeats between the dies of a socket.
"""

from __future__ import annotations

from hostagent.values.cpuinfo import CpuInfo, number
from hostagent.values.cpuset import CpuSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader

PATH = "sys/devices/system/cpu"


def sockets_and_cores(reader: Reader, info: CpuInfo | None, cpus: tuple[int, ...]) -> tuple[int | None, int | None]:
    """How many sockets and cores the CPUs `cpus` are on; None where nothing says."""
    said = None if info is None else _said(info)
    if said is not None:
        return said
    return (
        _sharing(reader, cpus, ("package_cpus_list", "core_siblings_list")),
        _sharing(reader, cpus, ("core_cpus_list", "thread_siblings_list")),
    )


def _said(info: CpuInfo) -> tuple[int, int] | None:
    cores: dict[str, int] = {}
    for fields in info.processors.values():
        socket, count = fields.get("physical id"), number(fields.get("cpu cores"))
        if socket is None or count is None:
            return None
        cores[socket] = count
    # Hypervisors have announced more cores than CPUs.
    if not cores or sum(cores.values()) > len(info.processors):
        return None
    return len(cores), sum(cores.values())


def _sharing(reader: Reader, cpus: tuple[int, ...], names: tuple[str, str]) -> int | None:
    """Into how many groups `cpus` fall, reading one file a group."""
    groups = 0
    covered: set[int] = set()
    for cpu in cpus:
        if cpu in covered:
            continue
        members = next((found for name in names if (found := _members(reader, cpu, name)) is not None), None)
        if not members:
            return None
        covered.update(members, (cpu,))
        groups += 1
    return groups or None


def _members(reader: Reader, cpu: int, name: str) -> CpuSet | None:
    return reader.parsed(f"{PATH}/cpu{cpu}/topology/{name}", CpuSet.parse, "a list of CPUs such as 0,64")
