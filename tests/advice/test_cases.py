"""Every code has a machine that has it, and of every machine exactly what is true is said."""

from __future__ import annotations

import pytest

from hostagent.advice import CODES
from tests.advice.cases import CASES, Case
from tests.advice.hosts import told


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_what_is_said(case: Case) -> None:
    findings = case.findings()
    assert sorted(told(findings)) == sorted(case.expected)
    assert all(one.evidence and one.sentence.endswith(".") for one in findings)


def test_every_code_has_a_case_and_no_other_is_said() -> None:
    assert {code for case in CASES for _, code, _ in case.expected} == set(CODES)
