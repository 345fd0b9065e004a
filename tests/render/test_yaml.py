"""The emitter against yaml.v3's recorded habits, and against PyYAML as a reader."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from hostagent.render import scalars
from hostagent.render.yaml import Commented, Value, Verbatim, emit, natural

# What yaml.v3 3.0.1 does with each word (encode.go, resolve.go; Butane's printed output for the first eleven).
WORDS = {
    "iommu=pt": "iommu=pt", "true": '"true"', "1": '"1"', "a b": "a b", "": '""', "x: y": "'x: y'", "on": '"on"',
    "1:30": '"1:30"', '"q"': "'\"q\"'", "-foo": "-foo", "99": '"99"',
    "~": '"~"', "Null": '"Null"', "nULL": "nULL", "FALSE": '"FALSE"', "y": '"y"', "No": '"No"', "nO": "nO",
    ".nan": '".nan"', "+.Inf": '"+.Inf"', ".": ".", ".5": '".5"', ".5_5": '".5_5"', "._5": "._5", ".5e400": ".5e400",
    "1.": '"1."', "1e3": '"1e3"', "1e400": "1e400", "-1.5E-3": '"-1.5E-3"', "1e": "1e",
    "0x1F": '"0x1F"', "0xg": "0xg", "0b1": '"0b1"', "0b2": "0b2", "0o7": '"0o7"', "0o8": "0o8", "0777": '"0777"',
    "0888": '"0888"', "1_000": '"1_000"', "0b-1": '"0b-1"', "0o+7": '"0o+7"', "0x-1": "0x-1", "+12": '"+12"', "-": "'-'",
    "0xFFFFFFFFFFFFFFFF": '"0xFFFFFFFFFFFFFFFF"', "0x1FFFFFFFFFFFFFFFF": "0x1FFFFFFFFFFFFFFFF",
    "+0xFFFFFFFFFFFFFFFF": "+0xFFFFFFFFFFFFFFFF", "-0x8000000000000000": '"-0x8000000000000000"',
    "2020-01-02": '"2020-01-02"', "2020-2-29": '"2020-2-29"', "2021-2-29": "2021-2-29", "1900-02-29": "1900-02-29",
    "2020-13-01": "2020-13-01", "20200-01-02": "20200-01-02", "2020-01-02T03:04:05Z": '"2020-01-02T03:04:05Z"',
    "2020-01-02T03:04:05": "2020-01-02T03:04:05", "2020-01-02t3:4:5.25+01:00": '"2020-01-02t3:4:5.25+01:00"',
    "2020-01-02  3:4:5": '"2020-01-02  3:4:5"', "2020-01-02 24:00:00": "2020-01-02 24:00:00",
    "2020-01-02T03:04:05+25:00": "2020-01-02T03:04:05+25:00", "2020-01-02 3:60:00": "2020-01-02 3:60:00",
    "1:30:00.5": '"1:30:00.5"', "1:99": "1:99", "<<": "<<", "=": "=", "a:b": "a:b", "a#b": "a#b", "a #b": "'a #b'",
    "a:": "'a:'", ": a": "': a'", ":a": ":a", "?": "'?'", "? a": "'? a'", "?a": "?a", "- a": "'- a'", "---": "'---'",
    "---a": "'---a'", "...": "'...'", " a": "' a'", "a ": "'a '", "#a": "'#a'", "it's": "it's", "'q'": "'''q'''",
    "@a": "'@a'", "a\tb": '"a\\tb"', "a\\b": "a\\b", '\t"\\': '"\\t\\"\\\\"', "é€": "é€", "\U0001f600": '"\\U0001F600"',
    "\x00\x07\x1b\x7f\x85\ufeff\ufffe": '"\\0\\a\\e\\x7F\\N\\uFEFF\\uFFFE"', "\r": '"\\r"', "\xa0": "\xa0",
    "\u2028": '"\\L"', "10DE:1EB8": "10DE:1EB8", "vfio-pci.ids=10de:1eb8,10de:1aeb": "vfio-pci.ids=10de:1eb8,10de:1aeb",
}  # fmt: skip

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LIVELY = st.text("ab01-+.:#'\"?|>%@&*!{}[]~_eExXoOyYnN,=\\/ \t\n\r\xe9\x85\u2028\ufeff\U0001f600")


@pytest.mark.parametrize("word", WORDS)
def test_one_line_styles(word: str) -> None:
    assert scalars.scalar(word, 0) == WORDS[word]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\nb\n", "|\n  a\n  b"),
        ("a\n\nb", "|-\n  a\n\n  b"),
        ("a\n\n", "|+\n  a\n"),
        (" a\n", "|2\n   a"),
        (" a", "' a'"),
        (" a\nb", "|2-\n   a\n  b"),
        ("X=\ttab\n", "|\n  X=\ttab"),
        ("trailing \nb\n", '"trailing \\nb\\n"'),
        ("a\nb ", '"a\\nb "'),
        ("a\r\nb\n", '"a\\r\\nb\\n"'),
        ("a\n\U0001f600", '"a\\n\\U0001F600"'),
        ("\na", '"\\na"'),
        ("\n", '"\\n"'),
    ],
)
def test_text_of_several_lines(text: str, written: str) -> None:
    assert scalars.scalar(text, 2) == written


def test_layout() -> None:
    document: dict[str, Value] = {
        "b": [{"w": "1", "x": None}, ["p", []], "a\nb\n", {}],
        "a": {"list": [True, 420]},
        "mode": Verbatim(text="0644"),
        "c": Commented(lines=("what it is", ""), value={"d": Commented(lines=("why",), value="e")}),
    }
    assert emit(document, sort=False) == (
        'b:\n  - w: "1"\n    x: null\n  - - p\n    - []\n  - |\n    a\n    b\n  - {}\n'
        "a:\n  list:\n    - true\n    - 420\nmode: 0644\n# what it is\n#\nc:\n  # why\n  d: e\n"
    )
    assert emit({"b": 1, "a": {"d": 1, "c": 2}}, sort=True) == "a:\n  c: 2\n  d: 1\nb: 1\n"


def test_a_comment_has_no_place_in_a_list() -> None:
    with pytest.raises(TypeError, match="belongs to a key"):
        emit({"a": [Commented(lines=(), value=1)]}, sort=False)


def test_keys_in_natural_order() -> None:
    assert natural(["z10", "z9", "z-1"]) == ["z-1", "z9", "z10"]
    assert natural(["a10", "a2", "b", "a", "A"]) == ["A", "a", "a2", "a10", "b"]
    assert natural(["a1b", "a1-"]) == ["a1b", "a1-"]
    assert natural(["ab", "a-"]) == ["a-", "ab"]
    assert natural(["v10", "v1", "v01", "v100", "v1"]) == ["v1", "v1", "v01", "v10", "v100"]
    assert natural(["a1.10", "a1.9", "a10.1"]) == ["a1.9", "a1.10", "a10.1"]


DOCUMENTS = st.dictionaries(
    TEXTS | LIVELY,
    st.recursive(
        TEXTS | LIVELY,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | LIVELY, inner, max_size=4),
    ),
    min_size=1,
    max_size=4,
).map(lambda document: {key: value for key, value in document.items() if "\n" not in key})


def _one_line_keys(value: object) -> object:
    if isinstance(value, dict):
        return {key.replace("\n", "")[:200]: _one_line_keys(inner) for key, inner in value.items()}
    return [_one_line_keys(inner) for inner in value] if isinstance(value, list) else value


@given(DOCUMENTS, st.booleans())
def test_text_comes_back(document: dict[str, object], sort: bool) -> None:  # noqa: FBT001 - hypothesis passes by position
    plain = _one_line_keys(document) or {"a": "b"}
    assert isinstance(plain, dict)
    assert pyyaml.load(emit(plain, sort=sort), pyyaml.BaseLoader) == plain


@given(st.sampled_from(sorted(WORDS)), st.text("abc =:#-'", max_size=8))
def test_quoted_words_are_text_to_typed_readers(word: str, tail: str) -> None:
    """Plain ones need not be: `=` and `1.0e+400` are no text to YAML 1.1, and yaml.v3 leaves them plain."""
    written = scalars.scalar(word + tail, 0)
    if written[0] in "\"'":
        assert pyyaml.safe_load(written) == word + tail


@given(st.lists(st.text("ab019-_.", max_size=6), unique=True))
def test_key_order_is_one_order(keys: list[str]) -> None:
    assert natural(keys) == natural(natural(keys)[::-1])


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63)


@given(st.dictionaries(st.text("abc", min_size=1), st.lists(SCALARS)))
def test_other_scalars_come_back(document: dict[str, list[int | bool | None]]) -> None:
    assert pyyaml.safe_load(emit(document or {"a": []}, sort=True)) == (document or {"a": []})
