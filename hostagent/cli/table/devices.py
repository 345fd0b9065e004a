"""PCI functions: in the tree of their IOMMU groups where there are groups, else in a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from hostagent.assess import WORDS, Assessment, GroupAssessment
from hostagent.cli.table import groups, uses
from hostagent.cli.table.functions import line, shelf
from hostagent.cli.table.words import CARE, GOOD, QUIET, found, heading, joined, text
from hostagent.host.pci import PciFunction
from hostagent.report import NodeReport
from hostagent.values.pci import PciAddress
from hostagent.values.words import counted


def section(report: NodeReport, judged: Assessment, width: int) -> Iterator[RenderableType]:
    """Every function."""
    pci = found(report.pci)
    if pci is None:
        return
    on = shelf(pci, width)
    remarks = _remarks(report)

    def remark(function: PciFunction) -> Text | None:
        return remarks.get(function.address)

    listed: frozenset[PciAddress] = frozenset()
    if judged.groups:
        listed = frozenset(part.function.address for group in judged.groups for part in group.functions)
        yield heading("IOMMU groups", _tally(judged.groups))
        yield groups.tree(judged.groups, on, remark)
    rest = [function for function in pci.functions if function.address not in listed]
    if rest:
        yield heading("PCI functions without an IOMMU group" if listed else "PCI functions", str(len(rest)))
    for function in rest:
        yield line(function, on, remark(function))


def _tally(judged: tuple[GroupAssessment, ...]) -> Text:
    states = Counter(map(groups.word, judged))
    words = [f"{states[word]} {word}" for word, _ in WORDS.values() if states[word]]
    return text(" · ".join((counted(len(judged), "group"), *words)), QUIET)


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
