"""Why no IOMMU translates, and why VFIO gives no device away although one does: each sentence once."""

from __future__ import annotations

from hostagent.areas import iommu as area
from hostagent.assess.node import Node, data

_SETTING = {"intel": "Intel VT-d", "amd": "AMD IOMMU (AMD-Vi)", "arm": "SMMU"}


def why_off(node: Node) -> str | None:
    """A clause; None where the IOMMU is on, or nobody looked."""
    found = data(node.report.iommu)
    if found is None or found.enabled:
        return None
    setting = _SETTING.get(found.vendor or node.iommu_vendor() or "", "the IOMMU")
    clauses = {
        area.NO_TABLE: f"the firmware describes none, so {setting} is off in its setup, or not there",
        area.OFF_BY_ARGUMENT: f"{given(found, 'off')} on the kernel command line switches it off",
        area.NOT_ENABLED: "the firmware has VT-d, and the kernel was not given intel_iommu=on",
        area.NOT_STARTED: (
            f"the firmware describes one ({', '.join(found.tables or ())}), and the kernel did not start it: its log says why"
        ),
        area.GUEST: "this is a virtual machine that was given none",
        area.UNKNOWN: "there are no ACPI tables that would say why",
    }
    return clauses.get(found.reason, clauses[area.UNKNOWN])


def given(found: area.Iommu, word: str) -> str:
    """The arguments about it that have `word` among their values."""
    return " ".join(one for one in found.arguments if word in one.partition("=")[2].split(",")) or "nothing about it"


def why_unremapped(node: Node) -> str | None:
    """Where interrupts are not remapped and VFIO was not told to do without."""
    iommu, vfio = data(node.report.iommu), data(node.report.vfio)
    unsafe = vfio is not None and vfio.parameters.unsafe_interrupts is True
    if iommu is None or iommu.interrupt_remapping is not False or unsafe:
        return None
    return "interrupts are not remapped: VFIO gives no device away"
