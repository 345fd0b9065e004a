r"""Devices that files of this host give to a driver by their address, at every boot.

    etc/driverctl.d/pci-0000:3b:00.0    vfio-pci                                     driverctl(8)
    etc/udev/rules.d/*.rules            KERNEL=="0000:3b:00.0", ATTR{driver_override}="vfio-pci"
    etc/systemd/system/*.service        ExecStart=/bin/sh -c 'echo vfio-pci >/sys/bus/pci/devices/0000:3b:00.0/driver_override'

Units and rules are looked at only if their name says that they are about this (one of `_WORDS`): a host has hundreds of others.
A unit counts if a `.wants` or `.requires` directory beside it has its name, as `systemctl enable` and Ignition leave it.
"""

from __future__ import annotations

from hostagent.host.modprobe import Directive
from hostagent.host.reader import Reader
from hostagent.values.blanks import fields, lines, stripped
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OVERRIDE = "override"
DRIVERCTL = "etc/driverctl.d"
UNITS = "etc/systemd/system"
RULES = "etc/udev/rules.d"
_WORDS = ("vfio", "hostagent", "passthrough", "driver")
# systemd.special(7): what units are switched on for.
_TARGETS = frozenset(f"{name}.target" for name in (
    "basic", "boot-complete", "default", "getty", "graphical", "initrd", "initrd-fs", "initrd-root-fs", "local-fs",
    "local-fs-pre",
    "multi-user", "network", "network-online", "network-pre", "paths", "remote-fs", "rescue", "slices", "sockets",
    "swap",
    "sysinit", "timers", "machines", "cryptsetup", "emergency",
))  # fmt: skip
DRIVER = "vfio-pci"


def overrides(reader: Reader) -> tuple[Directive, ...]:
    """One directive (`override`, module vfio_pci, arguments the address) for each address in each such file."""
    return tuple(
        Directive(source=path, line=None, command=OVERRIDE, module="vfio_pci", arguments=address)
        for path, address in (*_driverctl(reader), *_rules(reader), *_units(reader))
    )


def _driverctl(reader: Reader) -> Iterator[tuple[str, PciAddress]]:
    for name in reader.names(DRIVERCTL):
        address = PciAddress.parse(name.removeprefix("pci-"))
        path = f"{DRIVERCTL}/{name}"
        if address is not None and reader.text(path) == DRIVER:
            yield path, address


def _rules(reader: Reader) -> Iterator[tuple[str, PciAddress]]:
    for path in _named(reader, RULES, ".rules"):
        for line in reader.lines(path):
            if not stripped(line).startswith("#"):
                yield from ((path, address) for address in _overridden(line))


def _units(reader: Reader) -> Iterator[tuple[str, PciAddress]]:
    paths = _named(reader, UNITS, ".service")
    enabled = _enabled(reader) if paths else frozenset()
    for path in paths:
        if path.rpartition("/")[2] in enabled:
            yield from ((path, address) for address in _overridden(reader.text(path) or ""))


def _named(reader: Reader, directory: str, suffix: str) -> list[str]:
    return [
        f"{directory}/{name}"
        for name in reader.names(directory)
        if name.endswith(suffix) and any(word in name for word in _WORDS)
    ]


def _enabled(reader: Reader) -> frozenset[str]:
    return frozenset(
        unit
        for name in reader.names(UNITS)
        if name.endswith((".wants", ".requires"))
        for unit in reader.names(f"{UNITS}/{name}")
    )


def is_asked(directory: str, name: str) -> bool:
    """Whether an entry of a directory of units, rules or driverctl's files is about this, or how units are switched on."""
    if directory.startswith(f"{DRIVERCTL}/"):
        return PciAddress.parse(name.removeprefix("pci-")) is not None
    unit, dot, kind = name.rpartition(".")
    if dot and kind in ("wants", "requires"):
        return unit in _TARGETS
    return any(word in name for word in _WORDS)


def kept_rules(text: str) -> str:
    """What others may see of a file of rules: the addresses they override, a line for each rule."""
    return "".join(kept(line) for line in lines(text) if not stripped(line).startswith("#"))


def kept(text: str) -> str:
    """What others may see of a unit or a rule: the addresses it overrides, and nothing else anybody wrote there."""
    addresses = _overridden(text)
    return " ".join(["driver_override", DRIVER, *addresses]) + "\n" if addresses else ""


def _overridden(text: str) -> list[PciAddress]:
    return _addresses(text) if "driver_override" in text and DRIVER in text else []


def _addresses(text: str) -> list[PciAddress]:
    """Every PCI address in `text`, once: what stands between slashes, quotes and blanks."""
    for mark in "/\"'=;":
        text = text.replace(mark, " ")
    found = (PciAddress.parse(word) for word in fields(text))
    return sorted({address for address in found if address is not None}, key=lambda address: address.order)
