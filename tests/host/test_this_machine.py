"""Facts no file holds are those of the machine that runs, also where it is seen through another root."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.host import Host
from hostagent.host.capture import archive, recording
from tests.plant import plant

BOOT_ID = "proc/sys/kernel/random/boot_id"


@pytest.fixture
def own() -> str:
    return Path("/", BOOT_ID).read_text()


def test_a_root_of_this_boot_is_this_machine(tmp_path: Path, own: str) -> None:
    assert Host("/").is_this_machine()
    assert Host(str(plant(tmp_path / "host", {BOOT_ID: own}))).is_this_machine()
    assert not Host(str(plant(tmp_path / "other", {BOOT_ID: own.replace("-", "0")}))).is_this_machine()
    assert not Host(str(plant(tmp_path / "none", {}))).is_this_machine()
    assert not Host(str(plant(tmp_path / "empty", {BOOT_ID: ""}))).is_this_machine()


def test_a_fact_is_collected_there_if_it_does_not_depend_on_whose_proc_it_is(tmp_path: Path, own: str) -> None:
    host = Host(str(plant(tmp_path, {BOOT_ID: own})))
    assert host.reader().recorded("netlink/links.json", lambda: "heard", anywhere=True) == "heard"
    assert host.reader().recorded("holders.json", lambda: "seen") is None


def test_a_capture_is_never_this_machine(tmp_path: Path, own: str) -> None:
    host = recording(str(plant(tmp_path / "host", {BOOT_ID: own})))
    assert host.is_this_machine()
    (tmp_path / "capture.tar.gz").write_bytes(archive(host))
    assert not Host(str(tmp_path / "capture.tar.gz")).is_this_machine()
