from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.choice import chosen
from hostagent.values.meminfo import parse


def test_bytes_and_counts() -> None:
    text = "MemTotal:       24684092 kB\nActive(anon):      12 kB\nHugePages_Total:       3\n"
    assert parse(text) == {"MemTotal": 25276510208, "Active(anon)": 12288, "HugePages_Total": 3}


def test_a_nodes() -> None:
    assert parse("Node 1 MemTotal:  2579216 kB\nNode 1 HugePages_Free:  4\n") == {
        "MemTotal": 2641117184,
        "HugePages_Free": 4,
    }


def test_other_lines_are_left_out() -> None:
    # The header of Linux 2.4, an empty value, a value that is none, one no memory has.
    text = f"        total:    used:\nSwapTotal:\nMemTotal: many kB\nMemFree: {'9' * 40} kB\nMemFree: -1 kB\nCached\n"
    assert parse(text) == {}


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(value >= 0 for value in parse(text).values())
    assert chosen(text) != ""


def test_chosen() -> None:
    assert [chosen(text) for text in ("always [madvise] never", "[none]", "always", "[]", "", "a[b]")] == [
        "madvise",
        "none",
        None,
        None,
        None,
        None,
    ]
