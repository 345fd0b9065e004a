"""The kernel command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.cmdline import Parameter, parse, same_name, values_of, words

_NAMES = st.text("abcdefghijklmnopqrstuvwxyz_-.0123456789", min_size=1).filter(lambda name: name != "--")
_VALUES = st.none() | st.text("abcxyz0123456789=,:./_- ")


def printed(parameters: list[Parameter]) -> str:
    """As a boot loader would write them."""
    return " ".join(name if value is None else f'{name}="{value}"' for name, value in parameters)


@given(st.lists(st.tuples(_NAMES, _VALUES)))
def test_parameters_print_as_they_parse(parameters: list[Parameter]) -> None:
    assert parse(printed(parameters)) == tuple(parameters)
    assert parse(printed(parameters) + " -- init words=1\n") == tuple(parameters)


@given(st.text())
def test_parsing_is_total_and_keeps_order(text: str) -> None:
    assert len(parse(text)) == len(words(text))
    assert all(word[0] not in " \t\n\v\f\r" for word in words(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("quiet intel_iommu=on\n", (("quiet", None), ("intel_iommu", "on"))),
        ('dyndbg="file x +p" a', (("dyndbg", "file x +p"), ("a", None))),
        ('"name with blanks=1"', (("name with blanks", "1"),)),
        ("root=UUID=1234", (("root", "UUID=1234"),)),
        ("empty= next", (("empty", ""), ("next", None))),
        ("a -- b", (("a", None),)),
        ('a="-- x" b', (("a", "-- x"), ("b", None))),
        ('open="never closed b', (("open", "never closed b"),)),
        ('a="b\nc"d"e f"\tg', (("a", "b\ncde f"), ("g", None))),
        ('"" a', (("", None), ("a", None))),
        ("a\u2028b\x1cc", (("a\u2028b\x1cc", None),)),
    ],
)
def test_command_lines(text: str, expected: tuple[Parameter, ...]) -> None:
    assert parse(text) == expected


def test_dash_and_underscore_are_one_letter() -> None:
    assert same_name("vfio-pci.ids", "vfio_pci.ids")
    assert not same_name("vfio-pci.ids", "vfio_pci.id")
    given_ = parse("vfio-pci.ids=10de:1eb8 vfio_pci.ids=8086:10d3 vfio-pci.ids")
    assert values_of(given_, "vfio_pci.ids") == ("10de:1eb8", "8086:10d3", "")
