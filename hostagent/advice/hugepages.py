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
from hostagent.assess.unmet import pages
from hostagent.plan.model import RUN
from hostagent.values import hugepages as values
from hostagent.values.size import kernel_size
from hostagent.values.words import capital

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
    values.SUPERSEDED: REPEATED,
}


def look(view: View) -> Iterator[Finding]:
    """Findings about pools."""
    found = data(view.report.hugepages)
    if found is None:
        return
    yield from _dropped(view)
    short = _planned(view, found) if view.plan is not None else _unmet(view)
    yield from sorted(short, key=lambda one: one.subject)
    yield from _uneven(view, found)


def _dropped(view: View) -> Iterator[Finding]:
    for one in view.assessed.unmet_pages:
        request = one.request
        if request.effective:
            continue
        code = _BY_WHY[request.why or ""]
        size = "the default size" if request.page_size is None else kernel_size(request.page_size)
        evidence = [said("proc/cmdline", f"hugepages= for {pages(request)}")]
        remedy = render(KARGS, REPEATED.remedy.text) if code is UNSUPPORTED else None
        yield finding(
            code, WARNING, f"hugepages {size}{_on(request.numa_node)}", f"{capital(one.text)}.", evidence, remedy=remedy
        )


def _on(node: int | None) -> str:
    return "" if node is None else f" on NUMA node {node}"


def _unmet(view: View) -> Iterator[Finding]:
    """Without a plan: what the command line asks for, and the kernel could not find."""
    for one in view.assessed.unmet_pages:
        size, node = one.request.page_size, one.request.numa_node
        if one.request.effective and size is not None:
            yield _short(WARNING, (size, node), _shown(one.there), f"{capital(one.text)}.")


def _planned(view: View, found: Hugepages) -> Iterator[Finding]:
    """What the profile asks for and is not there, or not known to be."""
    late = render(SYSTEMD, "Put the units that `hostagent render systemd` makes in place, enable them, and reboot.")
    pools = {(pool.page_size, pool.numa_node): pool for pool in found.pools}
    refused = {refusal.reason.code for refusal in view.refused}
    for one in () if view.plan is None else view.plan.pools:
        pool = pools.get((one.page_size, one.numa_node))
        there = None if pool is None else pool.total
        if (there or 0) >= one.pages or (pool is None and refused & {Why.PAGE_SIZE, Why.NUMA_NODE}):
            continue
        unread = pool is not None and there is None
        have = "how many there are is not known" if unread else f"there are {there or 0}"
        text = (
            f"The profile asks for {one.pages} pages of {kernel_size(one.page_size)}{_on(one.numa_node)}, and {have}."
        )
        yield _short(
            BLOCKER,
            (one.page_size, one.numa_node),
            "not read" if unread else _shown(there),
            text,
            remedy=late if one.when == RUN else None,
        )


def _short(
    severity: str, pool: tuple[int, int | None], shown: str, text: str, *, remedy: Remedy | None = None
) -> Finding:
    size, node = pool
    subject = f"hugepages {kernel_size(size)}{_on(node)}"
    return finding(SHORT, severity, subject, text, [_said(size, node, shown)], remedy=remedy)


def _shown(there: int | None) -> str:
    return "no such file" if there is None else str(there)


def _said(size: int, node: int | None, shown: str) -> Evidence:
    base = "sys/kernel/mm/hugepages" if node is None else f"sys/devices/system/node/node{node}/hugepages"
    return said(f"{base}/hugepages-{size >> 10}kB/nr_hugepages", shown)


def _uneven(view: View, found: Hugepages) -> Iterator[Finding]:
    numa = data(view.report.numa)
    without = {one.number for one in (numa.nodes if numa is not None else ()) if one.memory_total == 0}
    # What the kernel dropped chose nothing.
    asked = [one for one in found.requested or () if one.effective]
    chosen: set[int | None] = {one.page_size for one in asked if one.numa_node is not None}
    if view.plan is not None:
        chosen = {one.page_size for one in view.plan.pools if one.numa_node is not None}
    for size in sorted({pool.page_size for pool in found.pools}):
        pools = [pool for pool in found.pools if pool.page_size == size and _on_node(pool, without)]
        totals = {pool.total for pool in pools}
        # One page more or less is what an odd number comes to.
        if size in chosen or None in totals or not totals or max(_known(totals)) - min(_known(totals)) < 2:
            continue
        shares = ", ".join(f"{pool.total} on node {pool.numa_node}" for pool in pools)
        text = f"NUMA nodes have different numbers of {kernel_size(size)} pages: {shares}."
        evidence = [_said(size, pool.numa_node, _shown(pool.total)) for pool in pools]
        yield finding(UNEVEN, WARNING, f"hugepages {kernel_size(size)}", text, evidence)


def _on_node(pool: Pool, without: set[int]) -> bool:
    return pool.numa_node is not None and pool.numa_node not in without


def _known(totals: set[int | None]) -> list[int]:
    return [total for total in totals if total is not None]
