"""What only a running machine shows of what its host lives on: each is asked for, and refused with its own reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.run import hostagent
from tests.lab.boot import Guest
from tests.lab.machine import NIC0, NIC1, Machine
from tests.lab.prepare import refusal

pytestmark = [pytest.mark.lab, pytest.mark.first]

# Drives that can be written to, on the root bus: what is written goes to an overlay of nothing.
_DRIVE = (
    "-drive if=none,id=g{0},snapshot=on,format=raw,file.driver=null-co,file.size=64M,file.read-zeroes=on "
    "-device nvme,bus=pcie.0,addr={1:02x}.0,serial=GUARD{0},drive=g{0}"
)
RAW_VOLUME, OPEN, ELSEWHERE, WRITEBACK, JOURNAL, DATA, IDLE = (f"0000:00:{0x10 + n:02x}.0" for n in range(7))
MACHINE = Machine(
    iommu="intel",
    arguments="intel_iommu=on",
    extra=" ".join(_DRIVE.format(number, 0x10 + number) for number in range(7)),
)
DEBIAN = "platform: {name: debian, version: 12}\n"


def disk(guest: Guest, address: str) -> str:
    """The name of a function's disk."""
    return guest.sh(f"ls /sys/bus/pci/devices/{address}/nvme/*/ | grep -m1 -o 'nvme[0-9]*n1'").strip()


def wish(address: str) -> str:
    """A profile that asks for one function."""
    return f"{DEBIAN}devices:\n  - {{address: '{address}', resourceName: example.org/one}}\n"


class Asked:
    """What `render all` says to a wish, from what `probe` on the machine reported: started there once, for emulation is slow."""

    def __init__(self, guest: Guest, directory: Path) -> None:
        self._directory = directory
        (directory / "report.json").write_bytes(guest.hostagent("probe", "-o", "json", "--unredacted").out)

    def status(self, address: str) -> tuple[int, str]:
        (self._directory / "wish.yaml").write_text(wish(address))
        words = ("--report", "report.json", "--profile", "wish.yaml", "-o", f"rendered-{address}")
        done = hostagent("render", "all", *words, directory=self._directory)
        return done.status, done.err

    def __call__(self, address: str) -> str:
        status, said = self.status(address)
        assert status == 2, said
        assert f"{address} may not: " in said, said
        return said.partition(" may not: ")[2]


@pytest.mark.machine(MACHINE)
def test_guard(guest: Guest, tmp_path: Path) -> None:
    """A raw block volume, a disk held open, a mount and a NIC elsewhere, policy routing, writeback, an external journal."""
    raw = disk(guest, RAW_VOLUME)
    volume = "/var/lib/kubelet/pods/1/volumeDevices/claim"
    guest.sh(f"modprobe loop; mkdir -p {volume.rpartition('/')[0]}; touch {volume}; mount --bind /dev/{raw} {volume}")
    guest.sh(f"losetup -f {volume}")
    held = disk(guest, OPEN)
    guest.sh(f"sleep 100000 <>/dev/{held} >/dev/null 2>&1 &")
    elsewhere = disk(guest, ELSEWHERE)
    guest.sh(f"mkfs.ext4 -q /dev/{elsewhere}; mkdir -p /srv/elsewhere")
    guest.sh(f"unshare -m sh -c 'mount /dev/{elsewhere} /srv/elsewhere && exec sleep 100000' >/dev/null 2>&1 &")
    back = disk(guest, WRITEBACK)
    guest.sh("modprobe zram num_devices=1")
    writeback = guest.run("test", "-e", "/sys/block/zram0/backing_dev").status == 0
    if writeback:
        guest.sh(f"echo /dev/{back} >/sys/block/zram0/backing_dev; echo 16M >/sys/block/zram0/disksize")
        guest.sh("mkswap /dev/zram0 >/dev/null; swapon /dev/zram0")
    journal, data = disk(guest, JOURNAL), disk(guest, DATA)
    guest.sh(
        f"mkfs.ext4 -q -b 4096 -O journal_dev /dev/{journal}; mkfs.ext4 -q -b 4096 -J device=/dev/{journal} /dev/{data}"
    )
    guest.sh(f"mkdir -p /srv/data; mount /dev/{data} /srv/data")
    pod = guest.sh(f"ls /sys/bus/pci/devices/{NIC1}/net").strip()
    guest.sh(f"ip netns add pod; ip link set {pod} netns pod; ip netns exec pod ip link set {pod} up")
    nic = guest.sh(f"ls /sys/bus/pci/devices/{NIC0}/net").strip()
    guest.sh(
        f"ip addr add 10.9.0.2/24 dev {nic} noprefixroute; ip link set {nic} up; "
        f"ip route add 10.9.0.0/24 dev {nic} table 100; ip rule add from 10.9.0.2 lookup 100"
    )
    guest.until("grep -q /srv/elsewhere /proc/[0-9]*/mountinfo")

    # Once on the machine itself: what it answers from its report is the same.
    live = refusal(guest, wish(RAW_VOLUME)).partition(" may not: ")[2]
    asked = Asked(guest, tmp_path)
    assert "loop" in live
    assert asked(RAW_VOLUME) == live
    assert "sleep" in asked(OPEN)
    assert "/srv/elsewhere" in asked(ELSEWHERE)
    assert "journal" in asked(JOURNAL)
    assert "/srv/data" in asked(DATA)
    assert "namespace" in asked(NIC1)
    assert nic in asked(NIC0)
    if writeback:
        assert "swap" in asked(WRITEBACK)
    # The control: a disk that nobody uses may be had.
    assert asked.status(IDLE)[0] == 0
