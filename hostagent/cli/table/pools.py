"""Huge pages: what the machine and each NUMA node have of every size, and what was asked for in vain."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from hostagent.areas.hugepages import Hugepages, Pool
from hostagent.assess import Assessment
from hostagent.cli.table.words import CARE, QUIET, Columns, found, heading, text
from hostagent.report import NodeReport
from hostagent.values.words import size


def section(report: NodeReport, judged: Assessment) -> Iterator[RenderableType]:
    """The pools that hold pages, and the requests that were not met."""
    hugepages = found(report.hugepages)
    if hugepages is None:
        return
    filled = {pool.page_size for pool in hugepages.pools if pool.total or pool.surplus or pool.overcommit}
    shown = [pool for pool in hugepages.pools if pool.page_size in filled]
    yield heading("Huge pages", _remark(hugepages, empty=not shown))
    if shown:
        heads = ("page size", "node", "total", "free", "reserved", "surplus", "overcommit")
        yield Columns(heads, (_row(pool) for pool in shown), right=range(7))
    yield from (text(one.text, CARE) for one in judged.unmet_pages)


def _remark(hugepages: Hugepages, *, empty: bool) -> Text:
    sizes = hugepages.supported_sizes
    supported = f"{', '.join(size(each) for each in sizes)} supported" if sizes else "no sizes known"
    default = f"default {size(hugepages.default_size)}" if hugepages.default_size else None
    transparent = hugepages.transparent.enabled
    parts = ("no pages" if empty else None, supported, default, f"transparent: {transparent}" if transparent else None)
    return text(" · ".join(part for part in parts if part), QUIET)


def _row(pool: Pool) -> tuple[str, ...]:
    counts = (pool.total, pool.free, pool.reserved, pool.surplus, pool.overcommit)
    node = "all" if pool.numa_node is None else str(pool.numa_node)
    return (size(pool.page_size), node, *("" if count is None else str(count) for count in counts))
