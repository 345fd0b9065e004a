"""Sizes in every spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.size import kernel_size, kubernetes_size, parse_size

SIZES = st.integers(0, 1 << 60) | st.builds(
    lambda n, shift: n << shift, st.integers(0, 4096), st.sampled_from([10, 20, 30, 40])
)


@given(SIZES)
def test_sizes_print_as_they_parse(size: int) -> None:
    assert parse_size(kernel_size(size)) == size
    assert parse_size(kubernetes_size(size)) == size
    assert parse_size(f"{size}") == size
    assert parse_size(f"{size}kB") == size << 10


@given(st.text())
def test_parsing_is_total(text: str) -> None:
    found = parse_size(text)
    assert found is None or parse_size(str(found)) == found


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1G", 1 << 30), ("1Gi", 1 << 30), ("1GiB", 1 << 30), ("1gb", 1 << 30), ("2M", 2 << 20), ("2048kB", 2 << 20),
        ("64k", 65536), ("16384", 16384), (" 2M\n", 2 << 20), ("1T", 1 << 40), ("1P", 1 << 50), ("0", 0),
    ],
)  # fmt: skip
def test_spellings(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "M", "i", "B", "1E", "-1", "1.5G", "1 G", "0x10", "1_000", "٣", "1MM", "9" * 5000]
)
def test_other_text_is_no_size(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("size", "kernel", "kubernetes"),
    [(2 << 20, "2M", "2Mi"), (1 << 30, "1G", "1Gi"), (64 << 10, "64K", "64Ki"), (1536 << 20, "1536M", "1536Mi"), (0, "0", "0"),
     (1000, "1000", "1000"), (16 << 30, "16G", "16Gi")],
)  # fmt: skip
def test_printed_in_the_largest_whole_unit(size: int, kernel: str, kubernetes: str) -> None:
    assert (kernel_size(size), kubernetes_size(size)) == (kernel, kubernetes)
