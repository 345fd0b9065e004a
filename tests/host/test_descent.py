from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.host.descent import Descent
from hostagent.host.filesystems import is_storage
from hostagent.host.hardware import Carriers
from hostagent.host.mounts import mounts
from tests.areas.blocks import NVME0, NVME1, SATA, Machine, addresses, carriers
from tests.plant import reader


def walked(machine: Machine, root: Path) -> dict[str, Carriers]:
    """What each mount of a planted machine stands on; reading it must go without problems."""
    seen = reader(machine.plant(root))
    found = {}
    for mount in mounts(seen):
        if is_storage(mount):
            descent = Descent(seen, mounts(seen))
            descent.mount(mount)
            found[mount.point] = descent.carriers()
    assert seen.problems == []
    return found


def test_dm_multipath_stands_on_all_its_paths(tmp_path: Path) -> None:
    machine = Machine()
    for number, function in enumerate(("0000:05:00.0", "0000:06:00.0")):
        place = f"pci0000:00/{function}/host{number}/rport-{number}:0-0/target{number}:0:0/{number}:0:0:0/block"
        machine.device(f"sd{'ab'[number]}", place, f"8:{16 * number}")
    machine.virtual("dm-0", "253:0", "sda", "sdb")
    machine.virtual("dm-1", "253:1", "dm-0")  # a partition of the map, as kpartx makes it
    machine.mounted("253:1 / / xfs /dev/mapper/mpatha1")
    assert walked(machine, tmp_path) == {"/": carriers("0000:05:00.0", "0000:06:00.0", chain="dm-1 dm-0 sda sdb")}


def test_layers_without_end_are_unresolved(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sda", "pci0000:00/0000:05:00.0/ata1/host0/target0:0:0/0:0:0:0/block", "8:0")
    for number in range(1200):
        machine.virtual(f"dm-{number}", f"253:{number}", f"dm-{number - 1}" if number else "sda")
    machine.mounted("253:1199 / / xfs /dev/mapper/top")
    found = walked(machine, tmp_path)["/"]
    assert found.unresolved == ("dm-1135 stands on more than 64 devices above each other",)


def btrfs(machine: Machine, uuid: str, *members: str) -> None:
    for member in members:
        target = machine.links[f"sys/class/block/{member}"].replace("../../", "../../../../")
        machine.links[f"sys/fs/btrfs/{uuid}/devices/{member}"] = target
    machine.files["sys/fs/btrfs/features/raid56"] = "0\n"


def two_btrfs() -> Machine:
    machine = Machine()
    machine.device("nvme0n1", NVME0, "259:0")
    machine.device("nvme1n1", NVME1, "259:1")
    machine.device("sda", SATA, "8:0")
    machine.virtual("dm-0", "253:0", "sda")
    btrfs(machine, "6c2f-a", "nvme0n1", "nvme1n1")
    btrfs(machine, "6c2f-b", "dm-0")
    return machine


def test_btrfs_stands_on_all_members(tmp_path: Path) -> None:
    machine = two_btrfs()
    machine.mounted("0:35 /root / btrfs /dev/nvme1n1", "0:35 /var /var btrfs /dev/nvme1n1")
    both = carriers("0000:01:00.0", "0000:02:00.0", chain="nvme0n1 nvme1n1", bridges="0000:00:01.0 0000:00:02.0")
    assert walked(machine, tmp_path) == {"/": both, "/var": both}


def test_btrfs_whose_source_is_hidden_may_be_any(tmp_path: Path) -> None:
    machine = two_btrfs()
    machine.mounted("0:35 /root / btrfs /dev/mapper/luks-1")
    root = walked(machine, tmp_path)["/"]
    assert (root.functions, root.unresolved) == (addresses("0000:00:1f.2", "0000:01:00.0", "0000:02:00.0"), ())


def test_bcachefs_stands_on_all_members(tmp_path: Path) -> None:
    machine = two_btrfs()
    for number, name in enumerate(("nvme0n1", "nvme1n1")):
        machine.links[f"sys/fs/bcachefs/0e3a/dev-{number}/block"] = f"../../../../class/block/{name}"
    machine.mounted("0:35 / / bcachefs /dev/nvme0n1:/dev/nvme1n1", "8:0 / /data ext4 /dev/sda")
    assert walked(machine, tmp_path)["/"].functions == addresses("0000:01:00.0", "0000:02:00.0")


def test_a_loop_whose_file_system_has_gone_is_unresolved(tmp_path: Path) -> None:
    machine = Machine()
    loop = machine.device("loop0", "virtual/block", "7:0")
    machine.files[f"{loop}/loop/backing_file"] = "/run/initramfs/live/squashfs.img (deleted)\n"
    machine.mounted("7:0 / / squashfs /dev/loop0", "0:25 / /run tmpfs tmpfs")
    lost = ("/run/initramfs/live/squashfs.img is not there any more",)
    assert walked(machine, tmp_path) == {"/": carriers(chain="loop0", unresolved=lost)}


def test_a_loop_on_a_file_in_memory_has_no_hardware_to_lose(tmp_path: Path) -> None:
    machine = Machine()
    loop = machine.device("loop0", "virtual/block", "7:0")
    machine.files |= {f"{loop}/loop/backing_file": "/run/toram.img\n", "run/toram.img": ""}
    machine.mounted("7:0 / / squashfs /dev/loop0", "0:25 / /run tmpfs tmpfs")
    assert walked(machine, tmp_path) == {"/": carriers(chain="loop0")}


def test_a_loop_on_its_own_file_system_is_unresolved(tmp_path: Path) -> None:
    machine = Machine()
    loop = machine.device("loop0", "virtual/block", "7:0")
    machine.files[f"{loop}/loop/backing_file"] = "/root.img\n"
    machine.mounted("7:0 / / ext4 /dev/loop0")
    assert walked(machine, tmp_path) == {"/": carriers(chain="loop0", unresolved=("/ stands on a file of its own",))}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("mmcblk0", "platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block"),
        ("vda", "platform/a003e00.virtio_mmio/virtio3/block"),
        ("dasda", "css0/0.0.0005/0.0.0120/block"),
        ("pmem0", "LNXSYSTM:00/LNXSYBUS:00/ACPI0012:00/ndbus0/region0/namespace0.0/block"),
    ],
)
def test_disks_that_are_not_on_pci(tmp_path: Path, name: str, place: str) -> None:
    machine = Machine()
    machine.device(name, place, "179:0")
    machine.mounted(f"179:0 / / ext4 /dev/{name}")
    assert walked(machine, tmp_path) == {"/": carriers(chain=name)}


def test_vmd_and_vf_bring_the_controller_and_the_physical_function(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme0n1", "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0", "259:0")
    machine.device("nvme1n1", "pci0000:00/0000:00:03.0/0000:03:00.4/nvme/nvme1", "259:1")
    machine.links["sys/bus/pci/devices/0000:03:00.4"] = "../../../devices/pci0000:00/0000:00:03.0/0000:03:00.4"
    machine.links["sys/devices/pci0000:00/0000:00:03.0/0000:03:00.4/physfn"] = "../0000:03:00.0"
    machine.mounted("259:0 / / xfs /dev/nvme0n1", "259:1 / /data xfs /dev/nvme1n1")
    assert walked(machine, tmp_path) == {
        "/": carriers("0000:00:0e.0", "10000:e1:00.0", chain="nvme0n1", bridges="10000:e0:06.0"),
        "/data": carriers("0000:03:00.0", "0000:03:00.4", chain="nvme1n1", bridges="0000:00:03.0"),
    }


def test_what_comes_over_the_network(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("sda", "platform/host3/session1/target3:0:0/3:0:0:0/block", "8:0")
    machine.device("nbd0", "virtual/block", "43:0")
    fabrics = "virtual/nvme-fabrics/ctl/nvme4"
    machine.device("nvme4n1", fabrics, "259:9")
    machine.files[f"sys/devices/{fabrics}/transport"] = "tcp\n"
    machine.links["sys/class/nvme/nvme4"] = f"../../devices/{fabrics}"
    machine.mounted(
        "0:40 / / nfs4 192.0.2.1:/srv/root",
        "8:0 / /var xfs /dev/sda",
        "43:0 / /opt xfs /dev/nbd0",
        "259:9 / /srv xfs /dev/nvme4n1",
    )
    assert walked(machine, tmp_path) == {
        "/": carriers(network=True),
        "/opt": carriers(chain="nbd0", network=True),
        "/srv": carriers(
            chain="nvme4n1",
            network=True,
            unresolved=("nvme4: NVMe over tcp, and sysfs does not say through which adapter",),
            suspects=("02",),
        ),
        "/var": carriers(
            chain="sda",
            network=True,
            unresolved=("sda: iSCSI, and sysfs does not say through which adapter",),
            suspects=("02",),
        ),
    }


def test_nvme_over_fibre_channel_and_a_subsystem_without_controllers_are_unresolved(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme4n1", "virtual/nvme-fabrics/ctl/nvme4", "259:9")
    machine.files["sys/class/nvme/nvme4/transport"] = "fc\n"
    machine.device("nvme5n1", "virtual/nvme-subsystem/nvme-subsys5", "259:10")
    machine.mounted("259:9 / /srv xfs /dev/nvme4n1", "259:10 / /var xfs /dev/nvme5n1")
    assert walked(machine, tmp_path) == {
        "/srv": carriers(
            chain="nvme4n1",
            unresolved=("nvme4: NVMe over fc, and sysfs does not say through which adapter",),
            suspects=("0c04",),
        ),
        "/var": carriers(chain="nvme5n1", unresolved=("nvme-subsys5: sysfs lists no controllers of it",)),
    }


def test_a_virtual_machine_with_shared_directories(tmp_path: Path) -> None:
    machine = Machine()
    machine.links["sys/bus/virtio/drivers/virtiofs/virtio4"] = "../../../../devices/pci0000:00/0000:00:06.0/virtio4"
    machine.files |= {
        "sys/devices/pci0000:00/0000:00:06.0/virtio4/status": "7\n",
        "sys/bus/virtio/drivers/virtiofs/bind": "",
    }
    machine.mounted("0:40 / / virtiofs root", "0:41 / /srv 9p share")
    assert walked(machine, tmp_path) == {
        "/": carriers("0000:00:06.0"),
        "/srv": carriers(unresolved=("9p: sysfs does not say which device serves it",)),
    }


def test_devices_that_nothing_explains(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("drbd0", "virtual/block", "147:0")
    machine.mounted(
        "147:0 / /srv xfs /dev/drbd0",
        "8:99 / /opt xfs /dev/mapper/x",
        "0:51 / /home/me/.cache/doc fuse.portal portal",
        "0:52 / /mnt fuse /dev/fuse",
        "0:53 / /usr overlay none",
    )
    assert walked(machine, tmp_path) == {
        "/opt": carriers(unresolved=("/dev/mapper/x is not in sysfs",)),
        "/srv": carriers(chain="drbd0", unresolved=("drbd0: sysfs does not say what it stands on",)),
        "/usr": carriers(
            chain="drbd0",
            unresolved=("drbd0: sysfs does not say what it stands on", "/dev/mapper/x is not in sysfs"),
        ),
    }


def test_an_overlay_root_with_nothing_below_is_unresolved(tmp_path: Path) -> None:
    machine = Machine()
    machine.mounted("0:30 / / overlay none")
    assert walked(machine, tmp_path) == {
        "/": carriers(unresolved=("overlay: its layers are on no mounted filesystem",))
    }


def test_numbers_without_sys_dev(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("nvme0n1", NVME0, "259:0")
    machine.mounted("259:0 / / xfs /dev/root")
    machine.links = {path: target for path, target in machine.links.items() if not path.startswith("sys/dev/")}
    assert walked(machine, tmp_path) == {"/": carriers("0000:01:00.0", chain="nvme0n1", bridges="0000:00:01.0")}


def test_partition_directories_of_sys_class_block(tmp_path: Path) -> None:
    machine = Machine()
    machine.files |= {
        "sys/class/block/mmcblk0p1/partition": "1\n",
        "sys/class/block/mmcblk0p1/dev": "179:1\n",
        "sys/class/block/mmcblk0/dev": "179:0\n",
    }
    machine.mounted("179:1 / / ext4 /dev/root")
    assert walked(machine, tmp_path) == {
        "/": carriers(chain="mmcblk0p1 mmcblk0", unresolved=("mmcblk0: sysfs does not say what it stands on",))
    }


def test_slashes_in_device_names(tmp_path: Path) -> None:
    machine = Machine()
    machine.device("cciss!c0d0", "pci0000:00/0000:04:00.0/cciss0/c0d0/block", "104:0")
    machine.partition("cciss!c0d0", "cciss!c0d0p1", "104:1")
    machine.files["proc/mounts"] = "/dev/cciss/c0d0p1 / ext3 rw 0 0\n"
    assert walked(machine, tmp_path) == {"/": carriers("0000:04:00.0", chain="cciss!c0d0p1 cciss!c0d0")}
