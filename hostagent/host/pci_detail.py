"""What sysfs says of a PCI function beyond the fast path of `hostagent.host.pci`: ten small files, most of them absent.

Files, for each /sys/bus/pci/devices/<address> (Documentation/ABI/testing/sysfs-bus-pci, sysfs-bus-pci-devices-*):

    revision            0x01
    driver_override     (null)              the kernel prints a null pointer: no override
    power_state         D0                  unknown and error where the kernel cannot tell
    current_link_speed  8.0 GT/s PCIe       `8 GT/s` before Linux 5.7; Unknown
    current_link_width  16                  0 is a link that is down, 255 one the kernel cannot tell
    max_link_speed, max_link_width
    reset_method        flr bus             in the order the kernel tries them (Linux 5.15)
    reset                                   only its presence says something
    boot_vga            1                   display controllers only
"""

from __future__ import annotations

from hostagent.host.reader import BLANKS, FLAGS, Reader
from hostagent.values.blanks import fields
from hostagent.values.number import whole
from hostagent.values.pci import hex_id
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.tree import LiveTree, Place

# PCIE_LNK_WIDTH_UNKNOWN
_NO_WIDTH = (0, 255)
_DIGITS = 8  # of a speed: 64.0
_SIZE = 64  # bytes that hold any of them but a long driver_override


@record
class PciDetail:
    """Attributes of a PCI function beyond the fast path."""

    revision: str | None
    """Revision, 2 lower-case hex digits; sys/bus/pci/devices/<address>/revision. Null where there is no such file."""
    driver_override: str | None
    """The only driver that may bind to it; sys/bus/pci/devices/<address>/driver_override. Null where none is set, or
    there is no such file."""
    power_state: str | None
    """D0, D1, D2, D3hot or D3cold; sys/bus/pci/devices/<address>/power_state. Null where it reads unknown or error, or
    there is no such file."""
    current_link_speed: float | None
    """GT/s of the link now; sys/bus/pci/devices/<address>/current_link_speed. Null where it reads Unknown, or there is
    no such file: no PCI Express."""
    max_link_speed: float | None
    """GT/s the function could do; sys/bus/pci/devices/<address>/max_link_speed. Null where it reads Unknown, or there
    is no such file."""
    current_link_width: int | None
    """Lanes of the link now; sys/bus/pci/devices/<address>/current_link_width. Null where it reads 0, a link that is
    down, or 255, or there is no such file."""
    max_link_width: int | None
    """Lanes the function could use; sys/bus/pci/devices/<address>/max_link_width. Null where it reads 0 or 255, or
    there is no such file."""
    reset_methods: tuple[str, ...] | None
    """Ways to reset it in the order the kernel tries them, as in flr, bus; sys/bus/pci/devices/<address>/reset_method
    (Linux 5.15). Null where there is no such file."""
    resettable: bool
    """Whether sys/bus/pci/devices/<address>/reset is there: the kernel can reset the function by itself."""
    boot_vga: bool | None
    """Whether firmware showed its console on it; sys/bus/pci/devices/<address>/boot_vga. Null where it is no display
    controller (class 03), or there is no such file."""


class Attributes:
    """Files of one function through the reader, which reports what is wrong with each."""

    def __init__(self, reader: Reader, path: str) -> None:
        self._reader, self._path = reader, path

    def text(self, name: str) -> str | None:
        return self._reader.text(f"{self._path}/{name}")

    def exists(self, name: str) -> bool:
        return self._reader.exists(f"{self._path}/{name}")

    def malformed(self, name: str, expected: str, seen: str) -> None:
        self._reader.malformed(f"{self._path}/{name}", expected, seen)


class QuickAttributes:
    """The same straight from the tree. Raises OSError, ValueError or TooLargeError for what is the reader's to report."""

    def __init__(self, tree: LiveTree, place: Place) -> None:
        self._tree, self._place = tree, place

    def text(self, name: str) -> str | None:
        try:
            return self._tree.attribute(self._place, name, _SIZE).decode().strip(BLANKS)
        except FileNotFoundError:
            return None

    def exists(self, name: str) -> bool:
        return self._tree.attribute_exists(self._place, name)

    def malformed(self, name: str, expected: str, seen: str) -> None:
        raise ValueError(name, expected, seen)


def detail(files: Attributes | QuickAttributes, class_id: str) -> PciDetail:
    """All attributes of one function of class `class_id`."""
    methods = files.text("reset_method")
    override = files.text("driver_override")
    revision = files.text("revision")
    power = files.text("power_state")
    return PciDetail(
        revision=hex_id(revision, 2) if revision else None,
        driver_override=None if override in ("(null)", "") else override,
        power_state=None if power in ("unknown", "error", "") else power,
        current_link_speed=_speed(files, "current_link_speed"),
        max_link_speed=_speed(files, "max_link_speed"),
        current_link_width=_width(files, "current_link_width"),
        max_link_width=_width(files, "max_link_width"),
        reset_methods=None if methods is None else tuple(fields(methods)),
        resettable=files.exists("reset"),
        boot_vga=_flag(files, "boot_vga") if class_id.startswith("03") else None,
    )


def _speed(files: Attributes | QuickAttributes, name: str) -> float | None:
    text = files.text(name)
    if not text or text.startswith("Unknown"):
        return None
    number = text.partition(" ")[0]
    if not number.replace(".", "", 1).isdecimal() or not number.isascii() or len(number) > _DIGITS:
        files.malformed(name, "a speed such as 8.0 GT/s PCIe", text)
        return None
    return float(number)


def _width(files: Attributes | QuickAttributes, name: str) -> int | None:
    text = files.text(name)
    if text is None:
        return None
    width = whole(text)
    if width is None or width < 0:
        files.malformed(name, "a whole number", text)
        return None
    return None if width in _NO_WIDTH else width


def _flag(files: Attributes | QuickAttributes, name: str) -> bool | None:
    text = files.text(name)
    if text is not None and text not in FLAGS:
        files.malformed(name, "Y, N, 1 or 0", text)
    return None if text is None else FLAGS.get(text)
