"""Contrast: every pair of text and ground that the style uses, by WCAG 2.1's formula."""

from __future__ import annotations

import pytest

from hostagent.publish.page.states import STATES
from hostagent.publish.page.style import COLOURS, STYLE

_HUES = ("vfio", "viable", "blocked", "protected", "in-use")
_PAIRS = [(ink, ground) for ink in ("ink", "quiet", *_HUES) for ground in ("ground", "sheet")]
_PAIRS += [(hue, f"{hue}-wash") for hue in _HUES]
_PAIRS += [("ink", "inset"), ("quiet", "inset")]


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_knows_black_on_white() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), _PAIRS)
def test_text_can_be_read(ink: str, ground: str, scheme: int) -> None:
    assert _contrast(COLOURS[ink][scheme], COLOURS[ground][scheme]) >= 4.5


def test_every_state_has_a_colour_and_a_sign_of_its_own() -> None:
    assert all(f".{state}{{--c:" in STYLE for state in STATES)
    assert len({mark for mark, _, _ in STATES.values()}) == len({word for _, word, _ in STATES.values()}) == len(STATES)


def test_the_style_asks_for_nothing() -> None:
    assert not any(word in STYLE for word in ("url(", "@import", "</"))
