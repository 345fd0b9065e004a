"""Huge pages: asked for and given, by size and NUMA node."""

from __future__ import annotations

from hostagent.advice.model import (
    BLOCKER,
    KARGS,
    PROFILE,
    SYSTEMD,
    WARNING,
    Code,
    Finding,
    Remedy,
    finding,
    other,
    render,
    said,
)
from hostagent.advice.view import View
from hostagent.areas.hugepages import Hugepages, Pool
from hostagent.assess.node import data
from hostagent.assess.reasons import Evidence, Why
from hostagent.plan.model import RUN
from hostagent.values import hugepages as values
from hostagent.values.size import kernel_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = Code(
    name="hugepages-short",
    title="Fewer huge pages than were asked for",
    cause=(
        "Huge pages are memory in one piece. At boot they are only limited by how much there is; later there "
        "is less of it every hour. Guests that want the missing pages do not start."
    ),
    proof=(
        "nr_hugepages in /sys/kernel/mm/hugepages (or of the NUMA node) is less than the kernel arguments or "
        "the profile say."
    ),
    remedy=render(
        KARGS,
        (
            "Ask for them at boot, as `hostagent render kargs` does, and reboot; ask for less if the kernel's "
            "log says that memory ran out."
        ),
    ),
)
UNSUPPORTED = Code(
    name="hugepage-size-unsupported",
    title="The machine has no huge pages of this size",
    cause=(
        "The CPU cannot (1 GiB needs the flag pdpe1gb), or this kernel has no such size. The kernel ignores "
        "the size and the count behind it."
    ),
    proof="/sys/kernel/mm/hugepages has no directory of that size; on x86 /proc/cpuinfo has no pdpe1gb.",
    remedy=other(
        PROFILE, "Ask for a size that the machine has; in virtual machines, give the guest a CPU with pdpe1gb."
    ),
)
UNEVEN = Code(
    name="hugepages-uneven",
    title="NUMA nodes have different numbers of huge pages",
    cause=(
        "The kernel spreads pages over the nodes and takes from others what one cannot give. A guest that is "
        "kept to one node sees that node's pages only, and the scheduler sees the sum."
    ),
    proof="nr_hugepages in /sys/devices/system/node/node*/hugepages differs from node to node.",
    remedy=other(PROFILE, "Ask for pages by NUMA node in the profile (`node:` beside size and count)."),
)
REPEATED = Code(
    name="hugepages-repeated",
    title="The kernel drops a repeated huge page argument",
    cause=(
        "A size may be named once, and each name takes one count. The kernel ignores a second hugepagesz= of "
        "the same size together with the hugepages= behind it; two MachineConfigs, or a PerformanceProfile "
        "and a MachineConfig, make such lines."
    ),
    proof=(
        "/proc/cmdline has hugepagesz=, default_hugepagesz= or hugepages= twice; the kernel's log says "
        "`specified twice, ignoring`."
    ),
    remedy=render(
        KARGS,
        "Set the huge page arguments in one place, as `hostagent render kargs` prints them, and take the others away.",
    ),
)
DROPPED = Code(
    name="hugepages-argument-dropped",
    title="The kernel cannot read a huge page argument",
    cause="A count that is none, or one for a NUMA node that is not there, cancels the whole argument.",
    proof="/proc/cmdline has it, and nr_hugepages does not.",
    remedy=render(KARGS, "Replace it by what `hostagent render kargs` prints, and reboot."),
)
NO_NODE = Code(
    name="numa-node-not-found",
    title="The profile asks for pages of a NUMA node that is not there",
    cause=(
        "The machine has fewer nodes, or other numbers: firmware can merge nodes (node interleaving) or "
        "split sockets (NPS, SNC)."
    ),
    proof="/sys/devices/system/node has no such node.",
    remedy=other(PROFILE, "Name a node that is there, or change the firmware's setup."),
)
BEYOND = Code(
    name="hugepages-beyond-memory",
    title="More huge pages are asked for than the machine can spare",
    cause="A machine that gives its memory away whole starts into the OOM killer, and cannot be reached to undo it.",
    proof="The pools together, beside MemTotal of /proc/meminfo or of the NUMA node.",
    remedy=other(PROFILE, "Ask for fewer pages."),
)
CODES = (SHORT, UNSUPPORTED, UNEVEN, REPEATED, DROPPED, NO_NODE, BEYOND)

_BY_WHY = {
    values.UNSUPPORTED_SIZE: UNSUPPORTED,
    values.REPEATED_SIZE: REPEATED,
    values.REPEATED_DEFAULT: REPEATED,
    values.REPEATED_COUNT: REPEATED,
    values.OFFLINE_NODE: DROPPED,
    values.MALFORMED_COUNT: DROPPED,
    values.NODES_UNSUPPORTED: DROPPED,
}


def look(view: View) -> Iterator[Finding]:
    """Findings about pools."""
    found = data(view.report.hugepages)
    if found is None:
        return
    yield from _dropped(found)
    asked = _asked(view, found)
    yield from _short(view, found, asked)
    yield from _uneven(view, found, asked)


def _dropped(found: Hugepages) -> Iterator[Finding]:
    for request in found.requested or ():
        code = _BY_WHY.get(request.why or "")
        if code is not None:
            size = "the default size" if request.page_size is None else kernel_size(request.page_size)
            what = f"{request.pages} pages of {size}{_on(request.numa_node)}"
            text = f"The kernel drops the argument that asks for {what}: {(request.why or '').replace('-', ' ')}."
            evidence = [said("proc/cmdline", f"hugepages= for {what}")]
            remedy = render(KARGS, REPEATED.remedy.text) if code is UNSUPPORTED else None
            yield finding(code, WARNING, f"hugepages {size}{_on(request.numa_node)}", text, evidence, remedy=remedy)


def _on(node: int | None) -> str:
    return "" if node is None else f" on NUMA node {node}"


def _asked(view: View, found: Hugepages) -> dict[tuple[int, int | None], tuple[int, str, Remedy | None]]:
    """(size, node) to pages, who asks, and the remedy that goes with it."""
    if view.plan is not None:
        late = render(SYSTEMD, "Put the units that `hostagent render systemd` makes in place, enable them, and reboot.")
        return {
            (pool.page_size, pool.numa_node): (pool.pages, "the profile", late if pool.when == RUN else None)
            for pool in view.plan.pools
        }
    return {
        (request.page_size, request.numa_node): (request.pages, "the kernel command line", None)
        for request in found.requested or ()
        if request.effective and request.page_size is not None
    }


def _short(
    view: View, found: Hugepages, asked: dict[tuple[int, int | None], tuple[int, str, Remedy | None]]
) -> Iterator[Finding]:
    pools = {(pool.page_size, pool.numa_node): pool for pool in found.pools}
    refused = {refusal.reason.code for refusal in view.refused}
    for (size, node), (pages, who, remedy) in sorted(asked.items(), key=lambda item: str(item[0])):
        pool = pools.get((size, node))
        there = None if pool is None else pool.total
        if (there or 0) >= pages or (pool is None and refused & {Why.PAGE_SIZE, Why.NUMA_NODE}):
            continue
        text = (
            f"{who[0].upper()}{who[1:]} asks for {pages} pages of {kernel_size(size)}{_on(node)}, and there are "
            f"{there or 0}."
        )
        severity = WARNING if view.plan is None else BLOCKER
        yield finding(
            SHORT,
            severity,
            f"hugepages {kernel_size(size)}{_on(node)}",
            text,
            [_said(size, node, there)],
            remedy=remedy,
        )


def _said(size: int, node: int | None, there: int | None) -> Evidence:
    base = "sys/kernel/mm/hugepages" if node is None else f"sys/devices/system/node/node{node}/hugepages"
    return said(f"{base}/hugepages-{size >> 10}kB/nr_hugepages", "no such file" if there is None else str(there))


def _uneven(
    view: View, found: Hugepages, asked: dict[tuple[int, int | None], tuple[int, str, Remedy | None]]
) -> Iterator[Finding]:
    numa = data(view.report.numa)
    without = {one.number for one in (numa.nodes if numa is not None else ()) if one.memory_total == 0}
    chosen = {size for size, node in asked if node is not None}
    for size in sorted({pool.page_size for pool in found.pools}):
        pools = [pool for pool in found.pools if pool.page_size == size and _on_node(pool, without)]
        totals = {pool.total for pool in pools}
        # One page more or less is what an odd number comes to.
        if size in chosen or None in totals or not totals or max(_known(totals)) - min(_known(totals)) < 2:
            continue
        shares = ", ".join(f"{pool.total} on node {pool.numa_node}" for pool in pools)
        text = f"NUMA nodes have different numbers of {kernel_size(size)} pages: {shares}."
        evidence = [_said(size, pool.numa_node, pool.total) for pool in pools]
        yield finding(UNEVEN, WARNING, f"hugepages {kernel_size(size)}", text, evidence)


def _on_node(pool: Pool, without: set[int]) -> bool:
    return pool.numa_node is not None and pool.numa_node not in without


def _known(totals: set[int | None]) -> list[int]:
    return [total for total in totals if total is not None]
