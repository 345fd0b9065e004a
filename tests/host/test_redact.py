"""What names a person, a network or a disk is gone; everything else is as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.host.redact import redacted

ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            "proc/cmdline",
            "BOOT_IMAGE=/vmlinuz root=/dev/mapper/alice-root ip=10.1.2.3::10.1.2.1 intel_iommu=on quiet\n",
            "BOOT_IMAGE=[redacted] root=[redacted] ip=[redacted] intel_iommu=on quiet\n",
        ),
        ("proc/cmdline", "rd.luks.uuid=1 my.token=x\n", "rd.luks.uuid=[redacted] my.token=[redacted]\n"),
        (
            "proc/cmdline",
            "ignition.config.url=http://a/b nfs.root=x iscsi_initiator=q rd.znet_x=e\n",
            "ignition.config.url=[redacted] nfs.root=[redacted] iscsi_initiator=[redacted] rd.znet_x=[redacted]\n",
        ),
        (
            "proc/1/mountinfo",
            "36 35 98:0 / / rw,noatime master:1 - ext4 /dev/mapper/alice-root rw,errors=continue\n",
            "36 35 98:0 / / rw,noatime master:1 - ext4 /dev/mapper/[redacted-1] [redacted]\n",
        ),
        ("proc/1/mountinfo", "40 35 0:40 / /srv rw - nfs4 files.example.org:/alice rw,addr=10.0.0.1\n",
         "40 35 0:40 / /srv rw - nfs4 [redacted-1] [redacted]\n"),
        ("proc/1/mountinfo", "41 35 8:1 / /boot rw - ext4 /dev/sda1 rw\n", "41 35 8:1 / /boot rw - ext4 /dev/sda1 [redacted]\n"),
        (
            "proc/1/net/route",
            ROUTES + "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
            ROUTES + "eth0\t00000000\t00000001\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
        ),
        ("sys/anything", "lladdr 52:54:00:AA:00:01 up\n", "lladdr 00:00:00:00:00:00 up\n"),
        ("sys/address", "0000:3b:00.0 10de:1eb8\n", "0000:3b:00.0 10de:1eb8\n"),
        ("proc/cpuinfo", "Hardware\t: BCM2835\nSerial\t\t: 00000000deadbeef\n", "Hardware\t: BCM2835\nSerial\t\t: 0\n"),
    ],
)  # fmt: skip
def test_redacted(path: str, before: str, after: str) -> None:
    assert redacted(path, before.encode()).decode() == after
    assert redacted(path, after.encode()).decode() == after


def test_bytes_that_are_no_text_are_kept() -> None:
    assert redacted("sys/firmware/x", b"\xff\xfe\x00") == b"\xff\xfe\x00"


@given(st.sampled_from(["proc/cmdline", "proc/1/mountinfo", "proc/net/route", "proc/net/ipv6_route", "x"]), st.text())
def test_redaction_is_idempotent(path: str, text: str) -> None:
    once = redacted(path, text.encode())
    assert redacted(path, once) == once
