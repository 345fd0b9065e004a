"""How the CPUs are arranged: sets of them, and sockets and cores of those that are online, from the fewest files.

    sys/devices/system/cpu/{online,offline,possible,present,isolated,nohz_full}     0-3,8

x86 prints sockets and cores in /proc/cpuinfo, which is read anyway: `physical id` of each CPU and, for its socket, `cpu cores`.
Elsewhere one file for each core names all CPUs of it:

    sys/devices/system/cpu/cpu<N>/topology/{core_cpus_list,package_cpus_list}    Linux 5.3
    sys/devices/system/cpu/cpu<N>/topology/{thread_siblings_list,core_siblings_list}

(Documentation/admin-guide/cputopology.rst.) `core id` does not count cores: it repeats between the dies of a socket.
"""

from __future__ import annotations

from hostagent.values.cpuinfo import CpuInfo, number
from hostagent.values.cpuset import CpuSet
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader

PATH = "sys/devices/system/cpu"


@record
class Topology:
    """How the CPUs are arranged."""

    sockets: int | None
    """Sockets that have a CPU online; proc/cpuinfo, else topology/package_cpus_list of the CPUs. Null where neither
    tells."""
    cores: int | None
    """Cores that have a CPU online; proc/cpuinfo, else topology/core_cpus_list of the CPUs. Null where neither
    tells."""
    threads: int | None
    """CPUs online; sys/devices/system/cpu/online, else proc/cpuinfo. Null where neither lists one."""
    online: CpuSet | None
    """CPUs online, as in 0-3,8; sys/devices/system/cpu/online. Null where there is no such file."""
    offline: CpuSet | None
    """CPUs that are not; sys/devices/system/cpu/offline. Null where there is no such file."""
    possible: CpuSet | None
    """CPUs that may come; sys/devices/system/cpu/possible. Null where there is no such file."""
    present: CpuSet | None
    """CPUs plugged in; sys/devices/system/cpu/present. Null where there is no such file."""
    isolated: CpuSet | None
    """CPUs kept from the scheduler, as by isolcpus=; sys/devices/system/cpu/isolated. Null where there is no such
    file."""
    nohz_full: CpuSet | None
    """CPUs without a tick while they run one task; sys/devices/system/cpu/nohz_full. Null where there is no such
    file."""


def topology(reader: Reader, info: CpuInfo) -> Topology:
    """Sets and counts."""
    online = _set(reader, "online")
    cpus = online or CpuSet(sorted(info.processors))
    sockets, cores = _sockets_and_cores(reader, info, cpus)
    return Topology(
        sockets=sockets,
        cores=cores,
        threads=len(cpus) or None,
        online=online,
        offline=_set(reader, "offline"),
        possible=_set(reader, "possible"),
        present=_set(reader, "present"),
        isolated=_set(reader, "isolated"),
        nohz_full=_set(reader, "nohz_full"),
    )


def _set(reader: Reader, name: str) -> CpuSet | None:
    return reader.parsed(f"{PATH}/{name}", _cpus, "a list of CPUs such as 0-3,8")


def _cpus(text: str) -> CpuSet | None:
    # nohz_full where it is built in and not used.
    return CpuSet(()) if text == "(null)" else CpuSet.parse(text)


def _sockets_and_cores(reader: Reader, info: CpuInfo | None, cpus: tuple[int, ...]) -> tuple[int | None, int | None]:
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
