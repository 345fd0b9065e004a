"""`NodeReport`: everything a survey found. Its fields are the registry of areas.

A new area is one module in areas/ and one line here; JSON, schema, labels, metrics, capture and the laws follow.
"""

from __future__ import annotations

from hostagent.area import Area, LabelOptions, Probed
from hostagent.areas import (
    cpu,
    firmware,
    hugepages,
    iommu,
    kernel,
    kubelet,
    kvm,
    memory,
    network,
    numa,
    pci,
    sriov,
    storage,
    vfio,
    watchdog,
)
from hostagent.host import Host, Problem
from hostagent.host.problem import FAILED
from hostagent.values.record import record, record_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SCHEMA_VERSION = 2


@record
class NodeReport:
    """One survey of one machine. No clocks: equal machines, equal reports.

    What the machine does not offer is null. So is what could not be read or understood: `problems` of the area names the file.
    """

    schema_version: int
    """Version of the shape of this document, which grows with it; later versions read the documents of earlier ones."""
    # Of the areas their own `about` says what they are.
    pci: Probed[pci.Pci] | None
    iommu: Probed[iommu.Iommu] | None
    vfio: Probed[vfio.Vfio] | None
    sriov: Probed[sriov.Sriov] | None
    hugepages: Probed[hugepages.Hugepages] | None
    numa: Probed[numa.Numa] | None
    cpu: Probed[cpu.Cpu] | None
    kvm: Probed[kvm.Kvm] | None
    watchdog: Probed[watchdog.Watchdog] | None
    kernel: Probed[kernel.Kernel] | None
    firmware: Probed[firmware.Firmware] | None
    memory: Probed[memory.Memory] | None
    network: Probed[network.Network] | None
    storage: Probed[storage.Storage] | None
    kubelet: Probed[kubelet.Kubelet] | None


AREAS: dict[str, Area[Any]] = {name: globals()[name].AREA for name in record_fields(NodeReport)[1:]}

# Display controllers, NICs, storage, audio, co-processors, USB and accelerators: what is handed to guests.
DEFAULT_LABEL_OPTIONS = LabelOptions(
    pci_classes=("01", "02", "03", "0403", "0b", "0c03", "12"),
    cpu_features=(
        "vmx", "svm", "avx", "avx2", "avx512f", "aes", "pdpe1gb", "x2apic", "nonstop_tsc", "hypervisor", "sev", "sev_es",
        "sev_snp", "tdx_host_platform", "amx_tile", "ept", "npt", "la57",
    ),
)  # fmt: skip


def survey(host: Host, only: frozenset[str] | None = None) -> NodeReport:
    """Look at every area of `host`, or at those named in `only`. Never raises for what the machine holds."""
    found = {name: _probed(area, host) if only is None or name in only else None for name, area in AREAS.items()}
    return NodeReport(schema_version=SCHEMA_VERSION, **found)


def _probed(area: Area[Any], host: Host) -> Probed[Any]:
    reader = host.reader()
    try:
        data = area.probe(reader)
    except Exception as error:  # noqa: BLE001 - the one place: a bug in one area must not cost the node its other facts
        trace, where = error.__traceback__, ""
        while trace is not None:
            where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
            trace = trace.tb_next
        bug = Problem(path=area.name, kind=FAILED, detail=f"{type(error).__name__}: {error} in {where}")
        return Probed(data=None, problems=(*reader.problems, bug))
    return Probed(data=data, problems=tuple(reader.problems))


def surveyed(report: NodeReport) -> Iterator[tuple[Area[Any], Probed[Any]]]:
    """The areas that were asked for, with what they found."""
    for name, area in AREAS.items():
        probed = getattr(report, name)
        if probed is not None:
            yield area, probed


def problems(report: NodeReport) -> tuple[tuple[str, Problem], ...]:
    """(area name, problem) for everything that could not be read."""
    return tuple((area.name, problem) for area, probed in surveyed(report) for problem in probed.problems)


def complete(report: NodeReport) -> bool:
    """Whether every area was asked for, and everything could be read: only then is nothing hidden."""
    probed = [getattr(report, name) for name in AREAS]
    return all(one is not None and one.data is not None and not one.problems for one in probed)
