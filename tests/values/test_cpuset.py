"""Sets of CPU numbers in the kernel's lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hostagent.values.cpuset import LIMIT, CpuSet

SETS = st.frozensets(st.integers(0, 300) | st.integers(0, LIMIT - 1)).map(lambda found: CpuSet(sorted(found)))


@given(SETS)
def test_sets_print_as_they_parse(cpus: CpuSet) -> None:
    assert CpuSet.parse(str(cpus)) == cpus
    assert CpuSet.parse(f"{cpus}\n") == cpus


@given(st.text() | st.text("0123456789,-\n "))
def test_parsing_is_total(text: str) -> None:
    found = CpuSet.parse(text)
    assert found is None or CpuSet.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("\n", ()),
        ("0", (0,)),
        ("0-3,8,10-11", (0, 1, 2, 3, 8, 10, 11)),
        ("8,0-1", (0, 1, 8)),
        ("0-1,1-2", (0, 1, 2)),
        ("65535", (65535,)),
    ],
)
def test_kernel_lists(text: str, numbers: tuple[int, ...]) -> None:
    assert CpuSet.parse(text) == CpuSet(numbers)


@pytest.mark.parametrize(
    "text",
    ["3-1", "1,", ",", "-", "1-", "-1", "a", "0x1", "1.5", "65536", "0-4294967295", "٣", "1 2", "1-2-3", "9" * 5000],
)
def test_other_text_is_no_set(text: str) -> None:
    assert CpuSet.parse(text) is None


def test_pydantic_writes_the_kernel_text() -> None:
    adapter = TypeAdapter(CpuSet)
    assert adapter.validate_json('"0-3,8"') == CpuSet((0, 1, 2, 3, 8))
    assert adapter.dump_python(CpuSet((0, 1, 2, 3, 8)), mode="json") == "0-3,8"
    with pytest.raises(ValidationError, match="a CPU list looks like 0-3,8"):
        adapter.validate_python("3-1")
