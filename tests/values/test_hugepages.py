from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.cmdline import parse
from hostagent.values.hugepages import REASONS, HugepageRequest, hugepage_requests, memparse
from tests.values.hugetlb import Hugetlb, Pools

M2, G1 = 2 << 20, 1 << 30
Row = tuple[int | None, int | None, int, str | None]


def read(text: str, *, node_format: bool = True) -> list[Row]:
    """(page size, node, pages, why it is dropped) on a machine with 2M and 1G pages and nodes 0 and 1."""
    found = hugepage_requests(parse(text), sizes={M2, G1}, default=M2, nodes=(0, 1), node_format=node_format)
    assert all(request.effective is (request.why is None) for request in found)
    return [(request.page_size, request.numa_node, request.pages, request.why) for request in found]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("quiet ro", []),
        # The canonical form: each count belongs to the size before it.
        (
            "default_hugepagesz=1G hugepagesz=1G hugepages=16 hugepagesz=2M hugepages=1024",
            [(G1, None, 16, None), (M2, None, 1024, None)],
        ),
        ("default_hugepagesz=1G hugepages=3", [(G1, None, 3, None)]),
        # A count before any size is the default size's, and stays so.
        ("hugepages=256", [(M2, None, 256, None)]),
        ("hugepages=256 hugepagesz=2M hugepages=512", [(M2, None, 256, None), (M2, None, 512, "superseded")]),
        ("hugepages=0 hugepagesz=2M hugepages=5", [(M2, None, 0, "superseded"), (M2, None, 5, None)]),
        ("hugepages=4 default_hugepagesz=1G", [(G1, None, 4, None)]),
        ("hugepages=4 default_hugepagesz=1G hugepages=8", [(G1, None, 4, "superseded"), (G1, None, 8, None)]),
        (
            "hugepages=4 default_hugepagesz=1G hugepagesz=1G hugepages=8",
            [(G1, None, 4, None), (G1, None, 8, "repeated-size")],
        ),
        # A size given twice takes its count with it; the count after that finds the size valid again.
        (
            "hugepagesz=2M hugepages=1 hugepagesz=2M hugepages=5 hugepages=7",
            [(M2, None, 1, None), (M2, None, 5, "repeated-size"), (M2, None, 7, "repeated-count")],
        ),
        ("hugepages=1 hugepages=2", [(M2, None, 1, None), (M2, None, 2, "repeated-count")]),
        (
            "default_hugepagesz=1G default_hugepagesz=2M hugepages=9",
            [(M2, None, 9, "repeated-default")],
        ),
        # default_hugepagesz= of a size that is there leaves the next count with the size parsed last.
        (
            "hugepagesz=2M hugepages=1 hugepagesz=1G default_hugepagesz=2M hugepages=9",
            [(M2, None, 1, None), (G1, None, 9, None)],
        ),
        ("hugepagesz=64K hugepages=1", [(65536, None, 1, "unsupported-size")]),
        ("default_hugepagesz=1Y hugepages=3 hugepages=2", [(1, None, 3, "unsupported-size"), (M2, None, 2, None)]),
        # Per node, and what cancels it.
        ("hugepagesz=1G hugepages=0:2,1:4", [(G1, 0, 2, None), (G1, 1, 4, None)]),
        ("hugepages=0:2", [(M2, 0, 2, None)]),
        ("hugepagesz=1G hugepages=0:2,9:4", [(G1, 0, 2, "offline-node"), (G1, 9, 4, "offline-node")]),
        ("hugepages=0:2,0:4", [(M2, 0, 2, "superseded"), (M2, 0, 4, None)]),
        ("hugepages=0:0,1:0", [(M2, 0, 0, None), (M2, 1, 0, None)]),
        ("hugepages=0:2,5", [(M2, 0, 2, "malformed-count")]),
        ("hugepages=0:2,1:", [(M2, 0, 2, "malformed-count"), (M2, 1, 0, "malformed-count")]),
        ("hugepages=0:2,", [(M2, 0, 2, None)]),
        ("hugepages=four", [(M2, None, 0, "malformed-count")]),
        # A refused count does not use up the size's turn.
        ("hugepages=four hugepages=4", [(M2, None, 0, "malformed-count"), (M2, None, 4, None)]),
        # sscanf stops where the number does.
        ("hugepages=16,0:2", [(M2, None, 16, None)]),
        ("hugepages=1G", [(M2, None, 1, None)]),
        ("hugepages= hugepages=4", [(M2, None, 4, "repeated-count")]),
        ("hugepages=18446744073709551617", [(M2, None, 1, None)]),
        # Node counts win over a machine-wide one for the same size.
        ("hugepages=0:2 default_hugepagesz=2M hugepages=8", [(M2, 0, 2, None), (M2, None, 8, "superseded")]),
        # A bare word is not the parameter.
        ("hugepages hugepages=2", [(M2, None, 2, None)]),
        ('default-hugepagesz="1G" hugepages=2', [(G1, None, 2, None)]),
    ],
)
def test_the_kernels_reading(text: str, rows: list[Row]) -> None:
    assert read(text) == rows


def test_an_architecture_without_node_counts() -> None:
    assert read("hugepages=0:2 hugepages=8", node_format=False) == [
        (M2, 0, 2, "nodes-unsupported"),
        (M2, None, 8, None),
    ]


def test_nothing_known_of_the_machine_accepts_everything() -> None:
    found = hugepage_requests(parse("hugepages=3 hugepagesz=16G hugepages=7:1"), sizes=None, default=None, nodes=None)
    assert found == (
        HugepageRequest(page_size=None, numa_node=None, pages=3, effective=True, why=None),
        HugepageRequest(page_size=16 << 30, numa_node=7, pages=1, effective=True, why=None),
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2M", M2),
        ("2m", M2),
        ("2MB", M2),
        ("2048K", M2),
        ("0x200000", M2),
        ("0X10g", 16 << 30),
        ("010", 8),
        ("08", 0),
        ("1Y", 1),
        ("", 0),
        ("G", 0),
        ("1T", 1 << 40),
        ("1P", 1 << 50),
        ("16E", 0),
    ],
)
def test_memparse(text: str, size: int) -> None:
    assert memparse(text) == size


_NUMBERS = st.integers(0, 4).map(str)
# From 1: `0:1,0:0` asks for a page of the machine as a whole, which no request of ours says.
_PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), min_size=1, max_size=3)
_COUNTS = st.one_of(
    _NUMBERS,
    _PAIRS.map(lambda pairs: ",".join(f"{node}:{pages}" for node, pages in pairs)),
    st.sampled_from(["", "x", "0:", "0:2,3", "0:x", "1:2,"]),
)
_PARAMETERS = st.lists(
    st.one_of(
        st.tuples(st.just("hugepages"), _COUNTS),
        st.tuples(st.sampled_from(["hugepagesz", "default_hugepagesz"]), st.sampled_from(["2M", "1G", "64K"])),
    ),
    max_size=9,
).map(tuple)


@given(_PARAMETERS)
def test_effective_requests_are_the_kernels_pools(parameters: tuple[tuple[str, str | None], ...]) -> None:
    found = hugepage_requests(parameters, sizes={M2, G1}, default=M2, nodes={0, 1})
    pools: Pools = {}
    for request in found:
        assert (request.why is None) is request.effective
        assert request.why is None or request.why in REASONS
        if request.effective and request.pages:
            assert request.page_size is not None
            assert (request.page_size, request.numa_node) not in pools
            pools[request.page_size, request.numa_node] = request.pages
    assert pools == Hugetlb({M2, G1}, {0, 1}, M2).pools(parameters)


@given(st.lists(st.tuples(st.sampled_from(["hugepages", "hugepagesz", "default_hugepagesz"]), st.text(max_size=12))))
def test_any_text_is_read(parameters: list[tuple[str, str]]) -> None:
    for request in hugepage_requests(tuple(parameters), sizes={M2}, default=M2, nodes={0}):
        assert request.pages >= 0
