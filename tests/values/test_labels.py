"""The Kubernetes label grammar, against its own regular expressions (apimachinery, pkg/util/validation)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.labels import LIMIT, fitted, is_name, is_prefix, is_value

_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NEARLY = st.text("aZ09-_. é/\n", max_size=70)
_DOMAINISH = st.text("az09-.A_", max_size=80)


@given(st.text() | _NEARLY)
def test_names_and_values_are_those_of_kubernetes(text: str) -> None:
    assert is_name(text) == (len(text) <= LIMIT and _NAME.fullmatch(text) is not None)
    assert is_value(text) == (not text or is_name(text))


@given(st.text() | _DOMAINISH)
def test_prefixes_are_dns_subdomains(text: str) -> None:
    # Kubernetes bounds the whole by 253; DNS itself bounds each part by 63, which we hold too.
    short = all(len(part) <= LIMIT for part in text.split("."))
    assert is_prefix(text) == (len(text) <= 253 and short and _DOMAIN.fullmatch(text) is not None)


def test_long_prefixes() -> None:
    part = "a" * 63
    assert is_prefix(".".join([part, part, part, "a" * 61]))
    assert not is_prefix(".".join([part, part, part, "a" * 62]))


@given(st.text() | _NEARLY)
def test_anything_is_made_to_fit(text: str) -> None:
    assert is_value(fitted(text))
    assert fitted(fitted(text)) == fitted(text)


@given(_NEARLY.filter(is_value))
def test_what_fits_stays(text: str) -> None:
    assert fitted(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iTCO_wdt", "iTCO_wdt"),
        ("Software Watchdog", "Software_Watchdog"),
        ("Intel(R) Xeon(R)", "Intel_R__Xeon_R"),
        ("...", ""),
        ("x" * 62 + "  y", "x" * 62),
        ("größe", "gr__e"),
    ],
)
def test_hardware_strings(text: str, expected: str) -> None:
    assert fitted(text) == expected
