"""The README shows what the commands really print, and names files that exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.roots import REPOSITORY

README = (REPOSITORY / "README.md").read_text()


def test_the_output_shown_is_the_output() -> None:
    shown = re.search(r"<!-- probe: .*?-->\n```\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    done = subprocess.run(
        [sys.executable, "-m", "hostagent", "probe", "--root", "fixtures/sysfs/lab-intel"],
        cwd=REPOSITORY, env=os.environ | {"COLUMNS": "118", "PYTHONUTF8": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown[1] == done.stdout


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (REPOSITORY / target).exists(), target
