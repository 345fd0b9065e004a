"""Huge pages asked for on the kernel command line, taken as mm/hugetlb.c takes them (admin-guide/kernel-parameters.txt).

Order is meaning. `hugepages=` belongs to the `hugepagesz=` or `default_hugepagesz=` before it; before any of them it
belongs to the default size, and no later pair can change that. A size that is not supported, or that was given before,
takes the `hugepages=` after it down with it. `hugepages=0:2,1:4` (Linux 5.16) asks per NUMA node, and one node that is
not online cancels all of it; an older kernel reads the same text as no pages. Linux 6.15 keeps only the first 5 of these
parameters on x86 and more on other architectures; which kernel it is does not show in the parameters, so all are followed.
"""

from __future__ import annotations

from hostagent.values.blanks import BLANKS
from hostagent.values.cmdline import Parameter, same_name
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

# Why the kernel drops what a `hugepages=` asked for.
UNSUPPORTED_SIZE = "unsupported-size"  # the size before it is not one of this machine's
REPEATED_SIZE = "repeated-size"  # hugepagesz= of one size twice
REPEATED_DEFAULT = "repeated-default"  # default_hugepagesz= twice
REPEATED_COUNT = "repeated-count"  # a second hugepages= without a new size between
OFFLINE_NODE = "offline-node"  # it names a node that is not online, which cancels all of it
MALFORMED_COUNT = "malformed-count"  # not a number, or not a list of node:number
NODES_UNSUPPORTED = "nodes-unsupported"  # this architecture takes no node:number
SUPERSEDED = "superseded"  # another hugepages= for the same pool won
REASONS = (
    UNSUPPORTED_SIZE,
    REPEATED_SIZE,
    REPEATED_DEFAULT,
    REPEATED_COUNT,
    OFFLINE_NODE,
    MALFORMED_COUNT,
    NODES_UNSUPPORTED,
    SUPERSEDED,
)

_UNITS = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50, "e": 60}
_WORD = (1 << 64) - 1


@record
class HugepageRequest:
    """One `hugepages=` of the command line, or one node of it."""

    page_size: int | None
    """Bytes of a page. Null where the default size counts and is not known."""
    numa_node: int | None
    """Number of the NUMA node it names. Null where it asks for the machine as a whole."""
    pages: int
    """Pages asked for."""
    effective: bool
    """Whether the kernel takes it."""
    why: str | None
    """Why it does not: unsupported-size, repeated-size, repeated-default, repeated-count, offline-node,
    malformed-count, nodes-unsupported or superseded. Null where it does."""


def memparse(text: str) -> int:
    """A size as lib/cmdline.c reads it: decimal, 0x or octal, then one unit letter; whatever follows is ignored."""
    body, base = text, 10
    if text[:2] in ("0x", "0X"):
        body, base = text[2:], 16
    elif text[:1] == "0":
        base = 8
    length = next((at for at, letter in enumerate(body) if not _is_digit(letter, base)), len(body))
    value = 0
    for digit in body[:length]:
        value = (value * base + int(digit, base)) & _WORD
    return (value << _UNITS.get(body[length : length + 1].lower(), 0)) & _WORD


def _is_digit(letter: str, base: int) -> bool:
    return letter.isascii() and letter.lower() in "0123456789abcdef"[:base]


def _count(text: str) -> tuple[int | None, str]:
    """sscanf("%lu"): the number at the start, and what follows it."""
    body = text.lstrip(BLANKS)
    length = next((at for at, letter in enumerate(body) if not _is_digit(letter, 10)), len(body))
    if length == 0:
        return None, text
    value = 0
    for digit in body[:length]:
        value = (value * 10 + int(digit)) & _WORD
    return value, body[length:]


@record
class _Counts:
    """One value of hugepages=, split: (node, pages), and whether it ends as its grammar says."""

    entries: tuple[tuple[int | None, int], ...]
    malformed: bool


def _split(value: str) -> _Counts:
    entries: list[tuple[int | None, int]] = []
    rest = value
    while rest:
        number, after = _count(rest)
        if number is None or (entries and after[:1] != ":"):
            return _Counts(entries=tuple(entries), malformed=True)
        if after[:1] != ":":
            return _Counts(entries=((None, number),), malformed=False)
        pages, after = _count(after[1:])
        if pages is None:
            return _Counts(entries=(*entries, (number, 0)), malformed=True)
        entries.append((number, pages))
        if after[:1] != ",":
            break
        rest = after[1:]
    return _Counts(entries=tuple(entries), malformed=False)


class _Pool:
    """What the kernel holds for one size while it reads the command line: indices into the requests seen."""

    def __init__(self) -> None:
        self.pages = 0
        self.plain: int | None = None
        self.nodes: dict[int, int] = {}

    def clear(self) -> None:
        self.pages, self.plain = 0, None
        self.nodes.clear()

    def live(self, pages: list[int]) -> list[int]:
        """The requests the kernel follows: if any node's asks for a page, the one for the machine does not count."""
        if self.plain is None or any(pages[at] for at in self.nodes.values()):
            return list(self.nodes.values())
        return [self.plain, *self.nodes.values()]


class _Reading:
    """The state of hugepages_setup, hugepagesz_setup and default_hugepagesz_setup."""

    def __init__(self, sizes: Collection[int] | None, nodes: Collection[int] | None, *, node_format: bool) -> None:
        self.sizes, self.nodes, self.node_format = sizes, nodes, node_format
        self.seen: list[tuple[int | None, int | None, int]] = []  # (page size, node, pages)
        self.why: dict[int, str] = {}
        self.pools: dict[int, _Pool] = {}
        self.implicit = _Pool()  # asked for before any size
        self.default: int | None = None
        self.parsed: int | None = None  # the size hugepages= applies to
        self.last: _Pool | None = None
        self.valid = True
        self.cause, self.asked = UNSUPPORTED_SIZE, 0

    def _refuse(self, cause: str, size: int) -> None:
        self.valid, self.cause, self.asked = False, cause, size

    def size(self, text: str) -> None:
        size = memparse(text)
        if self.sizes is not None and size not in self.sizes:
            return self._refuse(UNSUPPORTED_SIZE, size)
        if size in self.pools and (size != self.default or self.pools[size].pages):
            return self._refuse(REPEATED_SIZE, size)
        self.pools.setdefault(size, _Pool())
        self.parsed, self.valid = size, True
        return None

    def default_size(self, text: str) -> None:
        size = memparse(text)
        if self.default is not None:
            return self._refuse(REPEATED_DEFAULT, size)
        if self.sizes is not None and size not in self.sizes:
            return self._refuse(UNSUPPORTED_SIZE, size)
        if size not in self.pools:
            # Where the size exists already, the kernel leaves hugepages= with the size it parsed last.
            self.pools[size], self.parsed = _Pool(), size
        self.default, self.valid = size, True
        if self.implicit.pages:
            pool = self.pools[size]
            pool.pages, pool.plain = self.implicit.pages, self.implicit.plain
            pool.nodes |= {node: at for node, at in self.implicit.nodes.items() if self.seen[at][2]}
            self.implicit.pages = 0
        return None

    def count(self, value: str) -> None:
        size = None if not self.pools else self.parsed
        counts = _split(value)
        first = len(self.seen)
        entries = counts.entries or (((None, 0),) if counts.malformed else ())
        self.seen.extend((size if self.valid else self.asked, node, pages) for node, pages in entries)
        fresh = range(first, len(self.seen))
        pool = self.implicit if size is None else self.pools[size]
        if not self.valid:
            self.valid = True
            return self.why.update(dict.fromkeys(fresh, self.cause))
        if pool is self.last:
            return self.why.update(dict.fromkeys(fresh, REPEATED_COUNT))
        named = [node for node, _ in entries if node is not None]
        if named and not self.node_format:
            return self.why.update(dict.fromkeys(fresh, NODES_UNSUPPORTED))
        offline = self.nodes is not None and any(node not in self.nodes for node in named)
        if offline or counts.malformed:
            pool.clear()
            return self.why.update(dict.fromkeys(fresh, OFFLINE_NODE if offline else MALFORMED_COUNT))
        for at in fresh:
            _, node, pages = self.seen[at]
            if node is None:
                pool.pages, pool.plain = pages, at
            else:
                pool.pages, pool.nodes[node] = pool.pages + pages, at
        self.last = pool
        return None

    def finish(self, default: int | None) -> tuple[HugepageRequest, ...]:
        """hugetlb_init: what was asked before any size replaces what the default size was given."""
        pages = [entry[2] for entry in self.seen]
        pools = dict(self.pools)
        if self.default is None and (self.implicit.pages or default not in pools):
            pools[default or 0] = self.implicit
        live = {at for pool in pools.values() for at in pool.live(pages)}
        implied = default if self.default is None else self.default
        return tuple(
            HugepageRequest(
                page_size=implied if size is None else size,
                numa_node=node,
                pages=count,
                effective=at in live,
                why=None if at in live else self.why.get(at, SUPERSEDED),
            )
            for at, (size, node, count) in enumerate(self.seen)
        )


def hugepage_requests(
    parameters: tuple[Parameter, ...],
    *,
    sizes: Collection[int] | None,
    default: int | None,
    nodes: Collection[int] | None,
    node_format: bool = True,
) -> tuple[HugepageRequest, ...]:
    """Everything asked for with `hugepages=`, in order, and what the kernel makes of it.

    `sizes` the machine supports and `nodes` that are online: None where that is not known, which accepts any. `default`:
    the size the kernel uses when the command line says nothing. `node_format`: whether it takes node:number (ppc64 does not).
    """
    reading = _Reading(sizes, nodes, node_format=node_format)
    steps = (
        ("hugepages", reading.count),
        ("hugepagesz", reading.size),
        ("default_hugepagesz", reading.default_size),
    )
    for name, value in parameters:
        for step, take in steps:
            if value is not None and same_name(name, step):
                take(value)
    return reading.finish(default)
