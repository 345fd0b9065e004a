"""Documents for people who change the project name files: all of them are there."""

from __future__ import annotations

import re

import pytest

from tests.cli.run import REPOSITORY

DOCUMENTS = ("CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/releasing.md", "docs/adding-an-area.md")
# Files of the example in docs/adding-an-area.md, which tests/docs/test_adding_an_area.py makes.
OF_THE_EXAMPLE = {"hostagent/areas/nvme.py", "tests/areas/test_nvme.py"}
_PATH = re.compile(r"`((?:hostagent|tests|docs|butane|deploy|bench|systemd)/[\w./-]*)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
_WALK = re.compile(r"^\| `(hostagent/[\w/]+\.py)` \| (?!it is)", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_named(document: str) -> None:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    beside = (REPOSITORY / document).parent
    named = {REPOSITORY / path for path in set(_PATH.findall(text)) - OF_THE_EXAMPLE}
    linked = {beside / path for path in _LINK.findall(text)}
    assert named | linked
    assert [str(path) for path in sorted(named | linked) if not path.exists()] == []


def test_the_walk_from_a_fact_to_the_screen_is_short() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")
    walk = text.partition("## One fact")[2].partition("## Where")[0]
    files = _WALK.findall(walk)
    assert 1 < len(files) <= 8
    assert [path for path in files if "timeout" not in (REPOSITORY / path).read_text(encoding="utf-8")] == []
