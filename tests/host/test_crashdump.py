"""Where the crash kernel writes: what keeps the disk, what is lost, and what a capture has of it."""

from __future__ import annotations

import pytest

from hostagent.assess.node import Node
from hostagent.assess.protected import protections
from hostagent.assess.reasons import Evidence
from hostagent.host.redact import redacted
from hostagent.values.pci import PciAddress
from tests.plan.machines import NVME, NVME_CLASS, Machine

ONE = PciAddress("0000:03:00.0")


def machine(files: dict[str, str]) -> Machine:
    """One disk that nothing uses now."""
    return Machine().function(ONE, NVME, NVME_CLASS, driver="nvme").disk("nvme0n1", ONE).put(files)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("etc/kdump.conf", "raw /dev/nvme0n1"),
        ("etc/kdump.conf", "# where\next4 UUID=0a1b\npath /var/crash"),
        ("etc/kdump.conf", "xfs LABEL=dumps"),
        ("etc/kdump.conf", "ext4 /dev/disk/by-uuid/0a1b"),
    ],
)
def test_the_disk_it_names(path: str, line: str) -> None:
    there = machine({path: f"{line}\n", "sys/kernel/kexec_crash_loaded": "1\n"})
    there.links |= {
        "dev/disk/by-uuid/0a1b": "../../nvme0n1",
        "dev/disk/by-label/dumps": "../../nvme0n1",
    }
    (reason,) = protections(Node("n", there.report()))[ONE]
    assert (reason.code, reason.text) == ("storage", "it carries the crash dump, nvme0n1")
    assert reason.evidence == (Evidence(path=path, said=f"the crash dump on nvme0n1 on {ONE}"),)


@pytest.mark.parametrize("target", ["UUID=0a1b", "/dev/mapper/vg-crash"])
def test_a_target_nobody_can_follow(target: str) -> None:
    there = machine({"etc/kdump.conf": f"ext4 {target}\n", "sys/kernel/kexec_crash_loaded": "1\n"})
    (reason,) = protections(Node("n", there.report()))[ONE]
    assert reason.text == f"it may carry the crash dump: {target} leads to no device"


def test_configuration_that_cannot_be_read() -> None:
    there = machine({"sys/kernel/kexec_crash_loaded": "1\n"})
    there.links["etc/kdump.conf"] = "kdump.conf"
    reason, unread = protections(Node("n", there.report()))[ONE]
    assert reason.text == "it may carry the crash dump: etc/kdump.conf could not be read"
    assert unread.text == "it is not known what is stored on it"


@pytest.mark.parametrize(
    "files",
    [
        {"etc/kdump.conf": "raw /dev/nvme0n1\n", "sys/kernel/kexec_crash_loaded": "0\n"},
        {"etc/kdump.conf": "raw /dev/nvme0n1\n"},
        {"etc/kdump.conf": "nfs server:/dumps\npath /var/crash\n", "sys/kernel/kexec_crash_loaded": "1\n"},
        {"etc/default/kdump-tools": 'KDUMP_COREDIR="/var/crash"\n', "sys/kernel/kexec_crash_loaded": "1\n"},
        {"etc/kdump.conf": "#raw /dev/nvme0n1\n", "sys/kernel/kexec_crash_loaded": "1\n"},
    ],
)
def test_a_disk_it_does_not_name_is_free(files: dict[str, str]) -> None:
    assert protections(Node("n", machine(files).report())) == {}


def test_a_capture_has_targets_and_no_servers() -> None:
    text = (
        b'# of alice\nssh alice@secret.example\nsshkey /root/.ssh/k\nraw /dev/sda4\npath /var/crash\nNFS="secret:/x"\n'
    )
    shown = redacted("etc/kdump.conf", text)
    assert shown == b"ssh [redacted]\nraw /dev/sda4\npath /var/crash\nnfs [redacted]\n"
    assert redacted("etc/kdump.conf", shown) == shown
    assert redacted("etc/default/kdump-tools", text) == shown
