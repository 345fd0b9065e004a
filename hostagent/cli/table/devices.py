"""PCI functions: in the tree of their IOMMU groups where there are groups, else in a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from hostagent.cli.table import groups, uses
from hostagent.cli.table.functions import line, shelf
from hostagent.cli.table.words import CARE, GOOD, QUIET, found, heading, joined, text
from hostagent.host.pci import PciFunction
from hostagent.report import NodeReport
from hostagent.values.pci import PciAddress
from hostagent.values.words import counted


def section(report: NodeReport, width: int) -> Iterator[RenderableType]:
    """Every function."""
    pci, iommu = found(report.pci), found(report.iommu)
    if pci is None:
        return
    on = shelf(pci, width)
    remarks = _remarks(report)

    def remark(function: PciFunction) -> Text | None:
        return remarks.get(function.address)

    listed: frozenset[PciAddress] = frozenset()
    if iommu is not None and iommu.groups:
        functions = {function.address: function for function in pci.functions}
        grown = groups.branches(iommu.groups, report.vfio, functions)
        listed = frozenset(function.address for branch in grown for function in branch.functions)
        yield heading("IOMMU groups", _tally(grown))
        yield groups.tree(grown, on, remark)
    rest = [function for function in pci.functions if function.address not in listed]
    if rest:
        yield heading("PCI functions without an IOMMU group" if listed else "PCI functions", str(len(rest)))
    for function in rest:
        yield line(function, on, remark(function))


def _tally(grown: list[groups.Branch]) -> Text:
    states = Counter(groups.state(branch) for branch in grown)
    words = [f"{states[word]} {word}" for word in groups.STYLES if states[word]]
    return text(" · ".join((counted(len(grown), "group"), *words)), QUIET)


def _remarks(report: NodeReport) -> dict[PciAddress, Text]:
    """What sets a function apart: virtual, split into virtual ones, the console's, or carrying the host."""
    parts: dict[PciAddress, list[Text]] = {}
    sriov, pci = found(report.sriov), found(report.pci)
    if sriov is not None:
        for physical in sriov.physical_functions:
            used = f"{physical.num_vfs or 0} of {'?' if physical.total_vfs is None else physical.total_vfs} VFs"
            parts.setdefault(physical.address, []).append(Text(used, style=GOOD if physical.num_vfs else QUIET))
        for virtual in sriov.virtual_functions:
            said = Text(f"VF of {virtual.physical_function}", style=QUIET)
            parts.setdefault(virtual.address, []).append(said)
    for function in pci.functions if pci is not None else ():
        if function.detail is not None and function.detail.boot_vga:
            parts.setdefault(function.address, []).append(Text("console", style=CARE))
    for address, whats in uses.marks(report).items():
        parts.setdefault(address, []).append(uses.mark(whats))
    return {address: joined(said) for address, said in parts.items()}
