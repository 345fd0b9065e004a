"""What the next boot uses and this one does not: by which file and line, and on which device."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.host.nextboot import Wanted, wanted
from tests.areas.blocks import NVME0, NVME1, Machine
from tests.plant import reader


def machine() -> Machine:
    """Two NVMe disks; the second has an UUID, a label and an ID, and is in use by nobody."""
    built = Machine()
    built.device("nvme0n1", NVME0, "259:0")
    built.device("nvme1n1", NVME1, "259:1")
    built.mounted("259:0 / / ext4 /dev/nvme0n1")
    built.links |= {
        "dev/disk/by-uuid/0a1b": "../../nvme1n1",
        "dev/disk/by-label/my\\x20data": "../../nvme1n1",
        "dev/disk/by-id/scsi-3600a": "../../nvme1n1",
    }
    return built


def look(built: Machine, root: Path) -> tuple[Wanted, ...]:
    seen = reader(built.plant(root))
    found = wanted(seen)
    assert seen.problems == []
    return found


@pytest.mark.parametrize(
    ("path", "text", "line", "what"),
    [
        ("etc/fstab", "# x\nUUID=0a1b /data xfs defaults 0 2\n", 2, "/data"),
        ("etc/fstab", "LABEL=my\\040data\t/data\txfs\n", 1, "/data"),
        ("etc/fstab", "/dev/disk/by-uuid/0a1b none swap sw 0 0\n", 1, "swap"),
        ("etc/fstab", "/dev/nvme1n1 /data xfs rw 0 0\n", 1, "/data"),
        ("etc/crypttab", "\nsecret UUID=0a1b none luks\n", 2, "luks"),
        ("etc/systemd/system/data.mount", "[Mount]\nWhat=/dev/disk/by-uuid/0a1b\nWhere=/data\n", 2, "/data"),
        ("usr/lib/systemd/system/x.swap", "[Swap]\nWhat=/dev/nvme1n1\n", 2, "swap"),
        ("etc/mdadm.conf", "ARRAY /dev/md0 devices=/dev/nvme1n1\n", 1, "md"),
        ("etc/multipath.conf", 'multipaths {\n multipath {\n  wwid "3600a"\n }\n}\n', 3, "multipath"),
    ],
)
def test_a_device_that_the_next_boot_uses(tmp_path: Path, path: str, text: str, line: int, what: str) -> None:
    built = machine()
    built.files[path] = text
    (found,) = look(built, tmp_path)
    assert (found.what, found.place, found.device, found.lost) == (what, f"{path}:{line}", "nvme1n1", None)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/fstab", "UUID=0a1b /data xfs noauto 0 2\nUUID=0a1b /data xfs rw,nofail 0 2\n"),
        ("etc/fstab", "UUID=ffff /usb vfat rw 0 0\n/dev/sdq1 /x ext4 rw 0 0\n"),
        ("etc/fstab", "UUID=0a1b / ext4 rw 0 1\ntmpfs /tmp tmpfs rw 0 0\nserver:/x /srv nfs rw 0 0\n"),
        ("etc/crypttab", "secret UUID=0a1b none luks,nofail\n"),
        ("etc/systemd/system/data.mount", "[Mount]\nWhat=UUID=0a1b\nWhere=/data\nOptions=noauto\n"),
        ("etc/systemd/system/tmp.mount", "[Mount]\nWhat=tmpfs\nWhere=/tmp\n"),
        ("etc/mdadm.conf", "ARRAY <ignore> devices=/dev/nvme1n1\nMAILADDR root\n"),
        ("etc/multipath.conf", "blacklist {\n wwid 3600a\n}\nmultipaths {\n multipath {\n wwid 3600b\n }\n}\n"),
    ],
)
def test_what_the_next_boot_does_without(tmp_path: Path, path: str, text: str) -> None:
    built = machine()
    built.files[path] = text
    assert look(built, tmp_path) == ()


def test_where_udev_made_no_links_the_way_is_lost(tmp_path: Path) -> None:
    built = machine()
    built.links = {path: target for path, target in built.links.items() if not path.startswith("dev/")}
    built.files["etc/fstab"] = "UUID=0a1b /data xfs defaults 0 2\n"
    (found,) = look(built, tmp_path)
    assert (found.device, found.lost) == (None, "etc/fstab:1: UUID=0a1b leads to no device")


def test_an_array_that_does_not_run_may_be_on_any_disk(tmp_path: Path) -> None:
    built = machine()
    built.files["etc/mdadm/mdadm.conf"] = "ARRAY /dev/md0 UUID=1:2:3:4\nARRAY /dev/md1 UUID=1:2:3:5\n"
    built.virtual("md127", "9:127", "nvme0n1")
    (found,) = look(built, tmp_path)
    assert (found.place, found.device) == ("etc/mdadm/mdadm.conf:2", None)
