"""The machine in a dozen lines: what it is, what runs on it, and what guests could use of it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from hostagent.areas.cpu import Cpu
from hostagent.areas.kvm import Kvm
from hostagent.areas.memory import Memory
from hostagent.areas.numa import Numa
from hostagent.assess import Assessment
from hostagent.cli.table.iommu import iommu_line, vfio_lines
from hostagent.cli.table.system import firmware_line, kernel_line, kubelet_line
from hostagent.cli.table.words import CARE, GOOD, QUIET, facts, found, heading, joined, onoff, text
from hostagent.report import NodeReport
from hostagent.values.words import counted, size

_LEVELS = {1: "x86-64", 2: "x86-64-v2", 3: "x86-64-v3", 4: "x86-64-v4"}


def section(report: NodeReport, judged: Assessment) -> Iterator[RenderableType]:
    """One line a topic, of the areas that were asked for."""
    rows = list(_rows(report, judged))
    if rows:
        yield heading("Machine")
        yield facts(rows)


def _rows(report: NodeReport, judged: Assessment) -> Iterator[tuple[str, Text | None]]:
    cpu, kvm, memory = found(report.cpu), found(report.kvm), found(report.memory)
    numa, iommu, vfio = found(report.numa), found(report.iommu), found(report.vfio)
    firmware, kernel, kubelet = found(report.firmware), found(report.kernel), found(report.kubelet)
    if firmware is not None:
        yield "Hardware", firmware_line(firmware)
    if kernel is not None:
        yield "Kernel", kernel_line(kernel)
    if cpu is not None:
        yield from _cpu(cpu)
    if memory is not None:
        yield "Memory", _memory(memory)
    if numa is not None and len(numa.nodes) > 1:
        yield from _numa(numa)
    if kvm is not None:
        yield "KVM", _kvm(kvm)
    if iommu is not None:
        yield "IOMMU", iommu_line(iommu, judged.iommu_off)
    for number, said in enumerate(vfio_lines(vfio, judged) if vfio is not None else ()):
        yield "VFIO" if number == 0 else "", said
    if kubelet is not None:
        yield "Kubelet", kubelet_line(kubelet)


def _cpu(cpu: Cpu) -> Iterator[tuple[str, Text | None]]:
    topology = cpu.topology
    counts = [
        counted(number, name)
        for number, name in ((topology.sockets, "socket"), (topology.cores, "core"), (topology.threads, "thread"))
        if number is not None
    ]
    isolated = topology.isolated
    yield (
        "CPU",
        joined(
            (
                cpu.model_name or cpu.vendor or cpu.architecture,
                ", ".join(counts) or None,
                _LEVELS.get(cpu.x86_64_level or 0),
                Text(cpu.virtualization, style=GOOD) if cpu.virtualization else None,
                "a virtual machine" if cpu.hypervisor else None,
                f"SMT {cpu.smt.control}" if cpu.smt.control in ("on", "off", "forceoff") else None,
                f"isolated {isolated}" if isolated else None,
            )
        ),
    )
    if cpu.differing:
        flags = ", ".join(f"{flag.flag} (CPUs {flag.cpus})" for flag in cpu.differing[:6])
        more = f" and {len(cpu.differing) - 6} more" if len(cpu.differing) > 6 else ""
        yield "", text(f"CPUs differ: {flags}{more}", CARE)
    vulnerable = [entry.name for entry in cpu.vulnerabilities if entry.state == "vulnerable"]
    if vulnerable:
        yield "", text(f"vulnerable: {', '.join(vulnerable)}", CARE)


def _memory(memory: Memory) -> Text:
    swap = None
    if memory.swap_total is not None:
        used = Text(", in use", style=CARE) if memory.swap_in_use else Text()
        swap = Text.assemble(f"swap {size(memory.swap_total)}" if memory.swap_total else "no swap", used)
    ksm = None if memory.ksm is None else onoff(memory.ksm.run == 1, "KSM")
    return joined((size(memory.total) if memory.total is not None else None, swap, ksm))


def _numa(numa: Numa) -> Iterator[tuple[str, Text]]:
    for position, node in enumerate(numa.nodes):
        said = joined(
            (
                f"node {node.number}",
                None if node.cpus is None else f"CPUs {node.cpus}" if node.cpus else Text("no CPUs", style=QUIET),
                size(node.memory_total) if node.memory_total is not None else None,
            )
        )
        yield "" if position else "NUMA", said


def _kvm(kvm: Kvm) -> Text:
    ready = kvm.available
    return joined(
        (
            Text("ready" if ready else "not available", style=GOOD if ready else CARE),
            onoff(kvm.nested, "nested"),
            *(onoff(value, name) for name, value in (("SEV", kvm.sev), ("SEV-SNP", kvm.sev_snp), ("TDX", kvm.tdx))),
            Text("no /dev/kvm", style=CARE) if ready and kvm.kvm_node is False else None,
        )
    )
