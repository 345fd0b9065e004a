"""Memory of the machine: how much, swap, same-page merging, overcommit.

    proc/meminfo: MemTotal, SwapTotal, SwapFree
    proc/swaps                                    a header, then a line for each swap device or file
    sys/kernel/mm/ksm/{run,merge_across_nodes,use_zero_pages,max_page_sharing,smart_scan,advisor_mode,pages_shared}
    proc/sys/vm/{overcommit_memory,overcommit_ratio,overcommit_kbytes}

(Documentation/admin-guide/mm/ksm.rst, Documentation/admin-guide/sysctl/vm.rst.) Sizes are bytes. Free and available memory,
swapped bytes and KSM's page counters change with every survey of an idle machine and are not facts of the node:
they are left to node_exporter; only whether there are any merged pages, or anything in swap, is reported.
"""

from __future__ import annotations

from hostagent.area import Area, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen, truth
from hostagent.host import Reader
from hostagent.host.meminfo import meminfo
from hostagent.values.blanks import lines
from hostagent.values.choice import chosen
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_KSM = "sys/kernel/mm/ksm"
_VM = "proc/sys/vm"


@record
class Ksm:
    """Kernel same-page merging."""

    run: int
    """0 stopped, 1 merging, 2 stopped and unmerging; sys/kernel/mm/ksm/run."""
    merged: bool | None
    """Whether any pages are merged now: stopping with 0 leaves them so; sys/kernel/mm/ksm/pages_shared. Null where
    there is no such file."""
    merge_across_nodes: bool | None
    """Whether pages of different NUMA nodes are merged; sys/kernel/mm/ksm/merge_across_nodes. Null where there is no
    such file."""
    use_zero_pages: bool | None
    """Whether empty pages become the zero page; sys/kernel/mm/ksm/use_zero_pages. Null where there is no such file."""
    smart_scan: bool | None
    """Whether pages that never merge are skipped; sys/kernel/mm/ksm/smart_scan. Null where there is no such file."""
    max_page_sharing: int | None
    """How many pages may share one; sys/kernel/mm/ksm/max_page_sharing. Null where there is no such file."""
    advisor_mode: str | None
    """none or scan-time: what tunes the scanning; sys/kernel/mm/ksm/advisor_mode. Null where there is no such file."""


@record
class Memory:
    """Memory, swap, merging and overcommit."""

    total: int | None
    """Bytes the kernel manages; MemTotal in proc/meminfo. Null where that is not there."""
    swap_total: int | None
    """Bytes of swap; SwapTotal in proc/meminfo. Null where that is not there."""
    swap_in_use: bool | None
    """Whether anything is in swap; SwapFree and SwapTotal in proc/meminfo. Null where they are not there."""
    swap_devices: int | None
    """Swap devices and files; proc/swaps. Null where there is no such file, as without CONFIG_SWAP."""
    ksm: Ksm | None
    """Kernel same-page merging; sys/kernel/mm/ksm. Null where the kernel has none."""
    overcommit_memory: int | None
    """0 heuristic, 1 always, 2 never; proc/sys/vm/overcommit_memory. Null where there is no such file."""
    overcommit_ratio: int | None
    """Percent of memory that may be committed beyond swap where `overcommit_memory` is 2; proc/sys/vm/overcommit_ratio.
    Null where there is no such file."""
    overcommit_bytes: int | None
    """Bytes that may be, instead of the ratio, if not 0; proc/sys/vm/overcommit_kbytes. Null where there is no such
    file."""


def probe(reader: Reader) -> Memory:
    """Total, swap, KSM, overcommit."""
    facts = meminfo(reader)
    swap, unused = facts.get("SwapTotal"), facts.get("SwapFree")
    kilobytes = reader.integer(f"{_VM}/overcommit_kbytes")
    return Memory(
        total=facts.get("MemTotal"),
        swap_total=swap,
        swap_in_use=None if swap is None or unused is None else unused < swap,
        swap_devices=_swap_devices(reader),
        ksm=_ksm(reader),
        overcommit_memory=reader.integer(f"{_VM}/overcommit_memory"),
        overcommit_ratio=reader.integer(f"{_VM}/overcommit_ratio"),
        overcommit_bytes=None if kilobytes is None else kilobytes << 10,
    )


def _swap_devices(reader: Reader) -> int | None:
    """Absent without CONFIG_SWAP."""
    text = reader.parsed("proc/swaps", lambda text: text if text.startswith("Filename") else None, "a header line")
    return None if text is None else len(lines(text)) - 1


def _ksm(reader: Reader) -> Ksm | None:
    run = reader.integer(f"{_KSM}/run")
    if run is None:
        return None
    shared = reader.integer(f"{_KSM}/pages_shared")
    return Ksm(
        run=run,
        merged=None if shared is None else shared > 0,
        merge_across_nodes=reader.flag(f"{_KSM}/merge_across_nodes"),
        use_zero_pages=reader.flag(f"{_KSM}/use_zero_pages"),
        smart_scan=reader.flag(f"{_KSM}/smart_scan"),
        max_page_sharing=reader.integer(f"{_KSM}/max_page_sharing"),
        advisor_mode=reader.parsed(f"{_KSM}/advisor_mode", chosen, "one word in brackets"),
    )


def labels(memory: Memory, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """Whether pages are being merged, and whether there is swap."""
    if memory.ksm is not None:
        yield "ksm.enabled", truth(memory.ksm.run == 1)
    if memory.swap_total is not None:
        yield "swap.enabled", truth(memory.swap_total > 0)


_LABELS = (
    LabelDoc(key="ksm.enabled", values="true, false", meaning="whether kernel same-page merging is running"),
    LabelDoc(key="swap.enabled", values="true, false", meaning="whether the node has swap"),
)

_TOTAL = Metric(name="hostagent_memory_bytes", help="Memory the kernel manages.", labels=())
_SWAP = Metric(name="hostagent_swap_bytes", help="Swap space.", labels=())
_DEVICES = Metric(name="hostagent_swap_devices", help="Swap devices and files in use.", labels=())
_RUN = Metric(
    name="hostagent_ksm_run", help="Kernel same-page merging: 0 stopped, 1 merging, 2 stopped and unmerging.", labels=()
)
_MERGED = Metric(name="hostagent_ksm_merged", help="Whether any pages are merged, KSM stopped or not.", labels=())


def samples(memory: Memory) -> Iterator[Sample]:
    """Sizes and switches."""
    ksm = memory.ksm
    for metric, value in (
        (_TOTAL, memory.total),
        (_SWAP, memory.swap_total),
        (_DEVICES, memory.swap_devices),
        (_RUN, None if ksm is None else ksm.run),
        (_MERGED, None if ksm is None else ksm.merged),
    ):
        if value is not None:
            yield Sample(metric=metric, labels=(), value=value)


AREA = Area(
    name="memory",
    about="Memory, swap, same-page merging and overcommit",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_TOTAL, _SWAP, _DEVICES, _RUN, _MERGED),
    guard=None,
    unseen=nothing_unseen,
)
