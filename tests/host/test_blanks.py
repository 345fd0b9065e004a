"""Only the kernel's blanks part its words: Python finds more, and a link or a driver may be called so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hostagent
from hostagent.values.blanks import fields, is_blank, lines, stripped

HOST = Path(hostagent.__file__).parent / "host"
READERS = ("addresses", "console", "groups", "links", "netlink", "pci_detail", "routes", "rtnetlink", "watchdogs")


@pytest.mark.parametrize("name", READERS)
def test_no_reader_parts_words_as_python_does(name: str) -> None:
    text = (HOST / f"{name}.py").read_text(encoding="utf-8")
    assert re.findall(r"\.(?:r?split|strip|splitlines|isspace)\(\)", text) == []


def test_blanks_of_the_kernel() -> None:
    odd = "a\u2028\u3000\x1c\x1d\x1e\x1f\x85\xa0b"
    assert fields(f" {odd}\t\n\v\f\r {odd} ") == [odd, odd]
    assert stripped(f"\t{odd}\x1c\n") == f"{odd}\x1c"
    assert lines(f"{odd}\n\x0bc\n") == [odd, "\x0bc"]
    assert (is_blank(" \t\n\v\f\r"), is_blank("\u3000")) == (True, False)
    assert fields("e\udcff 1") == ["e\udcff", "1"]
