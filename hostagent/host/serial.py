"""Serial consoles, and the PCI functions that carry them: a UART on a card, Intel AMT's serial over LAN, USB behind its host.

    proc/cmdline                     console=ttyS4,115200n8
    sys/class/tty/console/active     tty0 ttyS4                  those that the kernel has, SPCR's of firmware too
    sys/class/tty/ttyS4  -> ../../devices/pci0000:00/0000:00:16.3/tty/ttyS4
                         -> ../../devices/pci0000:00/0000:00:16.3/0000:00:16.3:0/0000:00:16.3:0.0/tty/ttyS4   (Linux 6.5)
                         -> ../../devices/platform/serial8250/tty/ttyS1     a legacy port, which no PCI function has

(Documentation/admin-guide/serial-console.rst.)
"""

from __future__ import annotations

from hostagent.host.carriers import place, split, with_physical
from hostagent.host.cmdline import parameters
from hostagent.host.reader import Reader
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

TTYS = "sys/class/tty"
ACTIVE = f"{TTYS}/console/active"
# What lies below is on no hardware that sysfs would name: hvc of virtio and of hypervisors, netconsole.
_VIRTUAL = "sys/devices/virtual/"


@record
class SerialConsole:
    """A console of the kernel that is no display."""

    name: str
    """ttyS0, hvc0 ...; sys/class/tty/console/active, or console= of proc/cmdline."""
    functions: tuple[PciAddress, ...]
    """Addresses of the PCI functions that carry it, with the physical functions of VFs; empty where none is on PCI."""
    resolved: bool
    """Whether sysfs says where it is; where it does not, any serial port may be it."""


def serial_consoles(reader: Reader, active: tuple[str, ...] | None) -> tuple[SerialConsole, ...]:
    """Those that the kernel has or was told to have, in order of name."""
    given = [value.partition(",")[0] for name, value in parameters(reader) or () if name == "console" and value]
    names = sorted({name for name in (*(active or ()), *given) if _is_serial(name)})
    return tuple(_console(reader, name) for name in names)


def _is_serial(name: str) -> bool:
    """`ttyS0`, `hvc0`; not a display (`tty0`, `tty`), nor an address (`uart8250,io,0x3f8`), nor nothing (`null`)."""
    stem = name.rstrip("0123456789")
    return stem not in ("tty", "ttynull") and stem != name and "/" not in name and not name.startswith("uart")


def _console(reader: Reader, name: str) -> SerialConsole:
    path = f"{TTYS}/{name}"
    real = place(reader, path) if reader.exists(path) else None
    functions = split(real)[0] if real is not None else ()
    return SerialConsole(
        name=name,
        functions=with_physical(reader, functions),
        resolved=bool(functions)
        or (real is not None and real.startswith("sys/devices/") and not real.startswith(_VIRTUAL)),
    )
