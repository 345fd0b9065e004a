"""Records: frozen, keyword-only, complete, compared by value, and dataclasses where pydantic looks."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.record import dataclass_view, is_record, record, record_fields, replaced


@record
class Pair:
    """Two fields."""

    left: int
    right: str | None

    @property
    def doubled(self) -> int:
        return self.left * 2


@record
class Other:
    left: int
    right: str | None


@record
class Nothing:
    """No fields."""


@given(st.integers(), st.none() | st.text(), st.integers(), st.none() | st.text())
def test_equality_and_hash_are_of_the_values(a: int, b: str | None, c: int, d: str | None) -> None:
    first, second = Pair(left=a, right=b), Pair(left=c, right=d)
    assert (first == second) == ((a, b) == (c, d))
    assert first != second or hash(first) == hash(second)
    others: tuple[object, ...] = (Other(left=a, right=b), (a, b))
    assert all(first != other for other in others)


def test_fields_properties_and_text() -> None:
    pair = Pair(left=2, right=None)
    assert (pair.left, pair.right, pair.doubled) == (2, None, 4)
    assert repr(pair) == "Pair(left=2, right=None)"
    assert record_fields(Pair) == ("left", "right")
    assert is_record(pair)
    assert not is_record(2)
    assert (Pair.__doc__, Nothing.__doc__) == ("Two fields.", "No fields.")


def test_records_match_by_field() -> None:
    value: object = Pair(left=1, right="x")
    match value:
        case Pair(left=1, right=right):
            assert right == "x"
        case _:
            pytest.fail("no match")


def test_a_changed_copy() -> None:
    pair = Pair(left=1, right="x")
    assert replaced(pair, right=None) == Pair(left=1, right=None)
    assert pair == Pair(left=1, right="x")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"left": 1}, "Pair needs 'right'"),
        ({"left": 1, "right": None, "middle": 3}, r"Pair has no field \['middle'\]"),
        ({}, "Pair needs 'left'"),
    ],
)
def test_all_fields_and_no_others(fields: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Pair(**fields)  # type: ignore[arg-type]


def test_records_are_frozen() -> None:
    pair = Pair(left=1, right="x")
    for name in ("left", "new"):
        with pytest.raises(AttributeError, match=f"Pair.{name} is frozen"):
            setattr(pair, name, 2)
        with pytest.raises(AttributeError, match=f"Pair.{name} is frozen"):
            delattr(pair, name)
    assert pair == Pair(left=1, right="x")
    assert not hasattr(pair, "__dict__")


def test_records_without_fields_are_equal() -> None:
    assert Nothing() == Nothing()
    assert record_fields(Nothing) == ()


def test_the_dataclass_view_changes_no_behaviour() -> None:
    dataclass_view()
    dataclass_view()
    pairs: Any = Pair
    assert [(field.name, field.type, field.kw_only) for field in dataclasses.fields(pairs)] == [
        ("left", int, True),
        ("right", str | None, True),
    ]
    pair = pairs(left=1, right="x")
    assert dataclasses.asdict(pair) == {"left": 1, "right": "x"}
    assert repr(pair) == "Pair(left=1, right='x')"
    with pytest.raises(AttributeError, match="is frozen"):
        pair.left = 3


def test_records_may_name_what_only_type_checkers_import() -> None:
    @record
    class Checked:
        look: Elsewhere  # type: ignore[name-defined]  # noqa: F821

    dataclass_view()
    assert [field.name for field in dataclasses.fields(Checked)] == ["look"]
