"""Markup by construction."""

from __future__ import annotations

from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from hostagent.publish.page.html import NOTHING, Html, element, joined, text


def test_elements_nest_and_leave_out_what_is_not_there() -> None:
    made = element("p", "a<b", None, element("b", 3), "", cls="x", aria_label=None, data_n=1)
    assert made == '<p class="x" data-n="1">a&lt;b<b>3</b></p>'
    assert element("meta", name='"') == '<meta name="&quot;">'
    assert element("rect", cls="free") == '<rect class="free"></rect>'


def test_joined_escapes_what_stands_between() -> None:
    assert joined(("a", None, Html("<b>"), ""), " & ") == "a &amp; <b>"
    assert joined(()) == NOTHING == ""


@given(st.text())
def test_any_text_becomes_text(said: str) -> None:
    made = text(said)
    assert not set("<>\"'") & set(made)
    assert made.isprintable()
    if said.isprintable():
        assert unescape(made) == said
    made.encode()
