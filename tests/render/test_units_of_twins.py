"""The unit for one of two equal devices, run by the shell over machines on which addresses have moved."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hostagent.render.systemd_units import units
from tests.plan.machines import NVME, NVME_CLASS, Machine
from tests.plan.profiles import DEBIAN, devices, planned
from tests.plant import plant
from tests.render.test_systemd_units import commands

WISH = devices("address: 0000:02:00.0", platform=DEBIAN)
PORTS = {"0000:01:00.0": "0000:00:01.0", "0000:02:00.0": "0000:00:01.1", "0000:03:00.0": "0000:00:01.1"}


def two_disks() -> Machine:
    """The root disk on 01:00.0 behind port 01.0, an equal one that is free on 02:00.0 behind port 01.1."""
    machine = Machine()
    for address, on in (("0000:01:00.0", "/"), ("0000:02:00.0", None)):
        port = PORTS[address]
        machine.function(port, "8086:1901", "060400", driver="pcieport", group=int(port[-1]))
        machine.function(
            address, NVME, NVME_CLASS, driver="nvme", group=10 + int(address[6]), max_link_speed="8.0 GT/s PCIe"
        )
        machine.disk("nvme0n1" if on else "nvme1n1", address, on=on)
        machine.links[f"sys/bus/pci/devices/{address}"] = f"../../../devices/pci0000:00/{port}/{address}"
        for found in (machine.files, machine.links):
            for path in [path for path in found if path.startswith(f"sys/devices/pci0000:00/{address}")]:
                found[path.replace(f"00/{address}", f"00/{port}/{address}", 1)] = found.pop(path)
        for path, target in machine.links.items():
            machine.links[path] = target.replace(f"pci0000:00/{address}", f"pci0000:00/{port}/{address}")
    return machine


def text() -> str:
    (unit,) = units(planned(WISH, two_disks()))
    assert unit.text is not None
    return unit.text


def after(root: Path, *, port: str, name: str = "nvme1n1") -> None:
    """A function like those two at 02:00.0, behind `port`, with a disk."""
    base = f"sys/devices/pci0000:00/{port}/0000:02:00.0"
    ids = {"vendor": "0x1b36", "device": "0x0010", "subsystem_vendor": "0x0000", "subsystem_device": "0x0000"}
    files = {f"{base}/{file}": f"{said}\n" for file, said in ids.items()} | {
        f"{base}/driver_override": "(null)\n",
        f"{base}/nvme/nvme1/{name}/dev": "259:5\n",
        f"{base}/nvme/nvme1/{name}/{name}p1/dev": "259:6\n",
        "sys/bus/pci/drivers/vfio-pci/unbind": "",
        "sys/bus/pci/drivers/nvme/unbind": "",
        "sys/bus/pci/drivers_probe": "",
        "proc/self/mountinfo": "24 1 0:22 / / rw - tmpfs none rw\n",
        "proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n",
    }
    links = {
        "sys/bus/pci/devices/0000:02:00.0": f"../../../devices/pci0000:00/{port}/0000:02:00.0",
        f"sys/class/block/{name}": f"../../devices/pci0000:00/{port}/0000:02:00.0/nvme/nvme1/{name}",
        f"sys/class/block/{name}p1": f"../../devices/pci0000:00/{port}/0000:02:00.0/nvme/nvme1/{name}/{name}p1",
        # Where the driver would be once it was probed.
        f"{base}/driver": "../../../../bus/pci/drivers/nvme",
    }
    plant(root, files, links)


def start(root: Path) -> tuple[int, str, str]:
    """Exit status, what it says, and driver_override afterwards."""
    (script,) = commands("ExecStart", text(), root)
    done = subprocess.run(
        ["sh", "-c", script.replace("sleep 1", ":")], capture_output=True, text=True, check=False, timeout=300
    )
    override = (root / "sys/bus/pci/devices/0000:02:00.0/driver_override").read_text().strip()
    return done.returncode, done.stderr, override


def condition(root: Path) -> int:
    (script,) = commands("ExecCondition", text(), root)
    return subprocess.run(["sh", "-c", script], check=False, timeout=300).returncode


def test_the_one_it_was_made_for(tmp_path: Path) -> None:
    after(tmp_path, port="0000:00:01.1")
    assert condition(tmp_path) == 0
    # Nobody probes here: it tries, and says whose it is still.
    status, said, override = start(tmp_path)
    assert (status, override) == (1, "vfio-pci")
    assert said.startswith("0000:02:00.0 is still with ")


def test_a_card_was_added_above_and_the_root_disk_has_the_address_of_its_twin(tmp_path: Path) -> None:
    after(tmp_path, port="0000:00:01.0")
    assert condition(tmp_path) == 1
    # systemd before 243 runs the command all the same.
    assert start(tmp_path) == (0, "", "(null)")


@pytest.mark.parametrize(
    ("files", "links", "why"),
    [
        ({"proc/self/mountinfo": "30 1 259:6 / /data rw - ext4 /dev/disk/x rw\n"}, {}, "nvme1n1p1 is mounted"),
        ({"proc/77/mountinfo": "30 1 259:5 / /data rw - ext4 /dev/x rw\n"}, {}, "nvme1n1 is mounted"),
        ({"proc/self/mountinfo": "30 1 0:40 / / rw - btrfs /dev/nvme1n1p1 rw\n"}, {}, "nvme1n1p1 is mounted"),
        ({"proc/swaps": "Filename\n/dev/nvme1n1p1  partition\t1\t0\t-2\n"}, {}, "nvme1n1p1 is swapped on"),
        ({"sys/class/block/nvme1n1/holders/dm-0/dev": "253:0\n"}, {}, "nvme1n1 is held"),
        ({}, {"sys/fs/btrfs/u/devices/nvme1n1": "../../../../class/block/nvme1n1"}, "nvme1n1 is in a btrfs"),
        ({"sys/class/block/loop0/loop/backing_file": "/dev/nvme1n1\n"}, {}, "nvme1n1 is behind a loop device"),
    ],
)
def test_a_disk_in_use_stays(tmp_path: Path, files: dict[str, str], links: dict[str, str], why: str) -> None:
    after(tmp_path, port="0000:00:01.1")
    plant(tmp_path, files, links)
    assert start(tmp_path) == (1, f"0000:02:00.0 stays: {why}\n", "(null)")


def test_a_disk_with_multipath_in_use_stays(tmp_path: Path) -> None:
    after(tmp_path, port="0000:00:01.1", name="nvme1c1n1")
    head = "sys/devices/virtual/nvme-subsystem/nvme-subsys1"
    plant(
        tmp_path,
        {f"{head}/nvme1n1/dev": "259:9\n", "proc/self/mountinfo": "30 1 259:9 / / rw - ext4 /dev/x rw\n"},
        {
            "sys/class/nvme-subsystem/nvme-subsys1": "../../devices/virtual/nvme-subsystem/nvme-subsys1",
            f"{head}/nvme1": "../../../pci0000:00/0000:00:01.1/0000:02:00.0/nvme/nvme1",
            "sys/class/block/nvme1n1": f"../../{head.removeprefix('sys/')}/nvme1n1",
        },
    )
    assert start(tmp_path) == (1, "0000:02:00.0 stays: nvme1n1 is mounted\n", "(null)")


def test_the_unit_waits_for_the_mounts() -> None:
    assert "After=systemd-modules-load.service systemd-udev-trigger.service local-fs.target swap.target\n" in text()
