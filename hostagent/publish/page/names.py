"""What functions are called: by the host's pci.ids where it has one, else by their class."""

from __future__ import annotations

from hostagent.areas.pci import PciName
from hostagent.assess.node import data
from hostagent.host.pci import PciFunction
from hostagent.report import NodeReport

# What a class is called where the host has no pci.ids (https://pci-ids.ucw.cz).
_CLASSES = {
    "00": "Unclassified device", "01": "Storage controller", "0106": "SATA controller", "0108": "NVMe controller",
    "02": "Network controller", "0200": "Ethernet controller", "0207": "InfiniBand controller",
    "03": "Display controller", "0302": "3D controller", "04": "Multimedia device", "0403": "Audio device",
    "05": "Memory controller", "06": "Bridge", "0600": "Host bridge", "0601": "ISA bridge", "0604": "PCI bridge",
    "07": "Communication controller", "08": "System peripheral", "0b": "Processor", "0c": "Serial bus controller",
    "0c03": "USB controller", "0c05": "SMBus", "0d": "Wireless controller", "10": "Encryption controller",
    "11": "Signal processing controller", "12": "Processing accelerator", "13": "Non-essential instrumentation",
}  # fmt: skip


class Names:
    """Names of one report's functions."""

    def __init__(self, report: NodeReport) -> None:
        pci = data(report.pci)
        listed = () if pci is None else pci.names
        self._book: dict[tuple[str, str, str], PciName] = {
            (name.vendor_id, name.device_id, name.class_id): name for name in listed
        }

    def kind(self, function: PciFunction) -> str:
        """`3D controller`."""
        name = self._named(function)
        told = None if name is None else name.class_name
        code = function.class_id
        return told or _CLASSES.get(code[:4]) or _CLASSES.get(code[:2]) or f"class {code}"

    def model(self, function: PciFunction) -> str | None:
        """`NVIDIA Corporation TU104GL [Tesla T4]`; None where nobody knows."""
        name = self._named(function)
        return None if name is None else " ".join(part for part in (name.vendor, name.device) if part) or None

    def _named(self, function: PciFunction) -> PciName | None:
        return self._book.get((function.vendor_id, function.device_id, function.class_id))
