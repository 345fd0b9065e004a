"""Memory: a card for each NUMA node with its CPUs drawn, and a bar for each pool of huge pages."""

from __future__ import annotations

from hostagent.areas.hugepages import Hugepages, Pool
from hostagent.areas.numa import NumaNode
from hostagent.assess import Assessment
from hostagent.assess.node import data
from hostagent.publish.page.html import NOTHING, Html, element, joined
from hostagent.report import NodeReport
from hostagent.values.cpuset import CpuSet
from hostagent.values.words import capital, counted, size

# More squares than this say nothing to the eye.
_DRAWN = 512
_ROW = 32  # squares in a row


def section(report: NodeReport, machine: Assessment) -> Html:
    """What was asked for in vain, then the nodes."""
    numa, hugepages = data(report.numa), data(report.hugepages)
    nodes = () if numa is None else numa.nodes
    pools = () if hugepages is None else hugepages.pools
    if not nodes and not pools:
        return NOTHING
    cpu = data(report.cpu)
    isolated = None if cpu is None else cpu.topology.isolated
    tops = _tops(hugepages)
    cards = [_node(node, [pool for pool in pools if pool.numa_node == node.number], tops, isolated) for node in nodes]
    whole = [pool for pool in pools if pool.numa_node is None]
    if whole:
        cards.insert(0, _card("Whole machine", _installed(report), NOTHING, whole, tops))
    title = element("h2", "Memory and huge pages ", element("small", _remark(hugepages)), id="memory")
    vain = [element("li", capital(one.text)) for one in machine.unmet_pages]
    return element(
        "section",
        title,
        element("ul", *vain, cls="vain") if vain else None,
        element("ul", *cards, cls="nodes"),
        _key() if any(pool.total for pool in pools) else None,
        aria_labelledby="memory",
    )


def _tops(hugepages: Hugepages | None) -> dict[tuple[int, bool], int]:
    """The largest pool of each size, among nodes and of the machine, had or asked for: a full bar."""
    tops: dict[tuple[int, bool], int] = {}
    found = () if hugepages is None else hugepages.pools
    asked = () if hugepages is None else hugepages.requested or ()
    counts = [(pool.page_size, pool.numa_node, pool.total or 0) for pool in found]
    counts += [(one.page_size, one.numa_node, one.pages) for one in asked if one.page_size is not None]
    for page_size, node, count in counts:
        place = page_size, node is None
        tops[place] = max(tops.get(place, 0), count)
    return tops


def _installed(report: NodeReport) -> str:
    memory = data(report.memory)
    return "" if memory is None or memory.total is None else size(memory.total)


def _remark(hugepages: Hugepages | None) -> str:
    if hugepages is None:
        return ""
    sizes = hugepages.supported_sizes
    transparent = hugepages.transparent.enabled
    parts = (
        f"{', '.join(map(size, sizes))} supported" if sizes else None,
        f"transparent: {transparent}" if transparent else None,
    )
    return " · ".join(part for part in parts if part)


def _node(node: NumaNode, pools: list[Pool], tops: dict[tuple[int, bool], int], isolated: CpuSet | None) -> Html:
    cpus = "CPUs unknown" if node.cpus is None else f"CPUs {node.cpus}" if node.cpus else "no CPUs"
    memory = None if node.memory_total is None else size(node.memory_total)
    apart = sum(cpu in (isolated or ()) for cpu in node.cpus or ())
    said = " · ".join(part for part in (memory, cpus, f"{apart} isolated" if apart else None) if part)
    return _card(f"Node {node.number}", said, _squares(node.cpus or CpuSet(()), isolated or CpuSet(())), pools, tops)


def _card(name: str, said: str, drawn: Html, pools: list[Pool], tops: dict[tuple[int, bool], int]) -> Html:
    bars = [_pool(pool, tops[pool.page_size, pool.numa_node is None]) for pool in pools]
    head = element("header", element("h3", name), element("small", said))
    return element("li", head, drawn, element("ul", *bars, cls="pools") if bars else None, cls="node")


def _squares(cpus: CpuSet, isolated: CpuSet) -> Html:
    """A square for each CPU; those kept from the scheduler are hollow."""
    if not cpus or len(cpus) > _DRAWN:
        return NOTHING
    paths = {"cpu": "", "isolated": ""}
    for place, cpu in enumerate(cpus):
        x, y = place % _ROW * 10 + 1, place // _ROW * 10 + 1
        paths["isolated" if cpu in isolated else "cpu"] += f"M{x} {y}h7v7h-7z"
    apart = sum(cpu in isolated for cpu in cpus)
    label = counted(len(cpus), "CPU") + (f", {apart} isolated" if apart else "")
    width, height = min(len(cpus), _ROW) * 10, -(-len(cpus) // _ROW) * 10
    drawn = [element("path", d=path, cls=name) for name, path in paths.items() if path]
    return element(
        "svg",
        *drawn,
        view=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        cls="cpus",
    )


def _pool(pool: Pool, top: int) -> Html:
    total, free = pool.total, pool.free
    name = element("span", size(pool.page_size), cls="size")
    if not total:
        said = "cannot be read" if total is None else "none"
        return element("li", name, element("span", said, cls="none"))
    used = None if free is None else total - free
    parts = [(None if used is None else f"{used} used"), (None if free is None else f"{free} free")]
    parts += [f"{count} {word}" for count, word in ((pool.reserved, "reserved"), (pool.surplus, "surplus")) if count]
    said = (
        f"{counted(total, 'page')}, {size(total * pool.page_size)}: {', '.join(filter(None, parts)) or 'use not known'}"
    )
    full = 100 * total / top
    filled = 0 if used is None else full * used / total
    bar = element(
        "svg",
        element("rect", width=f"{full:.2f}%", height="100%", cls="unsaid" if used is None else "free"),
        element("rect", width=f"{filled:.2f}%", height="100%", cls="used"),
        cls="bar",
        role="img",
        aria_label=f"{size(pool.page_size)} pages: {said}",
    )
    return element("li", name, bar, element("small", said))


def _key() -> Html:
    used = element("svg", element("rect", width="100%", height="100%", cls="used"), cls="swatch", aria_hidden="true")
    free = element("svg", element("rect", width="100%", height="100%", cls="free"), cls="swatch", aria_hidden="true")
    return element(
        "p",
        joined(
            (used, " used ", free, " free; a full bar is the largest pool of that size that is there or was asked for")
        ),
        cls="key",
    )
