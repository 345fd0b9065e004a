"""Block devices as sysfs shows them: the device's directory, and the links of sys/block, sys/class/block and sys/dev/block."""

from __future__ import annotations

from pathlib import Path

from hostagent.host.hardware import STORAGE_CLASSES, Carriers
from hostagent.values.pci import PciAddress
from tests.plant import plant

SWAPS = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
SECTORS = "2097152\n"  # 1 GiB


class Machine:
    """What is planted, added up device by device."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {"proc/swaps": SWAPS}
        self.links: dict[str, str] = {}
        self.directories: list[str] = []
        self._minor = 0

    def device(self, name: str, place: str, number: str) -> str:
        """A whole device in `sys/devices/<place>/<name>`; its directory."""
        path = f"sys/devices/{place}/{name}"
        self.files |= {f"{path}/dev": f"{number}\n", f"{path}/size": SECTORS}
        self._named(name, path, number)
        self.links[f"sys/block/{name}"] = f"../{path.removeprefix('sys/')}"
        return path

    def partition(self, disk: str, name: str, number: str) -> None:
        """A partition of a device already there."""
        path = "sys/" + self.links[f"sys/block/{disk}"].removeprefix("../") + f"/{name}"
        self.files |= {f"{path}/partition": f"{name[-1]}\n", f"{path}/dev": f"{number}\n"}
        self._named(name, path, number)

    def virtual(self, name: str, number: str, *slaves: str) -> str:
        """A device of device-mapper or md on `slaves`, with the links in both directions."""
        path = self.device(name, "virtual/block", number)
        for slave in slaves:
            below = self.links[f"sys/class/block/{slave}"].replace("../../", "sys/")
            self.links[f"{path}/slaves/{slave}"] = f"../../../../../{below.removeprefix('sys/devices/')}"
            self.links[f"{below}/holders/{name}"] = f"../../{name}"
        return path

    def _named(self, name: str, path: str, number: str) -> None:
        target = f"../../{path.removeprefix('sys/')}"
        self.links[f"sys/class/block/{name}"] = target
        self.links[f"sys/dev/block/{number}"] = target

    def mounted(self, *lines: str, place: str = "proc/1/mountinfo") -> None:
        """Lines of mountinfo, from the third field on: `8:1 / /boot ext4 /dev/sda1`."""
        text = self.files.get(place, "")
        for line in lines:
            number, root, point, kind, source = line.split()
            text += f"36 35 {number} {root} {point} rw,relatime shared:1 - {kind} {source} rw\n"
        self.files[place] = text

    def swapping(self, *names: str) -> None:
        self.files["proc/swaps"] = SWAPS + "".join(f"{name} partition 8388604 0 -2\n" for name in names)

    def plant(self, root: Path) -> Path:
        return plant(root, self.files, self.links, tuple(self.directories))


SATA = "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block"
NVME0 = "pci0000:00/0000:00:01.0/0000:01:00.0/nvme/nvme0"
NVME1 = "pci0000:00/0000:00:02.0/0000:02:00.0/nvme/nvme1"
SUBSYSTEM = "virtual/nvme-subsystem/nvme-subsys0"


def multipath_nvme(machine: Machine) -> None:
    """One namespace under a virtual subsystem that two controllers serve."""
    machine.device("nvme0n1", SUBSYSTEM, "259:0")
    for name, place in (("nvme0", NVME0), ("nvme1", NVME1)):
        machine.files[f"sys/devices/{place}/transport"] = "pcie\n"
        machine.links[f"sys/class/nvme/{name}"] = f"../../devices/{place}"
        machine.links[f"sys/devices/{SUBSYSTEM}/{name}"] = f"../../../{place}"
    machine.links["sys/class/nvme-subsystem/nvme-subsys0"] = f"../../devices/{SUBSYSTEM}"
    # One path of the namespace: a disk to the kernel, to nobody else.
    machine.files[f"sys/devices/{NVME0}/nvme0c0n1/hidden"] = "1\n"
    machine.links["sys/block/nvme0c0n1"] = f"../devices/{NVME0}/nvme0c0n1"


def addresses(*texts: str) -> tuple[PciAddress, ...]:
    return tuple(PciAddress(text) for text in texts)


def carriers(
    *functions: str,
    chain: str = "",
    bridges: str = "",
    network: bool = False,
    unresolved: tuple[str, ...] = (),
    suspects: tuple[str, ...] = STORAGE_CLASSES,
) -> Carriers:
    return Carriers(
        chain=tuple(chain.split()),
        functions=addresses(*functions),
        bridges=addresses(*bridges.split()),
        network=network,
        unresolved=unresolved,
        suspects=suspects if unresolved else (),
    )
