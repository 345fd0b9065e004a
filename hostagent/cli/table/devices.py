"""PCI functions: in the tree of their IOMMU groups where there are groups, else in a list."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from hostagent.cli.table.functions import line, shelf
from hostagent.cli.table.words import counted, heading
from hostagent.report import NodeReport


def section(report: NodeReport, width: int) -> Iterator[RenderableType]:
    """Every function."""
    if report.pci is None or report.pci.data is None:
        return
    pci = report.pci.data
    on = shelf(pci, width)
    yield heading("PCI functions", counted(len(pci.functions), "function"))
    for function in pci.functions:
        yield line(function, on)
