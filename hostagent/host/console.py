"""Where the machine shows its console, and which PCI functions that takes.

    sys/class/graphics/fb0/name      EFI VGA (efifb), VESA VGA (vesafb), simple (simplefb), simpledrmdrmfb, astdrmfb ...
    sys/class/graphics/fb0/device    -> the PCI function, or a platform device made from what firmware set up
    sys/class/drm/card0/device       -> as above
    sys/bus/pci/devices/<address>/boot_vga    1 where firmware showed its own console
    sys/class/tty/console/active     tty0 ttyS0; serial ones: hostagent.host.serial

A framebuffer that firmware set up (efifb, simpledrm) keeps the BARs of the boot display: vfio-pci then cannot have them.
"""

from __future__ import annotations

from hostagent.host.carriers import ordered, place, split
from hostagent.host.disks import natural
from hostagent.host.pci import DEVICES, functions
from hostagent.host.reader import Reader
from hostagent.host.serial import ACTIVE, SerialConsole, serial_consoles
from hostagent.values.blanks import fields
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

GRAPHICS = "sys/class/graphics"
DRM = "sys/class/drm"
# Names of framebuffers and DRM drivers that use what firmware left.
_FIRMWARE = ("EFI VGA", "VESA VGA", "simple", "simple-framebuffer", "simpledrm", "efidrm", "vesadrm", "ofdrm", "OFfb")


@record
class Display:
    """A framebuffer or a DRM card."""

    name: str
    """fb0 of sys/class/graphics, or card0 of sys/class/drm, and so on."""
    driver: str | None
    """What it calls itself (the file name), else its driver. Null where neither is there."""
    function: PciAddress | None
    """Address of the PCI function it is on, by its place in sys/devices. Null where that shows none."""
    firmware: bool
    """Whether it uses what firmware set up, as efifb and simpledrm do."""


@record
class Console:
    """The displays of the machine, and its console."""

    displays: tuple[Display, ...]
    """Framebuffers, then DRM cards, by number."""
    active: tuple[str, ...] | None
    """Consoles of the kernel, the last being /dev/console; sys/class/tty/console/active. Null where there is no such
    file."""
    boot_vga: PciAddress | None
    """Address of the first display controller whose boot_vga is 1: firmware showed its console there. Null where there
    is none."""
    functions: tuple[PciAddress, ...]
    """Those whose loss takes a console away: the one of `boot_vga`, and what is behind the first framebuffer, which has
    the kernel's console. Other displays can go to guests."""
    serial: tuple[SerialConsole, ...] | None
    """Consoles that are no displays, by name. Null only in what was a report of schema_version 1."""


def console(reader: Reader) -> Console:
    """Displays and console of the machine."""
    frames = [_display(reader, GRAPHICS, name) for name in _numbered(reader, GRAPHICS, "fb")]
    cards = [_display(reader, DRM, name) for name in _numbered(reader, DRM, "card")]
    said = reader.text(ACTIVE)
    active = None if said is None else tuple(fields(said))
    boot_vga = _boot_vga(reader)
    first = frames[0].function if frames else None
    return Console(
        displays=(*frames, *cards),
        active=active,
        boot_vga=boot_vga,
        functions=ordered({address for address in (boot_vga, first) if address is not None}),
        serial=serial_consoles(reader, active),
    )


def _numbered(reader: Reader, base: str, head: str) -> list[str]:
    """`card0` and not its outputs (`card0-HDMI-A-1`)."""
    return sorted((name for name in reader.names(base) if name.removeprefix(head).isdigit()), key=natural)


def _display(reader: Reader, base: str, name: str) -> Display:
    path = f"{base}/{name}"
    driver = reader.text(f"{path}/name") or reader.target(f"{path}/device/driver")
    found = split(place(reader, path) or "")[0]
    return Display(
        name=name,
        driver=driver,
        function=found[-1] if found else None,
        firmware=driver is not None and driver.startswith(_FIRMWARE),
    )


def _boot_vga(reader: Reader) -> PciAddress | None:
    shown = [
        one.address
        for one in functions(reader)
        if one.class_id.startswith("03") and reader.flag(f"{DEVICES}/{one.address}/boot_vga") is True
    ]
    return shown[0] if shown else None
