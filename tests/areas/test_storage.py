from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hostagent.area import LabelOptions
from hostagent.areas.storage import Storage, StorageUse, labels, probe, protected, samples
from hostagent.host import Host, Problem
from hostagent.host.disks import Disk
from hostagent.host.hardware import Carriers
from hostagent.host.problem import MALFORMED
from hostagent.values.pci import PciAddress
from tests.areas.blocks import NVME0, NVME1, SATA, Machine, addresses, carriers, multipath_nvme
from tests.areas.captured import before_and_after
from tests.plant import reader, unreadable

GIB = 1 << 30


def look(machine: Machine, root: Path) -> Storage:
    """The survey of a planted machine that must go without problems."""
    seen = reader(machine.plant(root))
    storage = probe(seen)
    assert seen.problems == []
    return storage


def carried(storage: Storage) -> dict[str, Carriers]:
    return {use.what: use.carriers for use in storage.uses}


def test_partitions_of_a_sata_disk(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sda", SATA, "8:0")
    for number in (1, 2):
        machine.partition("sda", f"sda{number}", f"8:{number}")
    machine.mounted(
        "8:2 / / ext4 /dev/sda2", "8:1 / /boot vfat /dev/sda1", "0:5 / /dev devtmpfs udev", "0:22 / /sys sysfs sysfs"
    )
    assert look(machine, tmp_path) == Storage(
        mounts_known=True,
        swaps_known=True,
        namespaces_known=None,
        uses=(
            StorageUse(
                what="/",
                kind="root",
                filesystem="ext4",
                source="/dev/sda2",
                device="8:2",
                carriers=carriers("0000:00:1f.2", chain="sda2 sda"),
                place="proc/1/mountinfo",
            ),
            StorageUse(
                what="/boot",
                kind="boot",
                filesystem="vfat",
                source="/dev/sda1",
                device="8:1",
                carriers=carriers("0000:00:1f.2", chain="sda1 sda"),
                place="proc/1/mountinfo",
            ),
        ),
        disks=(
            Disk(
                name="sda",
                device="8:0",
                size=GIB,
                functions=addresses("0000:00:1f.2"),
                bridges=(),
                network=False,
                in_use=True,
                held_by=(),
                uses=("/", "/boot"),
                held_open=None,
            ),
        ),
    )


def lvm_on_md_on_multipath() -> Machine:
    machine = Machine()
    multipath_nvme(machine)
    machine.partition("nvme0n1", "nvme0n1p3", "259:3")
    machine.device("sda", SATA, "8:0")
    machine.partition("sda", "sda3", "8:3")
    machine.virtual("md127", "9:127", "nvme0n1p3", "sda3")
    machine.virtual("dm-0", "253:0", "md127")
    machine.mounted("253:0 / / xfs /dev/mapper/people-root")
    machine.virtual("dm-1", "253:1", "md127")
    machine.swapping("/dev/dm-1")
    return machine


def test_lvm_on_md_on_nvme_multipath(tmp_path: Path) -> None:
    storage = look(lvm_on_md_on_multipath(), tmp_path)
    down = "md127 nvme0n1p3 nvme0n1 sda3 sda"
    functions, bridges = ("0000:00:1f.2", "0000:01:00.0", "0000:02:00.0"), "0000:00:01.0 0000:00:02.0"
    assert storage.uses == (
        StorageUse(
            what="/",
            kind="root",
            filesystem="xfs",
            source="/dev/mapper/people-root",
            device="253:0",
            carriers=carriers(*functions, chain=f"dm-0 {down}", bridges=bridges),
            place="proc/1/mountinfo",
        ),
        StorageUse(
            what="swap",
            kind="swap",
            filesystem=None,
            source="/dev/dm-1",
            device=None,
            carriers=carriers(*functions, chain=f"dm-1 {down}", bridges=bridges),
            place="proc/swaps",
        ),
    )
    assert [(disk.name, disk.functions, disk.in_use, disk.held_by, disk.uses) for disk in storage.disks] == [
        ("nvme0n1", addresses("0000:01:00.0", "0000:02:00.0"), True, ("md127",), ("/", "swap")),
        ("sda", addresses("0000:00:1f.2"), True, ("md127",), ("/", "swap")),
    ]
    assert protected(storage) == {
        PciAddress("0000:00:1f.2"): ("/", "swap", "sda"),
        PciAddress("0000:01:00.0"): ("/", "swap", "nvme0n1"),
        PciAddress("0000:02:00.0"): ("/", "swap", "nvme0n1"),
    }


def test_btrfs_without_its_list_is_unresolved_beyond_its_source(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme0n1", NVME0, "259:0")
    machine.device("sda", SATA, "8:0")
    machine.mounted("0:35 / / btrfs /dev/nvme0n1")
    storage = look(machine, tmp_path)
    assert carried(storage) == {
        "/": carriers(
            "0000:01:00.0",
            chain="nvme0n1",
            bridges="0000:00:01.0",
            unresolved=("btrfs: sysfs does not list its members",),
        )
    }
    # Any disk may be another member.
    assert protected(storage) == {
        PciAddress("0000:00:1f.2"): ("perhaps /",),
        PciAddress("0000:01:00.0"): ("/", "nvme0n1", "perhaps /"),
    }


def test_an_ostree_root_stands_on_sysroot(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme0n1", NVME0, "259:0")
    for number in (2, 3, 4):
        machine.partition("nvme0n1", f"nvme0n1p{number}", f"259:{number}")
    machine.device("sda", SATA, "8:0")
    machine.mounted(
        "0:30 / / overlay composefs",
        "259:4 / /sysroot xfs /dev/nvme0n1p4",
        "259:4 /ostree/deploy/rhcos/deploy/1/etc /etc xfs /dev/nvme0n1p4",
        "259:4 /ostree/deploy/rhcos/var /var xfs /dev/nvme0n1p4",
        "259:3 / /boot ext4 /dev/nvme0n1p3",
        "8:0 / /data xfs /dev/sda",
        "0:51 / /var/lib/containers/storage/overlay/1/merged overlay overlay",
        "259:4 / /var/lib/kubelet/pods/1/volumes/x xfs /dev/nvme0n1p4",
    )
    storage = look(machine, tmp_path)
    root = carriers("0000:01:00.0", chain="nvme0n1p4 nvme0n1", bridges="0000:00:01.0")
    boot = carriers("0000:01:00.0", chain="nvme0n1p3 nvme0n1", bridges="0000:00:01.0")
    assert carried(storage) == {
        "/": root,
        "/boot": boot,
        "/data": carriers("0000:00:1f.2", chain="sda"),
        "/etc": root,
        "/sysroot": root,
        "/var": root,
    }
    assert [(use.what, use.kind, use.device) for use in storage.uses] == [
        ("/", "root", None),
        ("/boot", "boot", "259:3"),
        ("/data", "other", "8:0"),
        ("/etc", "system", "259:4"),
        ("/sysroot", "root", "259:4"),
        ("/var", "system", "259:4"),
    ]


def test_a_live_root_may_stand_on_anything_mounted_and_on_loops(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sr0", "pci0000:00/0000:00:1f.2/ata2/host1/target1:0:0/1:0:0:0/block", "11:0")
    loop = machine.device("loop0", "virtual/block", "7:0")
    machine.files[f"{loop}/loop/backing_file"] = "/run/initramfs/live/squashfs.img\n"
    machine.mounted(
        "0:30 / / overlay LiveOS_rootfs", "0:25 / /run tmpfs tmpfs", "11:0 / /run/initramfs/live iso9660 /dev/sr0"
    )
    storage = look(machine, tmp_path)
    assert carried(storage) == {
        "/": carriers("0000:00:1f.2", chain="sr0 loop0"),
        "/run/initramfs/live": carriers("0000:00:1f.2", chain="sr0"),
    }


def test_images_mounted_from_files_are_not_listed_but_followed_for_swap(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sda", SATA, "8:0")
    loop = machine.device("loop3", "virtual/block", "7:3")
    machine.files[f"{loop}/loop/backing_file"] = "/var/lib/snapd/snaps/core_1.snap\n"
    machine.mounted("8:0 / / ext4 /dev/sda", "7:3 / /snap/core/1 squashfs /dev/loop3")
    machine.swapping("/swap\\040file", "/dev/zram0", "/dev/sdb1\\040(deleted)")
    machine.device("zram0", "virtual/block", "252:0")
    storage = look(machine, tmp_path)
    assert [(use.what, use.source, use.carriers) for use in storage.uses] == [
        ("/", "/dev/sda", carriers("0000:00:1f.2", chain="sda")),
        ("swap", "/dev/sdb1", carriers(unresolved=("/dev/sdb1 is no device that sysfs knows",))),
        ("swap", "/dev/zram0", carriers(chain="zram0")),
        ("swap", "/swap file", carriers("0000:00:1f.2", chain="sda")),
    ]


def test_zfs_says_that_nothing_says_where_it_is(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme0n1", NVME0, "259:0")
    machine.device("sda", SATA, "8:0")
    machine.mounted("0:25 / / zfs rpool/ROOT/pve-1", "0:26 / /rpool zfs rpool", "0:27 / /rpool/data zfs rpool/data")
    machine.files |= {"proc/spl/kstat/zfs/rpool/state": "ONLINE\n", "proc/spl/kstat/zfs/arcstats": "1\n"}
    storage = look(machine, tmp_path)
    lost = carriers(unresolved=("zfs: sysfs does not say which devices a pool has",))
    assert [(use.what, use.source, use.carriers) for use in storage.uses] == [
        ("/", "rpool/ROOT/pve-1", lost),
        ("/rpool", "rpool", lost),
        ("/rpool/data", "rpool/data", lost),
        ("zpool", "rpool", lost),
    ]
    perhaps = ("perhaps /", "perhaps /rpool", "perhaps /rpool/data", "perhaps zpool")
    assert protected(storage) == {PciAddress("0000:00:1f.2"): perhaps, PciAddress("0000:01:00.0"): perhaps}


def test_a_root_in_memory_stands_on_nothing(tmp_path: Path) -> None:
    machine = Machine()
    machine.mounted("0:2 / / rootfs rootfs", "0:30 / /usr overlay none")
    assert look(machine, tmp_path) == Storage(
        mounts_known=True,
        swaps_known=True,
        namespaces_known=None,
        uses=(
            StorageUse(
                what="/usr",
                kind="system",
                filesystem="overlay",
                source="none",
                device=None,
                carriers=carriers(),
                place="proc/1/mountinfo",
            ),
        ),
        disks=(),
    )


def test_directories_without_links_as_exporters_write_them(tmp_path: Path) -> None:
    machine = Machine()
    machine.files |= {
        "sys/block/sda/size": "10\n",
        "sys/block/sda/sda1/partition": "1\n",
        "sys/block/md0/md/dev-sda1/state": "in_sync\n",
        "sys/block/dm-0/dm/name": "vg-root\n",
        "proc/mounts": "rootfs / rootfs rw 0 0\n/dev/mapper/vg-root / ext4 rw 0 0\n/dev/md0 /boot ext4 rw 0 0\n",
    }
    machine.links |= {
        "sys/block/sda/device": "../../devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0",
        "sys/block/dm-0/slaves/sda": "../../sda",
    }
    storage = look(machine, tmp_path)
    assert carried(storage) == {
        "/": carriers("0000:00:1f.2", chain="dm-0 sda"),
        "/boot": carriers("0000:00:1f.2", chain="md0 sda1 sda"),
    }
    assert [(use.source, use.device) for use in storage.uses] == [("/dev/mapper/vg-root", None), ("/dev/md0", None)]
    assert [(disk.name, disk.size, disk.in_use, disk.uses) for disk in storage.disks] == [
        ("sda", 5120, True, ("/", "/boot"))
    ]


def test_an_unused_disk_is_not_protected_unless_nothing_is_known(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme10n1", NVME1, "259:1")
    machine.device("nvme2n1", NVME0, "259:0")
    machine.mounted("0:22 / /sys sysfs sysfs")
    known = look(machine, tmp_path / "known")
    assert [(disk.name, disk.in_use) for disk in known.disks] == [("nvme2n1", False), ("nvme10n1", False)]
    assert protected(known) == {}
    del machine.files["proc/1/mountinfo"]
    unknown = look(machine, tmp_path / "unknown")
    assert unknown.mounts_known is False
    assert protected(unknown) == {
        PciAddress("0000:01:00.0"): ("perhaps /",),
        PciAddress("0000:02:00.0"): ("perhaps /",),
    }


def test_a_held_disk_is_in_use_though_nothing_is_mounted(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sda", SATA, "8:0")
    machine.partition("sda", "sda1", "8:1")
    machine.virtual("dm-0", "253:0", "sda1")
    machine.mounted("0:22 / /sys sysfs sysfs")
    storage = look(machine, tmp_path)
    assert [(disk.in_use, disk.held_by, disk.uses) for disk in storage.disks] == [(True, ("dm-0",), ())]
    assert protected(storage) == {PciAddress("0000:00:1f.2"): ("sda",)}


def test_volumes_of_pods_are_listed_once_a_device(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sda", SATA, "8:0")
    machine.device("sdb", SATA.replace("1f.2", "1f.5"), "8:16")
    machine.mounted(
        "8:0 / / ext4 /dev/sda",
        "8:0 /var/lib/kubelet /var/lib/kubelet ext4 /dev/sda",
        "8:16 / /var/lib/kubelet/pods/b/volumes/pvc xfs /dev/sdb",
        "8:16 / /var/lib/kubelet/plugins/a/globalmount xfs /dev/sdb",
        "8:16 / /mnt/again xfs /dev/sdb",
        "8:0 / /mnt/bind ext4 /dev/sda",
    )
    assert [(use.what, use.kind) for use in look(machine, tmp_path).uses] == [
        ("/", "root"),
        ("/mnt/again", "other"),
        ("/var/lib/kubelet/plugins/a/globalmount", "kubelet"),
    ]


def test_our_own_mounts_where_process_1_is_hidden_and_unreadable_tables(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sda", SATA, "8:0")
    machine.mounted("8:0 / / ext4 /dev/sda", place="proc/self/mountinfo")
    root = machine.plant(tmp_path)
    unreadable(root, "proc/1/mountinfo")
    seen = reader(root)
    assert carried(probe(seen)) == {"/": carriers("0000:00:1f.2", chain="sda")}
    assert [problem.path for problem in seen.problems] == ["proc/1/mountinfo"]


def test_lines_that_are_none(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sda", SATA, "8:0")
    machine.mounted("8:0 / / ext4 /dev/sda", "8-0 / /x ext4 /dev/sdb")
    machine.files["proc/swaps"] = "Filename Type Size Used Priority\nnonsense partition 1 0 -2\n"
    seen = reader(machine.plant(tmp_path))
    assert list(carried(probe(seen))) == ["/"]
    assert seen.problems == [
        Problem(
            path="proc/1/mountinfo",
            kind=MALFORMED,
            detail="expected a mount, saw '36 35 8-0 / /x rw,relatime shared:1 - ext4 /dev/sdb rw'",
        ),
        Problem(path="proc/swaps", kind=MALFORMED, detail="expected a path, saw 'nonsense partition 1 0 -2'"),
    ]


def test_samples_count_and_there_are_no_labels(tmp_path: Path) -> None:
    storage = look(lvm_on_md_on_multipath(), tmp_path)
    assert [(sample.metric.name, sample.labels, sample.value) for sample in samples(storage)] == [
        ("hostagent_storage_protected_functions", (), 3),
        ("hostagent_storage_unresolved_uses", (), 0),
        ("hostagent_storage_disks", (), 2),
        ("hostagent_storage_disks_in_use", (), 2),
    ]
    assert list(labels(storage, LabelOptions(pci_classes=(), cpu_features=()))) == []


def hidden_names() -> Machine:
    """Everything whose name a capture hides: LUKS below btrfs, a server, a share, a pool."""
    machine = Machine()
    for number, name in enumerate(("sda", "sdb")):
        machine.device(name, SATA.replace("1f.2", f"1f.{number}"), f"8:{16 * number}")
    machine.virtual("dm-0", "253:0", "sda")
    machine.virtual("dm-1", "253:1", "sdb")
    machine.links["sys/fs/btrfs/6c2f/devices/dm-0"] = "../../../../devices/virtual/block/dm-0"
    machine.links["sys/fs/btrfs/7d30/devices/dm-1"] = "../../../../devices/virtual/block/dm-1"
    machine.files["sys/devices/virtual/block/dm-0/dm/name"] = "luks-people\n"
    machine.mounted(
        "0:35 / / btrfs /dev/mapper/luks-people",
        "0:36 / /mnt nfs4 192.0.2.1:/srv",
        "0:37 / /srv 9p people@share",
        "0:38 / /tank zfs tank/people",
        "0:39 / /usr overlay none",
    )
    machine.files["proc/spl/kstat/zfs/tank/state"] = "ONLINE\n"
    return machine


@pytest.mark.parametrize("machine", [lvm_on_md_on_multipath, hidden_names])
def test_a_capture_says_the_same(tmp_path: Path, machine: Callable[[], Machine]) -> None:
    before, after = before_and_after(probe, machine().plant(tmp_path / "root"), tmp_path / "capture.tar.gz")
    assert after == before
    assert before[0].uses
    packed = gzip.decompress((tmp_path / "capture.tar.gz").read_bytes())
    assert [word for word in (b"people", b"192.0.2.1") if word in packed] == []


def test_two_servers_are_two_uses(tmp_path: Path) -> None:
    machine = Machine()
    machine.mounted("0:40 / / nfs4 192.0.2.1:/srv/root", "0:41 / /mnt cifs //server/share")
    assert [(use.what, use.source, use.carriers) for use in look(machine, tmp_path).uses] == [
        ("/", "192.0.2.1:/srv/root", carriers(network=True)),
        ("/mnt", "//server/share", carriers(network=True)),
    ]


def test_every_disk_partition_psutil_lists_carries_something() -> None:
    seen = Host().reader()
    carrying = {name for use in probe(seen).uses for name in use.carriers.chain}
    listed = {os.path.realpath(part.device).removeprefix("/dev/") for part in psutil.disk_partitions()}
    assert {name for name in listed if not name.startswith("loop")} <= carrying


def test_a_disk_is_held_by_what_says_that_it_is_made_of_it(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme0n1", NVME0, "259:0")
    machine.device("nvme1n1", NVME1, "259:1")
    machine.partition("nvme1n1", "nvme1n1p1", "259:2")
    array = machine.device("md127", "virtual/block", "9:127")
    machine.files[f"{array}/md/dev-nvme0n1/state"] = "in_sync\n"
    mapped = machine.device("dm-0", "virtual/block", "253:0")
    machine.links[f"{mapped}/slaves/nvme1n1p1"] = "../../../../nvme1n1p1"
    found = probe(reader(machine.plant(tmp_path))).disks
    assert [(disk.name, disk.in_use, disk.held_by) for disk in found] == [
        ("nvme0n1", True, ("md127",)),
        ("nvme1n1", True, ("dm-0",)),
    ]
