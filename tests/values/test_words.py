"""Words for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.words import clean, counted, size


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (2 << 20, "2 MiB"),
        (1 << 30, "1 GiB"),
        (16_000_000 << 10, "15.3 GiB"),
        (3 << 40, "3 TiB"),
    ],
)
def test_bytes_for_people(count: int, said: str) -> None:
    assert size(count) == said


def test_one_and_many() -> None:
    assert (counted(1, "group"), counted(0, "group"), counted(2, "entry", "entries")) == (
        "1 group",
        "0 groups",
        "2 entries",
    )


def test_what_cannot_be_printed_is_shown() -> None:
    assert clean("a\x1b[31m\u202e\udc80é") == "a\\x1b[31m\\u202e\\udc80é"


@given(st.text())
def test_clean_text_is_printable_and_stays(said: str) -> None:
    assert clean(said).isprintable()
    assert clean(clean(said)) == clean(said)
    if said.isprintable():
        assert clean(said) == said
