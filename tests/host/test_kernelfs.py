"""Which files are surely the kernel's, and need no look before they are opened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hostagent.host.kernelfs import KernelFiles, careful_with
from hostagent.host.tree import BoundTree, LiveTree
from tests.plant import plant

SYS = "23 27 0:22 / /sys rw,relatime shared:7 - sysfs sysfs rw"
PROC = "22 27 0:21 / /proc rw,relatime - proc proc rw"
REST = ("27 1 8:1 / / rw - ext4 /dev/sda1 rw", "90 27 0:50 / /system rw - tmpfs tmpfs rw")


@pytest.mark.parametrize(
    ("top", "lines", "expected"),
    [
        ("sys", (SYS,), ()),
        ("proc", (PROC,), ()),
        ("sys", (SYS, "31 23 0:28 / /sys/kernel/debug rw - debugfs d rw", "32 23 0:9 / /sys/devices/x rw - cgroup2 c rw"), ()),
        ("sys", (SYS, "31 23 0:28 / /sys/fs/cgroup rw shared:9 master:2 - tmpfs tmpfs rw"), ("sys/fs/cgroup",)),
        ("sys", (SYS, "31 23 0:28 / /sys/firmware ro - tmpfs tmpfs rw"), None),
        ("sys", (SYS, "31 23 0:28 / /sys/firmware/efi ro - tmpfs tmpfs rw"), ("sys/firmware/efi",)),
        ("sys", (SYS, "31 23 0:6 /full /sys/devices/pci0000:00/0000:00:01.0/uevent rw - devtmpfs udev rw"), None),
        ("proc", (PROC, "31 22 0:6 /full /proc/cpuinfo rw - devtmpfs udev rw"), ("proc/cpuinfo",)),
        ("proc", (PROC, "31 22 0:44 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw"), ("proc/meminfo",)),
        ("proc", (PROC, "31 22 0:21 /sys /proc/sys ro - proc proc rw"), ()),
        ("proc", (PROC, "31 22 0:6 /full /proc/1/mountinfo rw - devtmpfs udev rw"), None),
        ("proc", (PROC, "31 22 0:6 /full /proc/a\\040b rw - devtmpfs udev rw"), None),
        # A part of sysfs, something else at that place, and a mount of another namespace.
        ("sys", ("23 27 0:22 /class /sys rw - sysfs sysfs rw",), None),
        ("sys", ("23 27 0:22 / /sys rw - tmpfs sysfs rw",), None),
        ("proc", ("22 27 0:22 / /proc rw - sysfs sysfs rw",), None),
        ("sys", ("123 27 0:22 / /sys rw - sysfs sysfs rw", "2 23 0:22 / /sys rw - sysfs sysfs rw"), None),
        ("sys", ("23 27 0:22 / /sys rw",), None),
        # The root of a container's host.
        ("sys", ("23 27 0:22 / /host/sys ro - sysfs sysfs rw", "31 23 0:28 / /host/sys/fs/x rw - tmpfs t rw"), ("sys/fs/x",)),
    ],
)  # fmt: skip
def test_what_is_mounted_says_where_to_be_careful(
    top: str, lines: tuple[str, ...], expected: tuple[str, ...] | None
) -> None:
    text = "\n".join((*REST, *lines, "")).encode()
    assert careful_with(text, b"23" if top == "sys" else b"22", top) == expected


def _is_mount(path: str) -> bool:
    with open("/proc/self/mountinfo", encoding="utf-8") as text:
        lines = [line.split(" ") for line in text]
    return any(line[4] == f"/{path}" and line[line.index("-") + 1].startswith(path) for line in lines)


@pytest.mark.skipif(not (_is_mount("sys") and _is_mount("proc")), reason="this machine has no sysfs and procfs")
def test_this_machine_has_kernel_files_and_paths_out_of_them_are_none() -> None:
    tree = LiveTree("/")
    files = KernelFiles(tree._fd)
    assert files.has("sys/bus/pci/devices/0000:00:01.0/uevent")
    assert files.has("sys/class/net")
    assert files.has("proc/1/mountinfo")
    assert files.has("proc/sys/fs/nr_open")
    for path in (
        "etc/fstab", "sysroot/x", "sys", "proc/../dev/watchdog", "sys/../dev/watchdog", "sys//fs/cgroup", "proc/./cpuinfo",
        "proc/1/root/dev/watchdog", "proc/self/fd/3", "proc/self/cwd/x", "proc/1/task/1/root/dev/full", "proc/device-tree/x",
        "proc/1/exe", "proc/1/map_files/0-1", "", ".",
    ):  # fmt: skip
        assert files.has(path) == (path == "sys"), path
    tree.close()


@pytest.mark.parametrize("tree", [LiveTree, BoundTree])
def test_a_directory_is_not_the_kernels_whatever_its_name(tmp_path: Path, tree: type[LiveTree]) -> None:
    root = plant(tmp_path, {"sys/class/x": "", "proc/cpuinfo": ""})
    os.symlink("/sys", root / "sys/sys")
    looked = tree(str(root))
    assert not any(KernelFiles(looked._fd).has(path) for path in ("sys/class/x", "proc/cpuinfo", "sys/sys/class"))
    looked.close()
    (root / "sys/sys").unlink()
    shutil.rmtree(root / "sys")
    os.symlink("/sys", root / "sys")
    os.symlink("/proc", root / "linked")
    looked = tree(str(root))
    assert not KernelFiles(looked._fd).has("sys/class/net")
    looked.close()


_LOOK = """
import sys
from hostagent.host import Host
root, *paths = sys.argv[1:]
reader = Host(root).reader()
for path in paths:
    print(path, reader.raw(path) is not None, [problem.kind for problem in reader.problems])
"""


@pytest.mark.parametrize("root", ["/", "/proc/self/root", "root"])
def test_a_node_mounted_over_a_file_of_the_kernels_is_not_opened(tmp_path: Path, root: str) -> None:
    if root == "root":
        root = str(plant(tmp_path, {}, directories=("proc",)))
    over, look = (
        f"{root}/proc/version".replace("//", "/"),
        [sys.executable, "-c", _LOOK, root, "proc/version", "proc/uptime"],
    )
    mount = f"mount --bind /proc {root}/proc && " if root.startswith(str(tmp_path)) else ""
    script = f'{mount} mount --bind /dev/full {over} && exec "$@"'
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("no mount namespace of our own to be had")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *look], capture_output=True, text=True, check=False
    )
    assert done.stdout == "proc/version False ['not-regular']\nproc/uptime True ['not-regular']\n", done.stderr
