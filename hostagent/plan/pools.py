"""Huge page pools: which are made at boot, which at run time, and which cannot be.

The kernel's parameters are an ordered list: the default size first, then each size once with its count behind it. Pages of
1 GiB are only to be had at boot. Per NUMA node they take `hugepages=0:2,1:4`, which Linux knows since 5.16; a kernel
that may not know it (distributions port it back) gets a unit instead, which may come too late. Smaller pages of a
NUMA node are made by a unit.
"""

from __future__ import annotations

from hostagent.assess.node import AMD, INTEL, Node, data
from hostagent.assess.reasons import Evidence, Reason, Why
from hostagent.plan.model import BOOT, HUGEPAGES, RUN, KernelArgument, Note, PoolPlan, Refusal
from hostagent.values.size import kernel_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.profile import Hugepages, HugePool

_GIB = 1 << 30
_USUAL_DEFAULT = 2 << 20
# Left to the host: a node that gives all its memory away boots into the OOM killer, and cannot be reached to undo it.
_SHARE, _LEAST = 32, 512 << 20
_NODE_FORMAT = (5, 16)


def pool_plans(nodes: tuple[Node, ...], wishes: Hugepages) -> tuple[PoolPlan, ...]:
    """Every pool, largest pages first, then by NUMA node."""
    known = bool(nodes) and all(_knows_node_format(node) for node in nodes)
    found = [
        PoolPlan(
            page_size=pool.size,
            numa_node=pool.node,
            pages=pool.count,
            when=BOOT if pool.node is None or (known and pool.size >= _GIB) else RUN,
        )
        for pool in wishes.pools
    ]
    return tuple(sorted(found, key=lambda pool: (-pool.page_size, -1 if pool.numa_node is None else pool.numa_node)))


def _knows_node_format(node: Node) -> bool:
    kernel = data(node.report.kernel)
    if kernel is None or kernel.release is None or (kernel.architecture or "").startswith("ppc"):
        return False
    parts = kernel.release.split(".")[:2]
    return len(parts) == 2 and all(part.isdecimal() for part in parts) and tuple(map(int, parts)) >= _NODE_FORMAT


def pool_arguments(default_size: int | None, pools: tuple[PoolPlan, ...]) -> list[KernelArgument]:
    """The canonical parameters of what is made at boot, and of sizes that have to exist for what is made later."""
    found = []
    if default_size is not None:
        why = "the size that is used where none is named"
        found.append(_argument((f"default_hugepagesz={kernel_size(default_size)}",), why))
    for size in sorted({pool.page_size for pool in pools}, reverse=True):
        mine = [pool for pool in pools if pool.page_size == size]
        name = kernel_size(size)
        boot = [pool for pool in mine if pool.when == BOOT]
        if boot:
            why = f"pages of {name} are made while memory is whole"
            found.append(_argument((f"hugepagesz={name}", f"hugepages={_counts(boot)}"), why))
        elif size != (default_size or _USUAL_DEFAULT):
            why = f"makes pages of {name} known; a unit makes them"
            found.append(_argument((f"hugepagesz={name}", "hugepages=0"), why))
    return found


def _argument(words: tuple[str, ...], why: str) -> KernelArgument:
    return KernelArgument(words=words, topic=HUGEPAGES, why=why)


def _counts(pools: list[PoolPlan]) -> str:
    if pools[0].numa_node is None:
        return str(pools[0].pages)
    return ",".join(f"{pool.numa_node}:{pool.pages}" for pool in pools)


def pool_notes(pools: tuple[PoolPlan, ...]) -> list[Note]:
    """Pools that may come out smaller."""
    late = [pool for pool in pools if pool.when == RUN and pool.page_size >= _GIB]
    text = "made by a unit after boot, which may find no memory in one piece: not every kernel given knows hugepages=<node>:<n>"
    return [
        Note(
            code="late-pages",
            node=None,
            subject=f"{kernel_size(pool.page_size)} on NUMA node {pool.numa_node}",
            text=text,
        )
        for pool in late
    ]


def pool_refusals(nodes: tuple[Node, ...], wishes: Hugepages) -> list[Refusal]:
    """What cannot be, on each node: sizes, NUMA nodes, memory."""
    return [
        Refusal(node=node.name, entry=entry, address=None, reason=reason)
        for node in nodes
        for entry, reason in (*_sizes(node, wishes), *_places(node, wishes), *_memory(node, wishes))
    ]


def _place(number: int) -> str:
    return f"hugepages.pools[{number}]"


def _sizes(node: Node, wishes: Hugepages) -> Iterator[tuple[str, Reason]]:
    found = data(node.report.hugepages)
    supported = None if found is None else found.supported_sizes
    if supported is None:
        return
    asked = [(_place(number), pool.size) for number, pool in enumerate(wishes.pools)]
    if wishes.default_size is not None:
        asked.insert(0, ("hugepages.defaultSize", wishes.default_size))
    for entry, size in asked:
        if size not in supported:
            sizes = ", ".join(kernel_size(one) for one in supported) or "none"
            text = f"this machine has no pages of {kernel_size(size)}: expected one of {sizes}"
            yield entry, Reason(code=Why.PAGE_SIZE, text=text, evidence=(_why_not(node, size),))


def _why_not(node: Node, size: int) -> Evidence:
    if size == _GIB and node.cpu_vendor() in (INTEL, AMD):
        return Evidence(path="proc/cpuinfo", said="flags without pdpe1gb")
    return Evidence(path=f"sys/kernel/mm/hugepages/hugepages-{size >> 10}kB", said="no such directory")


def _places(node: Node, wishes: Hugepages) -> Iterator[tuple[str, Reason]]:
    numa = data(node.report.numa)
    if numa is None:
        return
    numbers = {one.number for one in numa.nodes}
    for number, pool in enumerate(wishes.pools):
        if pool.node is not None and pool.node not in numbers:
            there = ", ".join(map(str, sorted(numbers))) or "none"
            said = Evidence(path="sys/devices/system/node", said=f"nodes: {there}")
            text = f"there is no NUMA node {pool.node}: expected one of {there}"
            yield _place(number), Reason(code=Why.NUMA_NODE, text=text, evidence=(said,))


def _memory(node: Node, wishes: Hugepages) -> Iterator[tuple[str, Reason]]:
    memory, numa = data(node.report.memory), data(node.report.numa)
    if memory is not None and memory.total is not None:
        left = max(memory.total // _SHARE, _LEAST)
        said = Evidence(path="proc/meminfo", said=f"MemTotal: {memory.total >> 10} kB")
        yield from _beyond(wishes, wishes.pools, (memory.total, left), ("the machine", said))
    for one in () if numa is None else numa.nodes:
        mine = tuple(pool for pool in wishes.pools if pool.node == one.number)
        if mine and one.memory_total is not None:
            path = f"sys/devices/system/node/node{one.number}/meminfo"
            said = Evidence(path=path, said=f"Node {one.number} MemTotal: {one.memory_total >> 10} kB")
            left = one.memory_total // _SHARE
            yield from _beyond(wishes, mine, (one.memory_total, left), (f"NUMA node {one.number}", said))


def _beyond(
    wishes: Hugepages, pools: tuple[HugePool, ...], memory: tuple[int, int], where: tuple[str, Evidence]
) -> Iterator[tuple[str, Reason]]:
    """A reason, at the largest of the pools, where together they take more than `memory`: (there is, stays)."""
    asked = sum(pool.size * pool.count for pool in pools)
    total, left = memory
    if asked <= max(total - left, 0):
        return
    largest = max(pools, key=lambda pool: pool.size * pool.count)
    has = f"{where[0]} has {_mebibytes(total)} and {_mebibytes(left)} stay with the host"
    text = f"{_mebibytes(asked)} of huge pages asked for, {has}"
    yield _place(wishes.pools.index(largest)), Reason(code=Why.TOO_MANY_PAGES, text=text, evidence=(where[1],))


def _mebibytes(size: int) -> str:
    return f"{size >> 20} MiB"
