from __future__ import annotations

import os
from pathlib import Path

import pytest

from hostagent.host import Host, Problem
from hostagent.host.holders import Holder, _disk, _matching, collected, counted, holders, open_files, written
from hostagent.host.problem import MALFORMED
from tests.plant import plant, reader


@pytest.mark.parametrize(
    ("target", "held"),
    [
        ("/dev/watchdog0", "/dev/watchdog0"),
        ("/dev/vfio/devices/vfio3", "/dev/vfio/devices/vfio3"),
        ("/dev/vfio/14 (deleted)", "/dev/vfio/14"),
        ("/dev/hugepages/libvirt/qemu/1-vm/ram (deleted)", "/dev/hugepages"),
        ("/dev/hugepages1G/x", None),
        ("/dev/null", None),
        ("socket:[1]", None),
    ],
)
def test_what_counts(target: str, held: str | None) -> None:
    assert counted(target, ("/dev/hugepages",)) == held


def test_open_files_of_this_process_are_its_links(tmp_path: Path) -> None:
    path = tmp_path / "open"
    with path.open("w"):
        assert str(path) in [target for _, target in open_files(f"/proc/{os.getpid()}/fd")]
    assert list(open_files("/proc/0/fd")) == []


def test_a_file_closed_meanwhile_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "3").write_text("no link")
    (tmp_path / "4").symlink_to("/dev/watchdog0")
    assert list(open_files(str(tmp_path))) == [("4", "/dev/watchdog0")]


def test_this_process_holds_a_file_of_a_pool(tmp_path: Path) -> None:
    with (tmp_path / "ram").open("w"):
        found = collected((str(tmp_path),))
    assert [pool for pool, _ in found] == [str(tmp_path)]
    assert all(name for _, name in found)


def test_a_capture_keeps_them(tmp_path: Path) -> None:
    text = written({("/dev/watchdog0", "systemd"), ("/dev/vfio/14", "qemu-kvm")})
    assert text == '[["/dev/vfio/14", "qemu-kvm"], ["/dev/watchdog0", "systemd"]]\n'
    assert holders(reader(plant(tmp_path, {"holders.json": text}))) == (
        Holder(path="/dev/vfio/14", process="qemu-kvm"),
        Holder(path="/dev/watchdog0", process="systemd"),
    )


def test_nobody_looked(tmp_path: Path) -> None:
    assert holders(reader(plant(tmp_path, {}))) is None


@pytest.mark.parametrize("text", ["{", "[1]", '[["a"]]', "3"])
def test_a_record_that_is_none(tmp_path: Path, text: str) -> None:
    seen = reader(plant(tmp_path, {"holders.json": text}))
    assert holders(seen) is None
    assert seen.problems == [
        Problem(path="holders.json", kind=MALFORMED, detail=f"expected pairs of a path and a process, saw {text!r}")
    ]


def test_a_record_without_end(tmp_path: Path) -> None:
    seen = reader(plant(tmp_path, {"holders.json": "[" * 100_000}))
    assert holders(seen) is None
    assert [problem.kind for problem in seen.problems] == ["malformed"]


def test_the_live_machine_is_not_searched_without_anything_to_hold() -> None:
    host = Host()
    seen = host.reader()
    signs = ("sys/class/watchdog", "sys/class/vfio", "sys/class/vfio-dev", "sys/class/block", "sys/block")
    if any(seen.names(name) for name in signs) or seen.exists("sys/module/ipmi_watchdog"):
        pytest.skip("this machine has something to hold")
    assert holders(seen) is None
    assert ("read", "holders.json") not in host.memory


def test_what_no_block_device_has_open_is_no_disk(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_text("")
    assert _disk(str(path)) is None
    assert _disk(str(tmp_path / "none")) is None


def test_nobody_is_written_and_read_without_json(tmp_path: Path) -> None:
    assert written(set()) == "[]\n"
    assert holders(reader(plant(tmp_path, {"holders.json": "[]\n"}))) == ()


def test_paths_of_a_pattern(tmp_path: Path) -> None:
    plant(tmp_path, {"core/iblock_0/a/udev_path": "/dev/sdb\n", "core/iblock_0/b/info": "", "core/alua": ""})
    assert sorted(_matching(str(tmp_path), ["core", "*", "*", "udev_path"])) == [
        f"{tmp_path}/core/iblock_0/{name}/udev_path" for name in ("a", "b")
    ]
