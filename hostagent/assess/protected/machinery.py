"""The machine's own parts: bridges, platform devices, Intel VMD, hardware watchdogs."""

from __future__ import annotations

from hostagent.assess.node import Node, class_said, data, driver_said, id_said, is_bridge, pci_id
from hostagent.assess.reasons import Evidence, Why, because
from hostagent.values.pci import PciAddress, in_classes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.assess.reasons import Found

_PLATFORM = {
    "0800": "an interrupt controller",
    "0801": "a DMA controller",
    "0802": "a timer",
    "0803": "a clock",
    "0806": "an IOMMU",
    "0c05": "an SMBus controller",
    "0c07": "a management controller's interface",
    "1101": "a performance counter",
}
_WATCHDOGS = ("8086:25ab", "103c:3306")  # i6300esb and HPE iLO: the function is the watchdog
# PCI code and ID assignment: 0502 is CXL (0500 is SRAM of chipsets, in one slot with their USB).
# include/uapi/linux/virtio_ids.h: 24 (0x18) mem, 27 (0x1b) pmem; as PCI IDs from 0x1040 on.
_CXL_CLASS, _CXL_DRIVER = ("0502",), "cxl_pci"
_CXL = "CXL memory"
_MEMORY_IDS = {"1af4:1058": "memory that the hypervisor adds", "1af4:105b": "persistent memory"}
_HANGS = "it is a watchdog, made to reset a hung host"


def machinery(node: Node) -> Found:
    vmd = any(function.driver == "vmd" for function in node.functions)
    for function in node.functions:
        what = _PLATFORM.get(function.class_id[:4])
        if is_bridge(function):
            yield function.address, because(Why.BRIDGE, "it is a bridge", class_said(function))
        elif what is not None:
            yield function.address, because(Why.PLATFORM, f"it is {what}", class_said(function))
        if pci_id(function) in _WATCHDOGS:
            yield function.address, because(Why.WATCHDOG, _HANGS, id_said(function))
        if function.driver == "vmd":
            yield (
                function.address,
                because(Why.VMD, "it is an Intel VMD controller, which drives disks", driver_said(function)),
            )
        elif vmd and _domain(function.address) > 0xFFFF:
            yield (
                function.address,
                because(Why.VMD, "it stands behind an Intel VMD controller, in its group", id_said(function)),
            )


def memory(node: Node) -> Found:
    """What may be the host's RAM: whether it is (system-ram, devdax, a file system) no file of the function says."""
    for function in node.functions:
        what, said = _MEMORY_IDS.get(pci_id(function)), id_said(function)
        if in_classes(function.class_id, _CXL_CLASS):
            what, said = _CXL, class_said(function)
        elif function.driver == _CXL_DRIVER:
            what, said = _CXL, driver_said(function)
        if what is not None:
            yield function.address, because(Why.MEMORY, f"it is {what}, and may serve the host as RAM", said)


def watchdogs(node: Node) -> Found:
    found = data(node.report.watchdog)
    for device in () if found is None else found.devices:
        function = node.at.get(device.function) if device.function is not None else None
        # Those known by their ID are watchdogs with and without a driver.
        if function is not None and device.hardware and pci_id(function) not in _WATCHDOGS:
            path = f"sys/class/watchdog/{device.name}/identity"
            said = Evidence(path=path, said=device.identity or "a watchdog")
            yield function.address, because(Why.WATCHDOG, _HANGS, said)


def _domain(address: PciAddress) -> int:
    return int(address.partition(":")[0], 16)
