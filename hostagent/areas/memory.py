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
    """Kernel same-page merging. `run`: 0 stopped, 1 merging, 2 stopped and unmerging.

    `merged`: whether pages are merged now: stopping with 0 leaves them so.
    """

    run: int
    merged: bool | None
    merge_across_nodes: bool | None
    use_zero_pages: bool | None
    smart_scan: bool | None
    max_page_sharing: int | None
    advisor_mode: str | None


@record
class Memory:
    """`swap_in_use`: whether anything is in swap. `ksm` is None where the kernel has none.

    `overcommit_memory`: 0 heuristic, 1 always, 2 never; with 2, `overcommit_ratio` percent of memory or, if that is 0,
    `overcommit_bytes` may be committed beyond swap.
    """

    total: int | None
    swap_total: int | None
    swap_in_use: bool | None
    swap_devices: int | None
    ksm: Ksm | None
    overcommit_memory: int | None
    overcommit_ratio: int | None
    overcommit_bytes: int | None


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
