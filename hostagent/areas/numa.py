"""NUMA nodes: which CPUs and how much memory each has, and how far it is to the others.

    sys/devices/system/node/{online,possible,has_cpu,has_memory}    sets of nodes
    sys/devices/system/node/node<N>/{cpulist,meminfo,distance}

(Documentation/ABI/stable/sysfs-devices-node.) Memory is bytes and total only: free memory changes with every survey.
Distances are the firmware's SLIT, 10 being a node to itself; the file lists the online nodes in order. Numbers
may be sparse (0, 8, 250); nodes without CPUs (HBM, CXL, GPU memory) and without memory are real. Kernels before 3.8 have
has_normal_memory instead of has_memory.
"""

from __future__ import annotations

from hostagent.area import Area, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen
from hostagent.host import Reader
from hostagent.host.nodes import PATH, numa_nodes
from hostagent.values.blanks import fields
from hostagent.values.cpuset import CpuSet
from hostagent.values.meminfo import parse
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@record
class NumaNode:
    """One NUMA node."""

    number: int
    """Number of the node; sys/devices/system/node/node<N>."""
    cpus: CpuSet | None
    """Its CPUs that are online, as in 0-3,8; sys/devices/system/node/node<N>/cpulist. Null where there is no such
    file."""
    memory_total: int | None
    """Bytes of its memory; MemTotal in sys/devices/system/node/node<N>/meminfo. Null where there is no such file."""
    distances: tuple[int, ...]
    """Distance to each node of `nodes` in that order, 10 being itself; sys/devices/system/node/node<N>/distance. Empty
    where it does not fit them."""


@record
class Numa:
    """NUMA nodes."""

    nodes: tuple[NumaNode, ...]
    """Every node in order of number, those without CPUs or memory too; none on a kernel without NUMA;
    sys/devices/system/node."""
    online: CpuSet | None
    """Nodes that are online; sys/devices/system/node/online. Null where there is no such file."""
    possible: CpuSet | None
    """Nodes that may come online; sys/devices/system/node/possible. Null where there is no such file."""
    has_cpu: CpuSet | None
    """Nodes with CPUs; sys/devices/system/node/has_cpu. Null where there is no such file."""
    has_memory: CpuSet | None
    """Nodes with memory; sys/devices/system/node/has_memory, before Linux 3.8 has_normal_memory. Null where there is
    neither."""


def probe(reader: Reader) -> Numa:
    """Every node that has a directory."""
    numbers = numa_nodes(reader)
    memory = _set(reader, "has_memory")
    return Numa(
        nodes=tuple(_node(reader, number, len(numbers)) for number in numbers),
        online=_set(reader, "online"),
        possible=_set(reader, "possible"),
        has_cpu=_set(reader, "has_cpu"),
        has_memory=_set(reader, "has_normal_memory") if memory is None else memory,
    )


def _set(reader: Reader, name: str) -> CpuSet | None:
    return reader.parsed(f"{PATH}/{name}", CpuSet.parse, "a list of nodes such as 0-1,8")


def _node(reader: Reader, number: int, nodes: int) -> NumaNode:
    base = f"{PATH}/node{number}"
    distances = reader.parsed(f"{base}/distance", lambda text: _distances(text, nodes), f"{nodes} whole numbers")
    return NumaNode(
        number=number,
        cpus=reader.parsed(f"{base}/cpulist", CpuSet.parse, "a list of CPUs such as 0-3,8"),
        memory_total=reader.parsed(f"{base}/meminfo", _total, f"a line `Node {number} MemTotal: <number> kB`"),
        distances=distances or (),
    )


def _total(text: str) -> int | None:
    return parse(text).get("MemTotal")


def _distances(text: str, nodes: int) -> tuple[int, ...] | None:
    words = fields(text)
    if len(words) != nodes or not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        return None
    return tuple(int(word) for word in words)


def labels(numa: Numa, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """How many nodes there are."""
    if numa.nodes:
        yield "numa.nodes", str(len(numa.nodes))


_LABELS = (LabelDoc(key="numa.nodes", values="a number", meaning="NUMA nodes, those without CPUs or memory too"),)

_NODES = Metric(name="hostagent_numa_nodes", help="NUMA nodes, those without CPUs or memory too.", labels=())
_MEMORY = Metric(name="hostagent_numa_node_memory_bytes", help="Memory of a NUMA node.", labels=("numa_node",))
_CPUS = Metric(name="hostagent_numa_node_cpus", help="Online CPUs of a NUMA node.", labels=("numa_node",))


def samples(numa: Numa) -> Iterator[Sample]:
    """Count, memory and CPUs."""
    if numa.nodes:
        yield Sample(metric=_NODES, labels=(), value=len(numa.nodes))
    for node in numa.nodes:
        place = (str(node.number),)
        if node.memory_total is not None:
            yield Sample(metric=_MEMORY, labels=place, value=node.memory_total)
        if node.cpus is not None:
            yield Sample(metric=_CPUS, labels=place, value=len(node.cpus))


AREA = Area(
    name="numa",
    about="NUMA nodes, their CPUs, memory and distances",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_NODES, _MEMORY, _CPUS),
    guard=None,
    unseen=nothing_unseen,
)
