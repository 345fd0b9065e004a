"""One PCI function as one line of the page, alone or in the tree of its IOMMU group."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hostagent.areas.pci import Pci, PciName
from hostagent.cli.table.words import GOOD, NAME, QUIET, joined, text
from hostagent.host.pci import PciFunction
from hostagent.values.record import record

NARROW = 76
_GUIDE = 4  # what the tree puts before a member of a group
# What a class is called where the host has no pci.ids (https://pci-ids.ucw.cz).
_CLASSES = {
    "00": "unclassified device", "01": "storage controller", "02": "network controller", "03": "display controller",
    "04": "multimedia device", "05": "memory controller", "06": "bridge", "07": "communication controller",
    "08": "system peripheral", "09": "input device controller", "0a": "docking station", "0b": "processor",
    "0c": "serial bus controller", "0c03": "USB controller", "0d": "wireless controller", "0e": "intelligent controller",
    "0f": "satellite communications controller", "10": "encryption controller", "11": "signal processing controller",
    "12": "processing accelerator", "13": "non-essential instrumentation",
}  # fmt: skip


@record
class Shelf:
    """What all lines share: names, and how wide the columns are."""

    names: Mapping[tuple[str, str, str], PciName]
    driver_width: int
    width: int

    @property
    def narrow(self) -> bool:
        """Whether a function takes two lines."""
        return self.width < NARROW


def shelf(pci: Pci, width: int) -> Shelf:
    """The shelf for all functions of a host on paper so wide."""
    return Shelf(
        names={(name.vendor_id, name.device_id, name.class_id): name for name in pci.names},
        driver_width=max((len(driver_text(function).plain) for function in pci.functions), default=0),
        width=width,
    )


def driver_text(function: PciFunction) -> Text:
    """The driver: ready for a guest, in use by the host, or none."""
    if function.driver is None:
        return Text("no driver", style=QUIET)
    return text(function.driver, GOOD if "vfio" in function.driver else "")


def ids(function: PciFunction) -> str:
    """`10de:1eb8`."""
    return f"{function.vendor_id}:{function.device_id}"


def title(function: PciFunction, names: Mapping[tuple[str, str, str], PciName]) -> Text:
    """`3D controller: NVIDIA Corporation TU104GL [Tesla T4]`, or what is known of it."""
    name = names.get((function.vendor_id, function.device_id, function.class_id))
    kind = name.class_name if name else None
    kind = kind or _CLASSES.get(function.class_id[:4]) or _CLASSES.get(function.class_id[:2])
    model = " ".join(part for part in (name.vendor, name.device) if part) if name else ""
    return text(": ".join(part for part in (kind, model) if part) or f"class {function.class_id}")


def line(function: PciFunction, on: Shelf, remark: Text | None = None, head: Text | None = None) -> RenderableType:
    """The function, behind `head` where there is one; on narrow paper as two lines."""
    address = Text(function.address, style=NAME)
    number = Text(ids(function), style=QUIET)
    driver = driver_text(function)
    node = Text(f"node {function.numa_node}", style=QUIET) if function.numa_node is not None else None
    what = joined((title(function, on.names), node, remark))
    if on.narrow:
        return Group(Text.assemble(address, " ", driver), Padding(Text.assemble(number, " ", what), (0, 0, 0, 2)))
    cells = [address, number, driver]
    driver.pad_right(on.driver_width - driver.cell_len)
    if head is not None:
        cells.insert(0, head)
    if sum(cell.cell_len + 2 for cell in cells) + what.cell_len + _GUIDE <= on.width:
        return Text("  ").join([*cells, what])
    # Only a table wraps the last column in its own place, at twenty times the cost.
    grid = Table.grid(padding=(0, 2, 0, 0))
    for cell in cells:
        grid.add_column(no_wrap=True, min_width=cell.cell_len)
    grid.add_column(overflow="fold")
    grid.add_row(*cells, what)
    return grid
