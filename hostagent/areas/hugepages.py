"""Huge pages: pools of every size, for the machine and for each NUMA node, and what the command line asked for.

    sys/kernel/mm/hugepages/hugepages-<n>kB/{nr,free,resv,surplus,nr_overcommit}_hugepages
    sys/devices/system/node/node<N>/hugepages/hugepages-<n>kB/{nr,free,surplus}_hugepages
    sys/kernel/mm/transparent_hugepage/{enabled,defrag,shmem_enabled,hpage_pmd_size}
    proc/meminfo: Hugepagesize (the default size), Hugetlb (all sizes together)

Sizes are bytes, pools are pages (Documentation/admin-guide/mm/hugetlbpage.rst). Reservation and overcommit exist for
the machine only. A kernel without hugetlbfs has none of the files; /proc/meminfo of it has no Hugepagesize.
"""

from __future__ import annotations

from hostagent.area import Area, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen, truth
from hostagent.host import Reader
from hostagent.host.cmdline import parameters
from hostagent.host.cpuinfo import cpuinfo
from hostagent.host.meminfo import meminfo
from hostagent.host.nodes import PATH as NODES
from hostagent.host.nodes import numa_nodes
from hostagent.values.choice import chosen
from hostagent.values.cpuinfo import flag_sets
from hostagent.values.cpuset import CpuSet
from hostagent.values.hugepages import HugepageRequest, hugepage_requests, memparse
from hostagent.values.record import record
from hostagent.values.size import kubernetes_size, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_GLOBAL = "sys/kernel/mm/hugepages"
_TRANSPARENT = "sys/kernel/mm/transparent_hugepage"
_PREFIX = "hugepages-"
_MIB, _GIB = 1 << 20, 1 << 30
# Sizes administrators ask about by name: said to be unsupported too, not only left out.
_KNOWN = (2 * _MIB, _GIB)


@record
class Pool:
    """One page size, of one NUMA node or of the machine."""

    page_size: int
    """Bytes of a page; sys/kernel/mm/hugepages/hugepages-<n>kB, and for a node node<N>/hugepages/hugepages-<n>kB in
    sys/devices/system/node."""
    numa_node: int | None
    """Number of the NUMA node. Null for the pool of the machine as a whole."""
    total: int | None
    """Pages in the pool, surplus ones counted; nr_hugepages. Null where there is no such file."""
    free: int | None
    """Pages that nobody has mapped; free_hugepages. Null where there is no such file."""
    reserved: int | None
    """Pages promised and not yet mapped; resv_hugepages. Null for a NUMA node, and where there is no such file."""
    surplus: int | None
    """Pages beyond the size of the pool, by overcommit; surplus_hugepages. Null where there is no such file."""
    overcommit: int | None
    """Surplus pages the pool may grow by; nr_overcommit_hugepages. Null for a NUMA node, and where there is no such
    file."""


@record
class TransparentHugepages:
    """Switches of transparent huge pages: the word in force."""

    enabled: str | None
    """always, madvise or never; sys/kernel/mm/transparent_hugepage/enabled. Null where the kernel has no such file."""
    defrag: str | None
    """always, defer, defer+madvise, madvise or never; transparent_hugepage/defrag. Null where the kernel has no such
    file."""
    shmem: str | None
    """always, within_size, advise, never, deny or force; transparent_hugepage/shmem_enabled. Null where there is no
    such file."""
    pmd_size: int | None
    """Bytes of a page; transparent_hugepage/hpage_pmd_size. Null where the kernel has no such file."""


@record
class Hugepages:
    """Pools of huge pages, and what was asked for. Nothing here says how much memory is free."""

    pools: tuple[Pool, ...]
    """Pools of the machine, then those of each NUMA node; by size."""
    requested: tuple[HugepageRequest, ...] | None
    """Each hugepages= of proc/cmdline in order, one for each node where it names nodes. Null where the command line is
    not known."""
    requested_default: int | None
    """Bytes that the first default_hugepagesz= of proc/cmdline asks for. Null where none is given."""
    default_size: int | None
    """Bytes of a page where no size is named; Hugepagesize in proc/meminfo. Null without hugetlbfs, which has no such
    line."""
    supported_sizes: tuple[int, ...] | None
    """Bytes of each page size that CPU and kernel can do, ascending: of the pools there are, and by the flags of x86
    CPUs. Null where there are no pools and no such flags."""
    total_bytes: int | None
    """Bytes of all pools together; Hugetlb in proc/meminfo. Null where it has no such line."""
    transparent: TransparentHugepages
    """Transparent huge pages."""


def probe(reader: Reader) -> Hugepages:
    """Pools, requests, sizes and transparent huge pages."""
    pools = (*_pools(reader, _GLOBAL, None), *_node_pools(reader))
    facts = meminfo(reader)
    default = facts.get("Hugepagesize")
    existing = frozenset(pool.page_size for pool in pools)
    supported = _supported(reader, existing)
    asked = parameters(reader)
    online = reader.parsed(f"{NODES}/online", CpuSet.parse, "a list of nodes")
    return Hugepages(
        pools=pools,
        # A valid hugepagesz= makes its pool, so the pools that exist are exactly the sizes the kernel accepted.
        requested=None
        if asked is None
        else hugepage_requests(
            asked, sizes=existing or supported, default=default, nodes=online, node_format=not _is_ppc(reader)
        ),
        requested_default=next(
            (memparse(value) for name, value in asked or () if name == "default_hugepagesz" and value), None
        ),
        default_size=default,
        supported_sizes=None if supported is None else tuple(sorted(supported)),
        total_bytes=facts.get("Hugetlb"),
        transparent=_transparent(reader),
    )


def _node_pools(reader: Reader) -> Iterator[Pool]:
    for node in numa_nodes(reader):
        yield from _pools(reader, f"{NODES}/node{node}/hugepages", node)


def _pools(reader: Reader, directory: str, node: int | None) -> tuple[Pool, ...]:
    found = []
    for name in reader.names(directory):
        size = parse_size(name.removeprefix(_PREFIX)) if name.startswith(_PREFIX) else None
        # The kernel spells a size one way. Another way of the same size would be a second pool, and a second series, of it.
        if not size or name != f"{_PREFIX}{size >> 10}kB":
            reader.malformed(f"{directory}/{name}", "a name like hugepages-2048kB", name)
            continue
        base = f"{directory}/{name}"
        found.append(
            Pool(
                page_size=size,
                numa_node=node,
                total=reader.integer(f"{base}/nr_hugepages"),
                free=reader.integer(f"{base}/free_hugepages"),
                reserved=reader.integer(f"{base}/resv_hugepages") if node is None else None,
                surplus=reader.integer(f"{base}/surplus_hugepages"),
                overcommit=reader.integer(f"{base}/nr_overcommit_hugepages") if node is None else None,
            )
        )
    return tuple(sorted(found, key=lambda pool: pool.page_size))


def _supported(reader: Reader, existing: frozenset[int]) -> frozenset[int] | None:
    """x86: `pse` gives 2 MiB pages (4 MiB to a kernel without PAE), `pdpe1gb` 1 GiB. Elsewhere: the pools there are."""
    info = cpuinfo(reader)
    flags = frozenset[str]() if info is None else frozenset[str]().union(*flag_sets(info))
    if "pse" not in flags:
        return existing or None
    four = {4 * _MIB} if 4 * _MIB in existing else {2 * _MIB}
    one = {_GIB} if {"pdpe1gb", "lm"} <= flags else set[int]()
    return existing | four | one


def _is_ppc(reader: Reader) -> bool:
    info = cpuinfo(reader)
    return info is not None and "timebase" in info.machine and "platform" in info.machine


def _transparent(reader: Reader) -> TransparentHugepages:
    expected = "one word in brackets"
    return TransparentHugepages(
        enabled=reader.parsed(f"{_TRANSPARENT}/enabled", chosen, expected),
        defrag=reader.parsed(f"{_TRANSPARENT}/defrag", chosen, expected),
        shmem=reader.parsed(f"{_TRANSPARENT}/shmem_enabled", chosen, expected),
        pmd_size=reader.integer(f"{_TRANSPARENT}/hpage_pmd_size"),
    )


def labels(hugepages: Hugepages, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """Support of each size, the machine's pool, and the smallest node's."""
    supported = hugepages.supported_sizes
    if supported is not None:
        for size in sorted({*supported, *_KNOWN}):
            yield f"hugepages-{kubernetes_size(size)}.supported", truth(size in supported)
    for size in sorted({pool.page_size for pool in hugepages.pools}):
        key = f"hugepages-{kubernetes_size(size)}"
        pools = [pool for pool in hugepages.pools if pool.page_size == size]
        for pool in pools:
            if pool.numa_node is None and pool.total is not None:
                yield f"{key}.total", str(pool.total)
        nodes = [pool.total for pool in pools if pool.numa_node is not None]
        known = [total for total in nodes if total is not None]
        if known and len(known) == len(nodes):
            yield f"{key}.min-per-node", str(min(known))


_LABELS = (
    LabelDoc(
        key="hugepages-<size>.supported",
        values="true, false",
        meaning="whether CPU and kernel can do huge pages of this size",
    ),
    LabelDoc(key="hugepages-<size>.total", values="a number", meaning="huge pages of this size in the machine's pool"),
    LabelDoc(
        key="hugepages-<size>.min-per-node",
        values="a number",
        meaning="huge pages of this size on the NUMA node that has the fewest",
    ),
)


def _metric(name: str, help_text: str, *labels: str) -> Metric:
    return Metric(name=f"hostagent_{name}", help=help_text, labels=labels)


_BY_POOL = ("page_size", "numa_node")
_OF = " Page size in bytes; numa_node is empty for the machine as a whole."
_PAGES = _metric("hugepages_pages", f"Huge pages in the pool.{_OF}", *_BY_POOL)
_FREE = _metric("hugepages_free_pages", f"Huge pages nobody has mapped.{_OF}", *_BY_POOL)
_RESERVED = _metric("hugepages_reserved_pages", f"Huge pages promised and not yet mapped.{_OF}", *_BY_POOL)
_SURPLUS = _metric("hugepages_surplus_pages", f"Huge pages beyond the pool's size, by overcommit.{_OF}", *_BY_POOL)
_OVERCOMMIT = _metric("hugepages_overcommit_pages", f"Surplus huge pages the pool may grow by.{_OF}", *_BY_POOL)
_REQUESTED = _metric(
    "hugepages_requested_pages",
    f"Huge pages the kernel command line asked for, whether or not the kernel followed it.{_OF}",
    *_BY_POOL,
)
_DEFAULT = _metric("hugepages_default_page_size_bytes", "The size of huge page used where none is named.")
_TRANSPARENT_INFO = _metric(
    "transparent_hugepages_info", "Switches of transparent huge pages. Always 1.", "enabled", "defrag", "shmem"
)


def samples(hugepages: Hugepages) -> Iterator[Sample]:
    """Pools and requests by size and node."""
    for pool in hugepages.pools:
        place = (str(pool.page_size), "" if pool.numa_node is None else str(pool.numa_node))
        for metric, value in (
            (_PAGES, pool.total),
            (_FREE, pool.free),
            (_RESERVED, pool.reserved),
            (_SURPLUS, pool.surplus),
            (_OVERCOMMIT, pool.overcommit),
        ):
            if value is not None:
                yield Sample(metric=metric, labels=place, value=value)
    for place, pages in _requested(hugepages).items():
        yield Sample(metric=_REQUESTED, labels=place, value=pages)
    if hugepages.default_size is not None:
        yield Sample(metric=_DEFAULT, labels=(), value=hugepages.default_size)
    switches = (hugepages.transparent.enabled, hugepages.transparent.defrag, hugepages.transparent.shmem)
    if any(switches):
        yield Sample(metric=_TRANSPARENT_INFO, labels=tuple(word or "" for word in switches), value=1)


def _requested(hugepages: Hugepages) -> dict[tuple[str, str], int]:
    """What was asked for each pool: what the kernel follows, or else what it dropped last."""
    found: dict[tuple[str, str], int] = {}
    requests = hugepages.requested or ()
    for request in sorted(requests, key=lambda request: request.effective):
        if request.page_size is not None:
            node = "" if request.numa_node is None else str(request.numa_node)
            found[str(request.page_size), node] = request.pages
    return found


AREA = Area(
    name="hugepages",
    about="Huge page pools by size and NUMA node, and what was asked for",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_PAGES, _FREE, _RESERVED, _SURPLUS, _OVERCOMMIT, _REQUESTED, _DEFAULT, _TRANSPARENT_INFO),
    guard=None,
    unseen=nothing_unseen,
)
