"""The report's own JSON writer against the standard library's reader."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.cpuset import CpuSet
from hostagent.values.pci import PciAddress
from hostagent.values.plain import json_text, plain
from hostagent.values.record import record


@record
class Inner:
    address: PciAddress
    cpus: CpuSet
    names: frozenset[str]


@record
class Outer:
    speed: float | None
    inner: Inner
    many: tuple[Inner, ...]
    flag: bool


INNER = Inner(address=PciAddress("0000:3b:00.0"), cpus=CpuSet((0, 1, 2, 8)), names=frozenset({"b", "a"}))
OUTER = Outer(speed=2.5, inner=INNER, many=(INNER,), flag=True)
INNER_PLAIN = {"address": "0000:3b:00.0", "cpus": "0-2,8", "names": ["a", "b"]}
OUTER_PLAIN = {"speed": 2.5, "inner": INNER_PLAIN, "many": [INNER_PLAIN], "flag": True}

_text = st.text(st.characters(codec="utf-8"))
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=12,
)


def test_records_become_plain_values() -> None:
    assert plain(OUTER) == OUTER_PLAIN


def test_words_of_the_domain_become_bare_strings() -> None:
    assert type(plain(INNER.address)) is str


def test_a_type_that_has_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes has no place in a report"):
        plain((b"raw",))


def test_records_and_their_plain_values_give_one_text() -> None:
    assert json_text(OUTER) == json_text(OUTER_PLAIN)


def test_every_fact_and_every_item_has_its_line() -> None:
    inner = '{"address": "0000:3b:00.0", "cpus": "0-2,8", "names": ["a", "b"]}'
    assert json_text({"area": {"data": {"speed": None, "many": (INNER, INNER), "cpus": INNER.cpus, "none": ()}}}) == (
        '{\n  "area": {\n    "data": {\n      "speed": null,\n'
        f'      "many": [\n        {inner},\n        {inner}\n      ],\n'
        '      "cpus": "0-2,8",\n      "none": []\n    }\n  }\n}\n'
    )


@given(_json)
def test_text_reads_back(value: Any) -> None:
    assert json.loads(json_text(value)) == value


@given(_json)
def test_text_is_utf8_without_control_characters(value: Any) -> None:
    text = json_text(value)
    text.encode("utf-8")
    assert not [letter for letter in text if unicodedata.category(letter) == "Cc" and letter != "\n"]


@given(st.lists(st.dictionaries(_text, _json, max_size=3), max_size=5))
def test_items_of_lists_of_objects_stand_on_lines_of_their_own(value: list[dict[str, Any]]) -> None:
    # str.splitlines would also break at U+2028 inside a string.
    lines = json_text(value).removesuffix("\n").split("\n")
    if value and value[0] is not None:
        assert [json.loads(line.rstrip(",")) for line in lines[1:-1]] == value
    else:
        assert lines == ["[]"]


@given(st.text(st.characters(codec=None)))
def test_bytes_that_are_not_utf8_have_one_spelling(text: str) -> None:
    assert json.loads(json_text({"a": text})) == {"a": plain(text)}
    plain(text).encode("utf-8")
    assert plain("eth\udcff") == r"eth\udcff"
