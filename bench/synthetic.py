"""A synthetic PCI bus of any size: what 4,096 virtual functions look like in sysfs, for measuring only."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "vendor": "0x8086\n",
    "device": "0x1889\n",
    "subsystem_vendor": "0x8086\n",
    "subsystem_device": "0x0000\n",
    "class": "0x020000\n",
    "revision": "0x02\n",
    "numa_node": "0\n",
    "local_cpulist": "0-31\n",
    "enable": "1\n",
    "irq": "0\n",
    "modalias": "pci:v00008086d00001889sv00008086sd00000000bc02sc00i00\n",
    "driver_override": "(null)\n",
    "power_state": "D0\n",
    "resource": "0x0000000000000000 0x0000000000000000 0x0000000000000000\n",
    "config": "",
}
UEVENT = "DRIVER=iavf\nPCI_CLASS=20000\nPCI_ID=8086:1889\nPCI_SUBSYS_ID=8086:0000\nPCI_SLOT_NAME={}\n"
GROUP_SIZE = 8


def build(root: Path, functions: int) -> Path:
    """`functions` functions below `root`, 16 files and 3 links each, in IOMMU groups of eight; returns `root`."""
    bus, groups = root / "sys/bus/pci", root / "sys/kernel/iommu_groups"
    (bus / "devices").mkdir(parents=True)
    (bus / "drivers/iavf").mkdir(parents=True)
    (root / "sys/class/net").mkdir(parents=True)
    (root / "proc").mkdir()
    for number in range(functions):
        address = f"{number >> 13:04x}:{number >> 8 & 0x1F:02x}:{number >> 3 & 0x1F:02x}.{number & 7}"
        device = root / f"sys/devices/pci{address[:7]}/{address}"
        device.mkdir(parents=True)
        for name, text in FILES.items():
            (device / name).write_text(text)
        (device / "uevent").write_text(UEVENT.format(address))
        group = groups / str(number // GROUP_SIZE)
        (group / "devices").mkdir(parents=True, exist_ok=True)
        (group / "type").write_text("DMA-FQ\n")
        (group / "reserved_regions").write_text("0x00000000fee00000 0x00000000feefffff msi\n")
        (group / "devices" / address).symlink_to(f"../../../../devices/pci{address[:7]}/{address}")
        (device / "iommu_group").symlink_to(f"../../../kernel/iommu_groups/{number // GROUP_SIZE}")
        (device / "driver").symlink_to("../../../bus/pci/drivers/iavf")
        (device / "subsystem").symlink_to("../../../bus/pci")
        (bus / "devices" / address).symlink_to(f"../../../devices/pci{address[:7]}/{address}")
    return root
