"""What the next boot uses and this one does not: by which file and line, and on which device."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.host import Host
from hostagent.host.archive import Node
from hostagent.host.nextboot import Wanted, wanted
from tests.areas.blocks import NVME0, NVME1, Machine
from tests.laws.machines import Broken
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
        ("etc/fstab", "UUID=0a1b /data xfs noauto,x-systemd.automount 0 2\n", 1, "/data"),
        ("etc/fstab", "UUID=ffff /data xfs logdev=/dev/nvme1n1 0 2\n", 1, "/data"),
        ("etc/fstab", "UUID=ffff /data ext4 rw,journal_path=/dev/disk/by-uuid/0a1b 0 2\n", 1, "/data"),
        ("etc/crypttab", "secret UUID=ffff /key:UUID=0a1b luks\n", 1, "luks"),
        ("etc/crypttab", "secret UUID=ffff /dev/disk/by-id/scsi-3600a luks,keyfile-size=32\n", 1, "luks"),
        ("etc/crypttab", "secret UUID=ffff none luks,header=/header:UUID=0a1b\n", 1, "luks"),
        ("etc/crypttab", "secret UUID=ffff none header=/dev/nvme1n1,luks\n", 1, "luks"),
        ("etc/veritytab", "usr UUID=ffff UUID=0a1b 0123 auto\n", 1, "verity"),
        ("etc/veritytab", "usr UUID=0a1b UUID=ffff 0123\n", 1, "verity"),
        ("etc/integritytab", "data UUID=0a1b\n", 1, "integrity"),
        ("lib/systemd/system/data.mount", "[Mount]\nWhat=/dev/nvme1n1\nWhere=/data\n", 2, "/data"),
        ("usr/local/lib/systemd/system/data.mount", "[Mount]\nWhat=/dev/nvme1n1\n", 2, "/data"),
        ("etc/systemd/system.control/data.mount", "[Mount]\nWhat=/dev/nvme1n1\nWhere=/data\n", 2, "/data"),
        ("etc/systemd/system.attached/data.mount", "[Mount]\nWhat=/dev/nvme1n1\nWhere=/data\n", 2, "/data"),
        ("etc/systemd/system/data.mount", "[Mount]\nWhat=\\\n  /dev/nvme1n1\nWhere=/data\n", 2, "/data"),
        ("etc/systemd/system/my-d\\x2da.mount.d/x.conf", "[Mount]\nWhat=/dev/nvme1n1\n", 2, "/my/d-a"),
        ("etc/mdadm.conf", "ARRAY /dev/md0 level=1\n  devices=/dev/nvme1n1\n", 1, "md"),
        ("etc/mdadm/mdadm.conf.d/a.conf", "arr /dev/md0 devices=/dev/nvme1n1\n", 1, "md"),
        ("etc/multipath/conf.d/a.conf", "multipaths\n{\n multipath {\n wwid 3600a } }\n", 4, "multipath"),
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
        ("etc/fstab", "UUID=0a1b /data xfs nofail,x-systemd.automount 0 2\n"),
        ("etc/crypttab", "secret UUID=0a1b none luks,nofail\n"),
        ("etc/crypttab", "secret UUID=0a1b /key:UUID=0a1b luks,noauto\n"),
        ("etc/crypttab", "secret UUID=ffff /dev/urandom swap\nother UUID=ffff /key luks\n"),
        ("etc/systemd/system/data.mount.d/x.conf", "[Mount]\nOptions=ro\n"),
        ("etc/systemd/system/data.mount.d/x.txt", "[Mount]\nWhat=/dev/nvme1n1\n"),
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


def test_by_number_two_lines_are_one_of_which_another_array_runs(tmp_path: Path) -> None:
    built = machine()
    lines = "ARRAY /dev/md0 devices=/dev/nvme1n1\nARRAY /dev/md/1 UUID=1:2:3:5\n"
    built.files["etc/mdadm/mdadm.conf"] = lines
    built.virtual("md1", "9:1", "nvme0n1")
    (found,) = look(built, tmp_path)
    assert (found.place, found.device) == ("etc/mdadm/mdadm.conf:1", "nvme1n1")


def test_an_array_runs_under_the_name_that_udev_has_a_link_for(tmp_path: Path) -> None:
    built = machine()
    built.files["etc/mdadm.conf"] = "ARRAY /dev/md/other UUID=1:2:3:4\nARRAY /dev/md/data UUID=1:2:3:5\n"
    built.links["dev/md/data"] = "../md127"
    built.virtual("md127", "9:127", "nvme0n1")
    (found,) = look(built, tmp_path)
    assert found.place == "etc/mdadm.conf:1"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/fstab", "/dev/md0 /data xfs rw 0 0\n"),
        ("etc/fstab", "/dev/md127p1 /data xfs rw 0 0\n"),
        ("etc/fstab", "/dev/bcache0 /data xfs rw 0 0\n"),
        ("etc/fstab", "/dev/dm-9 /data xfs rw 0 0\n"),
        ("etc/mdadm.conf", "ARRAY /dev/md0 devices=/dev/nvme[01]n1\n"),
    ],
)
def test_what_is_made_of_other_devices_and_not_made_yet_may_be_on_any(tmp_path: Path, path: str, text: str) -> None:
    built = machine()
    built.files[path] = text
    (found,) = look(built, tmp_path)
    assert (found.place, found.device, found.lost is None) == (f"{path}:1", None, False)


@pytest.mark.parametrize(
    "now", ["0:50 / /data autofs systemd-1", "0:51 / /data tmpfs tmpfs", "259:0 / /data ext4 /dev/nvme0n1"]
)
def test_what_is_mounted_there_now_may_be_something_else(tmp_path: Path, now: str) -> None:
    built = machine()
    built.mounted(now)
    built.files["etc/fstab"] = "UUID=0a1b /data xfs x-systemd.automount 0 2\n"
    (found,) = look(built, tmp_path)
    assert (found.what, found.device) == ("/data", "nvme1n1")


def test_what_is_mounted_there_now_is_a_use_of_its_own(tmp_path: Path) -> None:
    built = machine()
    built.mounted("259:1 / /data xfs /dev/nvme1n1")
    built.files["etc/fstab"] = "UUID=0a1b /data xfs rw 0 2\n"
    assert look(built, tmp_path) == ()


@pytest.mark.parametrize("source", ["UUID=ffff", "/dev/mapper/vg-swap", "/dev/vg/swap"])
def test_memory_that_is_swapped_to_is_no_line_of_fstab(tmp_path: Path, source: str) -> None:
    built = machine()
    built.links = {path: target for path, target in built.links.items() if not path.startswith("dev/")}
    built.device("zram0", "virtual/block", "253:0")
    built.swapping("/dev/zram0")
    built.files["etc/fstab"] = f"{source} none swap sw 0 0\n"
    (found,) = look(built, tmp_path)
    assert (found.what, found.device) == ("swap", None)


def test_a_drop_in_says_what_its_unit_mounts(tmp_path: Path) -> None:
    built = machine()
    built.files["usr/lib/systemd/system/x.mount"] = "[Mount]\nWhat=/dev/nvme0n1\nWhere=/x\n"
    built.files["usr/lib/systemd/system/x.mount.d/10.conf"] = "[Mount]\nWhat=/dev/nvme1n1\n"
    (found,) = look(built, tmp_path)
    assert (found.what, found.place, found.device) == ("/x", "usr/lib/systemd/system/x.mount.d/10.conf:2", "nvme1n1")


def test_a_masked_unit_mounts_nothing_whatever_its_drop_ins_say(tmp_path: Path) -> None:
    built = machine()
    built.links["etc/systemd/system/x.mount"] = "/dev/null"
    built.files["usr/lib/systemd/system/x.mount"] = "[Mount]\nWhat=/dev/nvme1n1\nWhere=/x\n"
    built.files["usr/lib/systemd/system/x.mount.d/10.conf"] = "[Mount]\nWhat=/dev/nvme1n1\n"
    assert look(built, tmp_path) == ()


def test_where_udev_made_no_links_a_wwid_leads_nowhere(tmp_path: Path) -> None:
    built = machine()
    built.links = {path: target for path, target in built.links.items() if not path.startswith("dev/")}
    built.files["etc/multipath.conf"] = "multipaths { multipath { wwid 3600a } }\n"
    (found,) = look(built, tmp_path)
    assert (found.what, found.device) == ("multipath", None)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/fstab", 'UUID="0a1b" /data xfs defaults 0 2\n'),
        ("etc/fstab", "LABEL=my\\040data /data xfs\n"),
        ("etc/fstab", "/dev/disk/by-id/scsi-3600a /data xfs\n"),
        ("etc/crypttab", "secret UUID=0a1b none luks\n"),
        ("etc/crypttab", "secret UUID=ffff /key:UUID=0a1b header=/h:UUID=0a1b\n"),
        ("etc/crypttab", "secret UUID=ffff none header=/h:UUID=0a1b\n"),
        ("etc/crypttab", "secret UUID=ffff /dev/disk/by-id/scsi-3600a\n"),
        ("etc/veritytab", "usr UUID=ffff UUID=0a1b 0123\n"),
        ("etc/integritytab", "data UUID=0a1b\n"),
        ("etc/systemd/system/acme.mount", "[Mount]\nWhat=\\\nUUID=0a1b\nWhere=/data\n"),
        ("etc/systemd/system/acme.mount.d/acme.conf", "[Mount]\nWhat=UUID=0a1b\nWhere=/data\n"),
        ("etc/systemd/system.control/acme.swap", "[Swap]\nWhat=UUID=0a1b\n"),
        ("etc/multipath.conf", "multipaths\n{\n multipath\n {\n  wwid 3600a\n }\n}\n"),
        ("etc/multipath/conf.d/acme.conf", "multipaths { multipath { wwid 3600a } }\n"),
    ],
)
def test_names_that_are_hidden_lead_where_they_did(tmp_path: Path, path: str, text: str) -> None:
    built = machine()
    built.files[path] = text
    host = Host(str(built.plant(tmp_path)), redacted=True)
    found = wanted(host.reader())
    host.close()
    assert {one.device for one in found} - {None} == {"nvme1n1"}


@pytest.mark.parametrize("path", ["etc/fstab", "etc/crypttab", "etc/mdadm.conf", "etc/multipath.conf"])
def test_a_file_that_only_root_may_read_may_name_any_device(path: str) -> None:
    nodes: dict[str, Node] = {"": ("directory", b""), "etc": ("directory", b""), path: ("errno", b"EACCES")}
    (found,) = wanted(Host("memory", thorough=True, tree=Broken(nodes)).reader())
    text = f"{path} could not be read; `hostagent probe -o json` as root on the machine reads it"
    assert found == Wanted(what=path, source=path, place=path, device=None, lost=text)
