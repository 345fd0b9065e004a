"""What shows the console: the boot display, the first framebuffer, the display of the BMC."""

from __future__ import annotations

from hostagent.plan.model import Evidence
from hostagent.plan.node import Node, data, file_of, id_said, pci_id
from hostagent.plan.protected.codes import BMC, CONSOLE, because
from hostagent.values.pci import in_classes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.plan.protected.codes import Found

_BMC_DISPLAYS = ("1a03:2000", *(f"102b:053{digit:x}" for digit in range(16)))


def consoles(node: Node) -> Found:
    firmware = data(node.report.firmware)
    shown = None if firmware is None else firmware.console.boot_vga
    frame = None if firmware is None else next((one for one in firmware.console.displays if one.name == "fb0"), None)
    for function in node.functions:
        if not in_classes(function.class_id, ("03",)):
            continue
        path = file_of(function.address, "boot_vga")
        if pci_id(function) in _BMC_DISPLAYS:
            yield function.address, because(BMC, "it shows the remote console of the BMC", id_said(function))
        if function.address == shown or (function.detail is not None and function.detail.boot_vga):
            yield function.address, because(CONSOLE, "firmware shows the console on it", Evidence(path=path, said="1"))
        # A second display's framebuffer shows nothing that is not on the first.
        elif frame is not None and frame.function == function.address:
            said = Evidence(path="sys/class/graphics/fb0/name", said=frame.driver or "a framebuffer")
            yield function.address, because(CONSOLE, "the first framebuffer is on it", said)
