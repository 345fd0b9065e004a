"""Which lines of other processes' mountinfo count, and of which processes they are read."""

from __future__ import annotations

import os
from pathlib import Path

from hostagent.host import Host
from hostagent.host.namespaces import MOST, _collected, mounts_elsewhere
from tests.plant import plant

ROOT = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"


def collected(root: Path, tables: dict[int, str]) -> list[str]:
    plant(root, {f"{pid}/mountinfo": text for pid, text in tables.items()} | {"self": "", "2/stat": ""})
    return _collected(str(root), {"8:1", "0:6"}).splitlines()


def test_file_systems_that_process_1_has_not_mounted(tmp_path: Path) -> None:
    own = "90 80 8:1 / / rw - ext4 /dev/sda1 rw\n"
    other = (
        own + "91 90 8:17 / /data rw,relatime shared:3 - xfs /dev/sdb1 rw,noquota\n92 90 0:50 / /tmp rw - tmpfs x rw\n"
    )
    zfs = "70 1 0:60 / / rw - zfs tank/a rw\n71 70 0:61 / /x rw - overlay overlay rw,lowerdir=/a\n"
    assert collected(tmp_path, {1: ROOT, 40: own, 41: "95 90" + other[5:], 42: zfs, 43: ROOT + other}) == [
        "0 0 0:60 / / rw - zfs tank/a rw",
        "0 0 8:17 / /data rw - xfs /dev/sdb1 rw,noquota",
    ]


def test_one_process_of_a_namespace_is_read(tmp_path: Path) -> None:
    first = "30 1 8:33 / / rw - ext4 /dev/sdc1 rw\n"
    again = "30 1 8:49 / / rw - ext4 /dev/sdd1 rw\n"
    assert collected(tmp_path, {1: ROOT, 9: first, 10: again}) == ["0 0 8:33 / / rw - ext4 /dev/sdc1 rw"]


def test_so_many_namespaces_and_no_more(tmp_path: Path) -> None:
    tables = {pid: f"{pid}0 1 8:1 / / rw - ext4 /dev/sda1 rw\n" for pid in range(2, MOST + 3)}
    assert collected(tmp_path, {1: ROOT} | tables) == ["0 0 0:0 / /proc rw - more none rw"]


def test_a_fifo_in_place_of_a_table_is_not_opened(tmp_path: Path) -> None:
    plant(tmp_path, {"1/mountinfo": ROOT}, directories=("7",))
    os.mkfifo(tmp_path / "7" / "mountinfo")
    assert _collected(str(tmp_path), set()) == ""


def test_the_live_machine_is_looked_at() -> None:
    assert mounts_elsewhere(Host().reader())[1] is not None


def test_a_device_node_bound_in_a_namespace_of_a_tree_is_one_that_the_tree_has(tmp_path: Path) -> None:
    node = "96 90 0:6 /sdz9 /dev/xvda rw - devtmpfs udev rw\n"
    plant(tmp_path, {"proc/1/mountinfo": ROOT, "proc/7/mountinfo": node, "sys/class/block/sdz9/dev": "8:249\n"})
    (mount,) = mounts_elsewhere(Host(str(tmp_path)).reader())[0]
    assert (mount.point, mount.root) == ("/dev/xvda", "/sdz9")
