"""Uses of storage that no table of mounts names by its disk: loops, raw volumes, journals, other namespaces, open disks."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.areas.storage import Storage, carried, probe, unseen
from hostagent.host.hardware import Carriers
from tests.areas.blocks import NVME0, NVME1, SATA, Machine, addresses, carriers
from tests.areas.captured import before_and_after
from tests.plant import reader

VOLUME = "/var/lib/kubelet/plugins/kubernetes.io/csi/volumeDevices/publish/pvc-1/uid"
ON_NVME0 = addresses("0000:01:00.0")


def machine() -> Machine:
    """Root on a SATA disk, and two NVMe disks."""
    built = Machine()
    built.device("sda", SATA, "8:0")
    built.device("nvme0n1", NVME0, "259:0")
    built.device("nvme1n1", NVME1, "259:1")
    built.mounted("8:0 / / ext4 /dev/sda", "0:6 / /dev devtmpfs udev")
    return built


def loop(built: Machine, path: str, *, number: int = 0) -> None:
    at = built.device(f"loop{number}", "virtual/block", f"7:{number}")
    built.files[f"{at}/loop/backing_file"] = f"{path}\n"


def look(built: Machine, root: Path) -> Storage:
    seen = reader(built.plant(root))
    storage = probe(seen)
    assert seen.problems == []
    return storage


def on(storage: Storage) -> dict[str, Carriers]:
    return {use.what: use.carriers for use in storage.uses if use.what != "/"}


def below(name: str) -> Carriers:
    return carriers("0000:01:00.0", chain=f"{name} nvme0n1".strip(), bridges="0000:00:01.0")


@pytest.mark.parametrize("path", ["/dev/nvme0n1", "/dev/nvme0n1 (deleted)", "/host/dev/nvme0n1", VOLUME])
def test_a_loop_over_a_device_node_is_on_the_device(tmp_path: Path, path: str) -> None:
    built = machine()
    loop(built, path)
    built.mounted("0:6 / /host/dev devtmpfs udev")
    if path == VOLUME:
        built.mounted(f"0:6 /nvme0n1 {VOLUME} devtmpfs udev")
    storage = look(built, tmp_path)
    assert on(storage)["loop0"] == below("loop0")
    assert [(disk.name, disk.in_use) for disk in storage.disks] == [
        ("nvme0n1", True),
        ("nvme1n1", False),
        ("sda", True),
    ]


def test_a_node_mounted_by_itself_is_a_raw_volume_of_a_pod(tmp_path: Path) -> None:
    built = machine()
    built.mounted(f"0:6 /nvme0n1 {VOLUME} devtmpfs udev", "0:6 /null /run/x devtmpfs udev")
    assert on(look(built, tmp_path)) == {VOLUME: below("")}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/dev/xvdq", "/dev/xvdq is no device that sysfs knows"),
        ("/host/dev/xvdq", "/host/dev/xvdq is no device that sysfs knows"),
        (VOLUME, f"{VOLUME} is a device node that is mounted in another namespace"),
    ],
)
def test_a_loop_over_a_node_that_leads_nowhere_is_lost(tmp_path: Path, path: str, why: str) -> None:
    built = machine()
    loop(built, path)
    built.mounted("0:6 / /host/dev devtmpfs udev")
    assert on(look(built, tmp_path)) == {"loop0": carriers(chain="loop0", unresolved=(why,))}


def test_swap_and_dm_on_a_loop_over_a_disk(tmp_path: Path) -> None:
    built = machine()
    loop(built, "/dev/nvme0n1", number=1)
    loop(built, "/dev/nvme1n1", number=2)
    built.virtual("dm-0", "253:0", "loop2")
    built.mounted("253:0 / /mnt/x ext4 /dev/mapper/x")
    built.swapping("/dev/loop1")
    found = on(look(built, tmp_path))
    assert found["swap"] == below("loop1")
    assert (found["/mnt/x"].chain, found["/mnt/x"].functions) == (
        ("dm-0", "loop2", "nvme1n1"),
        addresses("0000:02:00.0"),
    )


@pytest.mark.parametrize("path", ["/var/images/disk.img", "/tmp/x.img"])
def test_a_loop_over_a_file_takes_no_other_disk(tmp_path: Path, path: str) -> None:
    built = machine()
    loop(built, path)
    built.mounted("0:30 / /tmp tmpfs tmpfs", "7:0 / /mnt ext4 /dev/loop0")
    built.files["tmp/x.img"] = ""
    storage = look(built, tmp_path)
    assert list(carried(storage)) == list(addresses("0000:00:1f.2"))


def test_the_backing_device_of_zram(tmp_path: Path) -> None:
    built = machine()
    at = built.device("zram0", "virtual/block", "252:0")
    built.files[f"{at}/backing_dev"] = "/dev/nvme0n1\n"
    other = built.device("zram1", "virtual/block", "252:1")
    built.files[f"{other}/backing_dev"] = "none\n"
    built.swapping("/dev/zram0", "/dev/zram1")
    uses = [(use.what, use.source, use.carriers.functions) for use in look(built, tmp_path).uses if use.what != "/"]
    assert uses == [("swap", "/dev/zram0", ON_NVME0), ("swap", "/dev/zram1", ()), ("zram0", "/dev/nvme0n1", ON_NVME0)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        # The file system that the swap file is on is not mounted any more, or something else is mounted above it.
        ("swap0 file 259:0\n", carriers("0000:01:00.0", chain="nvme0n1", bridges="0000:00:01.0")),
        ("swap0 node 259:0\n", carriers("0000:01:00.0", chain="nvme0n1", bridges="0000:00:01.0")),
        ("swap0 file 8:0\n", carriers("0000:00:1f.2", chain="sda")),
        ("swap0 none 0:0\n", carriers(unresolved=("/swap.img is not there any more",))),
        ("swap0 file 0:77\n", carriers(unresolved=("/swap.img: its file system 0:77 is mounted nowhere",))),
        ("", carriers("0000:00:1f.2", chain="sda")),
    ],
)
def test_a_swap_file_is_where_it_was_opened(tmp_path: Path, seen: str, expected: Carriers) -> None:
    built = machine()
    built.swapping("/swap.img")
    built.files["backing.txt"] = seen
    assert on(look(built, tmp_path)) == {"swap": expected}


@pytest.mark.parametrize(
    ("swaps", "meminfo", "known"),
    [
        (None, "MemTotal: 1 kB\n", False),
        (None, "MemTotal: 1 kB\nSwapTotal: 5 kB\n", False),
        (None, "MemTotal: 1 kB\nSwapTotal:       0 kB\n", True),
        ("Filename Type\n", "MemTotal: 1 kB\nSwapTotal: 5 kB\n", True),
        ("Filename Type\nnonsense\n", "", False),
    ],
)
def test_whether_all_swap_is_known(tmp_path: Path, swaps: str | None, meminfo: str, *, known: bool) -> None:
    built = machine()
    built.files["proc/meminfo"] = meminfo
    del built.files["proc/swaps"]
    if swaps is not None:
        built.files["proc/swaps"] = swaps
    assert probe(reader(built.plant(tmp_path))).swaps_known is known


def test_journals_logs_and_caches_on_devices_of_their_own(tmp_path: Path) -> None:
    built = machine()
    built.partition("nvme0n1", "nvme0n1p1", "259:2")
    built.device("dm-3", "virtual/block", "253:3")
    built.files |= {
        "proc/fs/jbd2/sda-8/info": "",
        "proc/fs/jbd2/nvme0n1p1/info": "",
        "proc/fs/jbd2/dm-3-8/info": "",
        "sys/fs/bcache/register": "",
    }
    built.files["sys/devices/" + NVME1 + "/nvme1n1/bcache/state"] = "clean\n"
    built.device("sdb", SATA, "8:16")
    built.files["proc/1/mountinfo"] += "36 35 8:16 / /data rw - xfs /dev/sdb rw,logdev=/dev/nvme1n1\n"
    found = on(look(built, tmp_path))
    assert found["journal nvme0n1p1"] == below("nvme0n1p1")
    assert found["bcache nvme1n1"].functions == addresses("0000:02:00.0")
    assert found["/data"].chain == ("sdb", "nvme1n1")
    assert set(found) == {"/data", "journal nvme0n1p1", "bcache nvme1n1"}


@pytest.mark.parametrize("name", ["mdisk0", "ramdisk0", "loopback0", "zdisk", "nbdx1"])
def test_a_name_that_begins_like_a_drivers_is_a_disk(tmp_path: Path, name: str) -> None:
    built = machine()
    built.device(name, NVME1 + "/other", "260:0")
    built.mounted(f"260:0 / /srv ext4 /dev/{name}")
    storage = look(built, tmp_path)
    assert name in [disk.name for disk in storage.disks]
    assert on(storage)["/srv"].functions == addresses("0000:02:00.0")


@pytest.mark.parametrize("name", ["md0", "md_backup", "dm-3", "loop7", "ram0", "zram0", "nbd0", "bcache1", "loop0p1"])
def test_names_that_drivers_give_are_no_disks(tmp_path: Path, name: str) -> None:
    built = machine()
    built.device(name, "virtual/block", "260:0")
    assert name not in [disk.name for disk in look(built, tmp_path).disks]


def test_what_is_mounted_in_another_namespace(tmp_path: Path) -> None:
    built = machine()
    line = "0 0 259:0 / /data rw - ext4 /dev/nvme0n1 rw\n"
    built.files["proc/namespaces/mountinfo"] = line + f"0 0 0:6 /nvme1n1 {VOLUME} rw - devtmpfs udev rw\n"
    storage = look(built, tmp_path)
    assert [(use.what, use.place) for use in storage.uses[1:]] == [
        ("/data", "proc/namespaces/mountinfo"),
        (VOLUME, "proc/namespaces/mountinfo"),
    ]
    assert carried(storage).keys() == {*addresses("0000:00:1f.2", "0000:01:00.0", "0000:02:00.0")}
    assert storage.namespaces_known is True
    built.files["proc/namespaces/mountinfo"] += "0 0 0:0 / /proc rw - more none rw\n"
    assert look(built, tmp_path / "many").namespaces_known is False


def test_a_disk_that_a_process_has_open(tmp_path: Path) -> None:
    built = machine()
    built.virtual("dm-0", "253:0", "nvme1n1")
    built.files["holders.json"] = (
        '[["/dev/nvme0n1", "qemu-kvm"], ["/dev/dm-0", "ceph-osd"], ["/dev/vfio/3", "qemu-kvm"]]\n'
    )
    disks = look(built, tmp_path).disks
    assert [(disk.name, disk.held_open, disk.in_use) for disk in disks] == [
        ("nvme0n1", ("qemu-kvm",), True),
        ("nvme1n1", ("ceph-osd",), True),
        ("sda", (), True),
    ]


def test_what_nobody_looked_at_is_said(tmp_path: Path) -> None:
    built = machine()
    assert [clause.partition(";")[0] for clause in unseen(look(built, tmp_path))] == [
        "what is mounted in other mount namespaces",
        "which processes have disks open",
    ]
    built.files |= {"holders.json": "[]\n", "proc/namespaces/mountinfo": ""}
    assert list(unseen(look(built, tmp_path / "all"))) == []


def test_a_capture_says_the_same(tmp_path: Path) -> None:
    built = machine()
    loop(built, "/dev/nvme0n1")
    built.swapping("/swap.img")
    built.files |= {
        "backing.txt": "loop0 node 259:0\nswap0 file 8:0\n",
        "holders.json": '[["/dev/nvme1n1", "qemu-kvm"]]\n',
        "proc/namespaces/mountinfo": "0 0 259:0 / /data rw - ext4 /dev/nvme0n1 rw\n",
        "proc/fs/jbd2/nvme1n1/info": "",
    }
    before, after = before_and_after(probe, built.plant(tmp_path / "root"), tmp_path / "capture.tar.gz")
    assert after == before
    assert len(before[0].uses) == 5
