from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.duration import parse_seconds, systemd_span


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("30s", 30),
        ("10min", 600),
        ("2min 30s", 150),
        ("1h5m", 3900),
        ("1 hour 1 sec", 3601),
        ("", None),
        ("s", None),
        ("5 fortnights", None),
        ("-5", None),
        ("1.5s", None),
        ("٣s", None),
        ("9999999999", None),
    ],
)
def test_parse(text: str, seconds: int | None) -> None:
    assert parse_seconds(text) == seconds


def test_printed() -> None:
    assert [systemd_span(n) for n in (0, 30, 60, 600, 150, 3600)] == ["0s", "30s", "1min", "10min", "2min 30s", "60min"]


@given(st.integers(0, 10**9))
def test_what_is_printed_is_read(seconds: int) -> None:
    assert parse_seconds(systemd_span(seconds)) == seconds


@given(st.text(max_size=20))
def test_any_text_has_an_answer(text: str) -> None:
    seconds = parse_seconds(text)
    assert seconds is None or seconds >= 0
