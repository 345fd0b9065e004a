"""Log lines for the journal and for people."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hostagent.daemon.journal import is_journal
from tests.cli.run import REPOSITORY

CODE = """if True:
    import logging, os
    from hostagent.daemon.journal import set_level, start_log
    start_log("warning", os.environ)
    log = logging.getLogger("hostagent.test")
    log.info("not said")
    log.warning("two\\nlines of %s", "it")
    set_level("debug")
    log.debug("said now")
    try:
        raise ValueError("oh")
    except ValueError:
        log.exception("it failed")
"""


def lines(tmp_path: Path, *, journal: bool) -> list[str]:
    path = tmp_path / "stderr"
    with path.open("wb") as file:
        status = os.fstat(file.fileno())
        environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"} if journal else {}
        subprocess.run([sys.executable, "-c", CODE], stderr=file, check=True, env=environment, cwd=REPOSITORY)
    return path.read_text().splitlines()


def test_for_the_journal(tmp_path: Path) -> None:
    first, second, third = lines(tmp_path, journal=True)
    assert (first, second) == ("<4>two | lines of it", "<7>said now")
    assert third.startswith("<3>it failed | Traceback (most recent call last): | ")
    assert third.endswith("ValueError: oh")


def test_for_people(tmp_path: Path) -> None:
    first, second, third = lines(tmp_path, journal=False)
    assert (first, second) == ("hostagent: warning: two | lines of it", "hostagent: debug: said now")
    assert third.startswith("hostagent: error: it failed | ")


def test_another_stream_is_no_journal() -> None:
    assert not is_journal("")
    assert not is_journal("1:1")


def test_standard_error_may_be_closed() -> None:
    code = "import sys; from hostagent.daemon.journal import is_journal; sys.exit(is_journal('1:1'))"
    subprocess.run(["sh", "-c", '"$0" -c "$1" 2>&-', sys.executable, code], check=True, cwd=REPOSITORY)
