"""Bursts: surveyed once, when quiet, and never later than the bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hostagent.daemon.settle import Settle


def test_nothing_happened() -> None:
    assert Settle(quiet=0.25, bound=1.0).due() is None


def test_one_event_is_due_after_the_quiet_time() -> None:
    settle = Settle(quiet=0.25, bound=1.0)
    settle.event(100.0)
    assert settle.due() == 100.25


def test_every_event_of_a_burst_puts_it_off_until_the_bound() -> None:
    settle = Settle(quiet=0.25, bound=1.0)
    for tenth in range(30):
        settle.event(100.0 + tenth / 10)
    assert settle.due() == 101.0


def test_a_survey_that_begins_ends_the_burst() -> None:
    settle = Settle(quiet=0.25, bound=1.0)
    settle.event(100.0)
    settle.taken()
    assert settle.due() is None
    settle.event(105.0)
    assert settle.due() == 105.25


def test_not_before_the_rest_is_over() -> None:
    settle = Settle(quiet=0.25, bound=1.0)
    settle.event(100.0)
    assert settle.due(not_before=100.5) == 100.5
    assert settle.due(not_before=100.1) == 100.25


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=50))
def test_no_event_waits_longer_than_the_bound(gaps: list[float]) -> None:
    settle, now, first = Settle(quiet=0.2, bound=1.0), 1000.0, None
    for gap in gaps:
        now += gap
        due = settle.due()
        if due is not None and due <= now:
            settle.taken()
            first = None
        settle.event(now)
        first = now if first is None else first
        due = settle.due()
        assert due is not None
        assert now <= due or due == first + 1.0
        assert due <= first + 1.0
