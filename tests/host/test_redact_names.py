"""Tables of names that pass, entry by entry: kernel statistics, units, disks in patterns, endings, public files."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.host import (
    crashdump,
    overrides,
    redact,
    redact_boot,
    redact_files,
    redact_mounts,
    redact_names,
    redacted_tree,
)
from hostagent.host.mounts import DEVICES
from hostagent.host.redact import redacted
from hostagent.host.redact_modules import modprobe
from hostagent.host.redact_names import Pseudonyms
from hostagent.host.redacted_tree import RedactedTree
from hostagent.host.tree import LiveTree


@pytest.fixture
def tree(tmp_path: Path) -> RedactedTree:
    return RedactedTree(LiveTree(str(tmp_path)))


# OpenZFS' kstats (zpool-kstat, module/zfs), and what stands in /sys/fs/btrfs, /sys/fs/ext4 and /sys/fs/xfs beside file systems.
STATISTICS = """
features dbgmsg arcstats fm dmu_tx abdstats zil vdev_cache_stats xuio_stats chksum_bench fletcher_4_bench vdev_raidz_bench
zfetchstats dnodestats dbufstats dbufs import_progress qat ssz_histo zstd brt stats debug
""".split()  # noqa: SIM905 - a page of words
FILE_SYSTEMS = ["sys/fs/btrfs", "sys/fs/bcachefs", "sys/fs/ext4", "sys/fs/xfs", "sys/fs/f2fs", "proc/spl/kstat/zfs"]


@pytest.mark.parametrize("word", STATISTICS)
def test_statistics_of_the_kernel_pass(tree: RedactedTree, word: str) -> None:
    assert tree.outside(f"proc/spl/kstat/zfs/{word}") == f"proc/spl/kstat/zfs/{word}"
    assert tree.outside(f"sys/fs/btrfs/{word}") == f"sys/fs/btrfs/{word}"


def test_no_other_statistics_pass() -> None:
    assert set(STATISTICS) == redacted_tree._KERNELS


@pytest.mark.parametrize("place", FILE_SYSTEMS)
def test_a_file_system_or_pool_has_a_pseudonym(tree: RedactedTree, place: str) -> None:
    assert tree.outside(f"{place}/hunter2/state") == f"{place}/[redacted-1]/state"


# systemd.unit(5): the search path of the system manager, as far as it is looked at.
UNITS = ["etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system",
         "usr/local/lib/systemd/system", "run/systemd/generator"]  # fmt: skip


@pytest.mark.parametrize("place", UNITS)
def test_a_unit_has_a_pseudonym_and_so_has_what_a_link_beside_it_leads_to(tree: RedactedTree, place: str) -> None:
    assert tree.outside(f"{place}/hunter2.service") == f"{place}/[redacted-1].service"
    assert tree.target(f"{place}/a.target.wants/hunter2.service", "../hunter2.service") == "../[redacted-1].service"
    assert tree.target(f"{place}/hunter2.service", "/x/hunter2.service") == "/x/[redacted-1].service"


@pytest.mark.parametrize("place", ["etc/udev/rules.d", "etc/driverctl.d"])
def test_a_file_of_rules_has_a_pseudonym(tree: RedactedTree, place: str) -> None:
    assert tree.outside(f"{place}/hunter2.rules") == f"{place}/[redacted-1].rules"


@pytest.mark.parametrize("place", ["etc", "usr", "lib", "run", "var/lib/kubelet/device-plugins"])
def test_files_that_are_evidence_keep_their_names(tree: RedactedTree, place: str) -> None:
    assert tree.outside(f"{place}/acme.conf") == f"{place}/acme.conf"
    assert tree.outside("opt/acme") == "opt/[redacted-1]"


@pytest.mark.parametrize("name", ["hostagent-capture.json", "holders.json", "netlink", "."])
def test_what_a_capture_adds_at_the_top(tree: RedactedTree, name: str) -> None:
    assert tree.outside(name) == name


def test_nothing_else_at_the_top_passes(tree: RedactedTree) -> None:
    assert {"hostagent-capture.json", "holders.json", "netlink", "."} == redacted_tree._TOP
    assert tree.outside("hunter2") == "[redacted-1]"
    assert tree.outside("sys/class/net/x/lower_enxc0ffee01c0ff") == "sys/class/net/x/lower_enxmac1"
    assert tree.outside("sys/class/net/x/upper_enxc0ffee01c0ff") == "sys/class/net/x/upper_enxmac1"
    assert tree.inside("sys/class/net/x/upper_enxmac1") == "sys/class/net/x/upper_enxc0ffee01c0ff"
    assert tree.inside("sys/class/net/x/lower_enxmac1") == "sys/class/net/x/lower_enxc0ffee01c0ff"


# systemd.special(7)
TARGETS = """basic boot-complete default getty graphical initrd initrd-fs initrd-root-fs local-fs local-fs-pre multi-user network
network-online network-pre paths remote-fs rescue slices sockets swap sysinit timers machines cryptsetup emergency
""".split()  # noqa: SIM905


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("how", ["wants", "requires"])
def test_a_target_that_every_host_has_passes(tree: RedactedTree, target: str, how: str) -> None:
    path = f"etc/systemd/system/{target}.target.{how}"
    assert tree.outside(path) == path


def test_no_other_target_passes(tree: RedactedTree) -> None:
    assert {f"{target}.target" for target in TARGETS} == overrides._TARGETS
    assert tree.outside("etc/systemd/system/hunter2.target.wants") == "etc/systemd/system/[redacted-1].target.wants"


@pytest.mark.parametrize("word", ["vfio", "hostagent", "passthrough", "driver"])
def test_a_unit_that_is_asked_about_keeps_its_name(tree: RedactedTree, word: str) -> None:
    path = f"etc/systemd/system/a-{word}-b.service"
    assert tree.outside(path) == path


# systemd.unit(5) and what its generators and systemctl make; udev(7); modprobe.d(5); libvirt.
ENDINGS = """.service .socket .target .mount .automount .swap .timer .path .slice .scope .device .target.wants .target.requires
.service.wants .service.requires .service.d .target.d .mount.d .swap.d .wants .requires .rules .conf .xml .d .upholds
""".split()  # noqa: SIM905


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_that_says_what_a_file_is_stays(ending: str) -> None:
    assert Pseudonyms().file(f"hunter2{ending}") == f"[redacted-1]{ending}"


def test_no_other_ending_stays() -> None:
    assert set(ENDINGS) == set(redact_names._SUFFIXES)
    assert Pseudonyms().file("acme.hunter2") == "[redacted-1]"


# multipath.conf(5): words of the kernel's names of disks, and the letters that ranges of them are written with.
DISKS = """sd hd vd xvd nvme dm md loop fd ram raw sr scd st dasd cciss zd nbd rbd drbd dcssblk mmcblk pmem zram a z n p c d
""".split()  # noqa: SIM905


@pytest.mark.parametrize("word", DISKS)
def test_a_pattern_of_disks_passes(word: str) -> None:
    text = f'devnode "^({word})[0-9]*"\n'
    assert redacted("etc/multipath.conf", text.encode()).decode() == text


def test_no_other_pattern_passes() -> None:
    assert set(DISKS) == redact_boot._DISKS
    shown = redacted("etc/mdadm.conf", b"DEVICE /dev/sd[a-z]* /dev/hunter2* /dev/mapper/acme\n")
    assert shown == b"DEVICE /dev/sd[a-z]* /dev/[redacted-1] /dev/mapper/[redacted-2]\n"


@pytest.mark.parametrize("key", ["wwid", "alias"])
@pytest.mark.parametrize("value", [".*", "*"])
def test_all_paths_of_multipath(key: str, value: str) -> None:
    text = f'{key} "{value}"\n'
    assert redacted("etc/multipath.conf", text.encode()).decode() == text
    assert redacted("etc/multipath.conf", f"{key} hunter2\n".encode()).decode() == f'{key} "[redacted-1]"\n'


@pytest.mark.parametrize("word", ["none", "-", "/dev/urandom", "/dev/random"])
def test_a_key_that_is_no_file(word: str) -> None:
    assert (
        redacted("etc/crypttab", f"swap /dev/sda2 {word} plain\n".encode()).decode() == f"swap /dev/sda2 {word} plain\n"
    )


@pytest.mark.parametrize("word", ["swap", "tmp", "plain", "luks"])
def test_an_option_of_crypttab(word: str) -> None:
    text = f"swap /dev/sda2 none {word},[redacted]\n"
    assert redacted("etc/crypttab", f"swap /dev/sda2 none {word},hunter2\n".encode()).decode() == text


@pytest.mark.parametrize("key", ["UUID", "container", "member"])
def test_what_an_array_is_found_by(key: str) -> None:
    assert redacted("etc/mdadm.conf", f"ARRAY {key}=hunter2\n".encode()).decode() == f"ARRAY {key}=[redacted-1]\n"


@pytest.mark.parametrize("key", ["What", "Where", "Type", "Options"])
def test_a_setting_of_a_mount_that_is_reset(key: str) -> None:
    assert redacted("etc/systemd/system/a.mount", f"[Mount]\n{key}=\n".encode()).decode() == f"[Mount]\n{key}=\n"


# kdump.conf(5), kdump-config(8)
@pytest.mark.parametrize("path", ["etc/kdump.conf", "etc/default/kdump-tools"])
@pytest.mark.parametrize("key", ["ext2", "ext3", "ext4", "xfs", "btrfs", "minix", "raw", "virtiofs"])
def test_the_disk_of_a_crash_dump(path: str, key: str) -> None:
    assert (
        redacted(path, f"# x\n{key} /dev/mapper/hunter2\nsshkey hunter2\n".encode()).decode()
        == f"{key} /dev/mapper/[redacted-1]\n"
    )


@pytest.mark.parametrize("key", ["nfs", "ssh"])
def test_the_server_of_a_crash_dump(key: str) -> None:
    assert redacted("etc/kdump.conf", f"{key} hunter2\n".encode()).decode() == f"{key} [redacted]\n"


@pytest.mark.parametrize("line", ["path /hunter2", 'KDUMP_COREDIR="/hunter2"'])
def test_the_directory_of_a_crash_dump(line: str) -> None:
    key = line.replace("=", " ").split(" ")[0]
    assert redacted("etc/kdump.conf", f"{line}\n".encode()).decode() == f"{key} /[redacted-1]\n"


def test_no_table_of_crash_dumps_has_more() -> None:
    assert (len(crashdump.FILESYSTEMS), len(crashdump.NETWORK), len(crashdump.PATHS), len(crashdump.FILES)) == (
        8,
        2,
        2,
        2,
    )


@pytest.mark.parametrize("name", ["ID", "ID_LIKE", "VERSION_ID", "VARIANT_ID", "OPENSHIFT_VERSION"])
@pytest.mark.parametrize("path", ["etc/os-release", "usr/lib/os-release"])
def test_a_variable_of_the_release(path: str, name: str) -> None:
    assert redacted(path, f"{name}=a\nHOME_URL=hunter2\n".encode()) == f"{name}=a\n".encode()


def test_no_other_variable_passes() -> None:
    assert len(redact_files._OS_RELEASE) == 5


@pytest.mark.parametrize(
    "text", ["softdep a pre: b post: c", "weakdep a b", "blacklist a", "install a [redacted]", "remove a [redacted]"]
)
def test_a_command_of_modprobe_d(text: str) -> None:
    assert modprobe(text) == text


@pytest.mark.parametrize(
    "path",
    ["lib/modules/6.12/modules.dep", "usr/lib/modules/6.12/modules.dep", "run/hostagent-modules/6.12/modules.dep",
     "usr/share/misc/x", "usr/lib/firmware/x", "var/lib/pci.ids"],
)  # fmt: skip
def test_what_is_the_same_on_every_machine_passes_whole(path: str) -> None:
    assert redacted(path, b"52:54:00:aa:00:01\n") == b"52:54:00:aa:00:01\n"
    assert len(redact._PUBLIC) == 5


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("INTERFACE=enxc0ffee01c0ff", "INTERFACE=enxmac1"),
        ("DEVNAME=md_hunter2", "DEVNAME=md_[redacted-1]"),
        ("DRIVER=x", "DRIVER=x"),
    ],
)
def test_names_in_uevent(line: str, shown: str) -> None:
    assert redacted("sys/x/uevent", line.encode()).decode() == shown


def test_every_option_that_names_a_device_passes() -> None:
    """What mounts are followed by is not lost by redaction."""
    assert set(redact_mounts.DEVICES) >= DEVICES


@pytest.mark.parametrize("name", ["mmcblk0gp1", "mmcblk0boot1", "mmcblk0rpmb"])
def test_the_parts_of_an_emmc(name: str) -> None:
    assert redact_names.is_kernel_name(name)


@pytest.mark.parametrize("place", ["etc", "run", "usr/local/lib", "usr/lib", "lib"])
@pytest.mark.parametrize("ending", [".mount", ".swap", ".automount"])
def test_a_unit_of_mounts_wherever_it_is(place: str, ending: str) -> None:
    text = b"[Unit]\nDescription=hunter2\n[Mount]\nWhere=/hunter2\n"
    assert redacted(f"{place}/systemd/system/x{ending}", text) == b"\n\n[Mount]\nWhere=/[redacted-1]\n"


@pytest.mark.parametrize("digit", "0123456789abcdefABCDEF")
def test_every_digit_of_a_mac(digit: str) -> None:
    assert redact_names.has_mac(f"enx{digit * 12}")
    assert redacted("sys/x", f"{digit * 2}:11:11:11:11:1{digit} up".encode()) == b"00:00:00:00:00:00 up"


@pytest.mark.parametrize("digit", "0123456789")
def test_every_digit_of_a_number(digit: str) -> None:
    assert redact_names.is_kernel_name(f"dm-1{digit}")
