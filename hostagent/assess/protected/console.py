"""What shows the console: the boot display, the first framebuffer, the display of the BMC, and serial ports."""

from __future__ import annotations

from hostagent.assess.node import Node, data, file_of, id_said
from hostagent.assess.reasons import Evidence, Why, because
from hostagent.host.serial import ACTIVE, TTYS
from hostagent.values.displays import is_bmc_display
from hostagent.values.pci import in_classes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.assess.reasons import Found


_VGA = ("0300",)  # the class that has boot_vga
_PORTS = ("07",)  # UARTs, multiport cards, and what else calls itself a port (virtio-console)
_NO_PORT = "mei_me"  # the other function of that class that most machines have


def consoles(node: Node) -> Found:
    firmware = data(node.report.firmware)
    shown = None if firmware is None else firmware.console.boot_vga
    frame = None if firmware is None else next((one for one in firmware.console.displays if one.name == "fb0"), None)
    for function in node.functions:
        if not in_classes(function.class_id, ("03",)):
            continue
        path = file_of(function.address, "boot_vga")
        if is_bmc_display(vendor_id=function.vendor_id, device_id=function.device_id, class_id=function.class_id):
            yield function.address, because(Why.BMC, "it shows the remote console of the BMC", id_said(function))
        if function.address == shown or (function.detail is not None and function.detail.boot_vga):
            yield (
                function.address,
                because(Why.CONSOLE, "firmware shows the console on it", Evidence(path=path, said="1")),
            )
        # A second display's framebuffer shows nothing that is not on the first.
        elif frame is not None and frame.function == function.address:
            said = Evidence(path="sys/class/graphics/fb0/name", said=frame.driver or "a framebuffer")
            yield function.address, because(Why.CONSOLE, "the first framebuffer is on it", said)
    if shown is None:
        yield from _unsaid(node)
    yield from _serial(node)


def _unsaid(node: Node) -> Found:
    """VGA displays, of which one is the console, where none says that it is it and some do not say that they are not."""
    shown = [(one, None if one.detail is None else one.detail.boot_vga) for one in node.functions]
    if any(said for _, said in shown):
        return
    for function, said in shown:
        path = file_of(function.address, "boot_vga")
        lost = function.detail is not None and said is None and in_classes(function.class_id, _VGA)
        if lost or node.troubled(path):
            evidence = Evidence(path=path, said="not read")
            yield function.address, because(Why.UNKNOWN, "it is not known whether it shows the console", evidence)


def _serial(node: Node) -> Found:
    firmware = data(node.report.firmware)
    if firmware is None or firmware.console.serial is None:
        return
    lost = [] if firmware.console.active is not None else [Evidence(path=ACTIVE, said="not read")]
    for console in firmware.console.serial:
        path = f"{TTYS}/{console.name}"
        for address in console.functions:
            said = Evidence(path=path, said=address)
            yield address, because(Why.CONSOLE, f"the serial console {console.name} is on it", said)
        if not console.resolved:
            lost.append(Evidence(path=path, said="no device"))
    for function in node.functions if lost else ():
        if in_classes(function.class_id, _PORTS) and node.drives(function) and function.driver != _NO_PORT:
            yield function.address, because(Why.UNKNOWN, "it is not known whether it carries a serial console", *lost)
