"""The machine in a few cards: KVM, IOMMU and VFIO; the CPU; the system. A fact nobody tells has no line."""

from __future__ import annotations

from hostagent.assess import Assessment
from hostagent.assess.firmware import firmware_name
from hostagent.assess.node import data
from hostagent.publish.page.html import NOTHING, Html, element, joined
from hostagent.report import NodeReport
from hostagent.values.words import counted, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Row = tuple[str, object]

_SMT = {"notsupported": "not supported", "notimplemented": "not implemented", "forceoff": "forced off"}


def section(report: NodeReport, machine: Assessment) -> Html:
    """One card a topic, of the areas that were asked for."""
    topics = (
        ("Virtualization", (*_kvm(report), *_iommu(report, machine), *_vfio(report, machine))),
        ("CPU", tuple(_cpu(report))),
        ("System", (*_hardware(report), *_kernel(report), *_memory(report), *_kubelet(report))),
    )
    told = ((title, [row for row in rows if row[1] not in (None, "")]) for title, rows in topics)
    cards = [_card(title, rows) for title, rows in told if rows]
    if not cards:
        return NOTHING
    return element("section", element("h2", "Machine", id="machine"), element("div", *cards, cls="facts"))


def _card(title: str, rows: Iterable[Row]) -> Html:
    lines = [joined((element("dt", name), element("dd", said))) for name, said in rows]
    return element("article", element("h3", title), element("dl", *lines))


def flag(value: bool | None, *, needed: bool = False, words: tuple[str, str] = ("yes", "no")) -> Html | None:  # noqa: FBT001 - a value to be shown
    """One of two words with a sign; None where nobody says. `needed`: guests miss something without it."""
    if value is None:
        return None
    state = "viable" if value else "protected" if needed else "in-use"
    mark = element("i", "✓" if value else "\N{EN DASH}", aria_hidden="true")
    return element("b", mark, f" {words[0] if value else words[1]}", cls=f"flag {state}")


def _iommu(report: NodeReport, machine: Assessment) -> Iterator[Row]:
    found = data(report.iommu)
    if found is None:
        return
    off = None if machine.iommu_off is None else f" {machine.iommu_off}"
    yield "IOMMU", joined((flag(found.enabled, needed=True, words=("on", "off")), off))
    yield "IOMMU vendor", found.vendor
    yield "Default domains", found.default_domain
    if found.enabled:
        yield "Interrupt remapping", flag(found.interrupt_remapping, needed=True)
    yield "Arguments", element("code", " ".join(found.arguments)) if found.arguments else None


def _vfio(report: NodeReport, machine: Assessment) -> Iterator[Row]:
    found = data(report.vfio)
    if found is None:
        return
    yield "vfio-pci", found.vfio_pci
    for request in found.id_requests:
        place = request.source if request.line is None else f"{request.source}:{request.line}"
        heard = ", not heard" if machine.unheard(request) else ""
        ids = element("code", ",".join(request.ids))
        yield "Asked to take", joined((ids, element("small", f" {place}{heard}")))
    parameters = found.parameters
    for name, value in (
        ("Unsafe interrupts", parameters.unsafe_interrupts),
        ("No-IOMMU mode", parameters.noiommu),
        ("Denylist off", parameters.disable_denylist),
    ):
        if value:
            yield name, element("b", "! yes", cls="flag blocked")


def _kvm(report: NodeReport) -> Iterator[Row]:
    found = data(report.kvm)
    if found is None:
        return
    yield "Runs guests", flag(found.available, needed=True)
    yield "Nested guests", flag(found.nested)
    yield "SEV", flag(found.sev)
    yield "SEV-SNP", flag(found.sev_snp)
    yield "TDX", flag(found.tdx)
    nodes = (
        ("kvm", found.kvm_node), ("tun", found.tun_node), ("vhost-net", found.vhost_net_node),
        ("vhost-vsock", found.vhost_vsock_node),
    )  # fmt: skip
    here = [name for name, there in nodes if there]
    unknown = not here and any(there is None for _, there in nodes)
    yield "Nodes in /dev", ", ".join(here) if here else "unknown" if unknown else "none"


def _cpu(report: NodeReport) -> Iterator[Row]:
    found = data(report.cpu)
    if found is None:
        return
    topology = found.topology
    yield "Model", found.model_name or found.vendor
    yield "Architecture", found.architecture
    counts = ((topology.sockets, "socket"), (topology.cores, "core"), (topology.threads, "thread"))
    yield "Topology", ", ".join(counted(number, name) for number, name in counts if number is not None)
    yield "x86-64 level", None if found.x86_64_level is None else f"v{found.x86_64_level}"
    yield "Virtualization", found.virtualization or ("none" if found.architecture == "x86_64" else None)
    yield "Virtual machine", "yes" if found.hypervisor else None
    yield "SMT", _SMT.get(found.smt.control or "", found.smt.control)
    yield "Isolated", None if not topology.isolated else f"CPUs {topology.isolated}"
    yield "Microcode", found.microcode
    yield "Differing flags", ", ".join(one.flag for one in found.differing[:8]) or None
    vulnerable = [entry.name for entry in found.vulnerabilities if entry.state == "vulnerable"]
    if vulnerable:
        yield "Vulnerable to", element("span", ", ".join(vulnerable), cls="text-protected")


def _hardware(report: NodeReport) -> Iterator[Row]:
    found = data(report.firmware)
    if found is None:
        return
    dmi = found.dmi
    yield "Firmware", firmware_name(found)
    yield "Firmware version", None if dmi is None else " ".join(p for p in (dmi.bios_vendor, dmi.bios_version) if p)
    yield "Secure Boot", flag(found.secure_boot)
    yield "BMC", "present" if found.bmc else None


def _kernel(report: NodeReport) -> Iterator[Row]:
    found = data(report.kernel)
    if found is None:
        return
    yield "Kernel", found.release
    os = found.os
    if os is not None:
        name = " ".join(part for part in (os.variant_id or os.id, os.version_id) if part)
        yield "System", f"{name}, ostree" if os.ostree else name
    yield "Lockdown", found.lockdown
    yield "Tainted", "".join(found.taints) or None


def _memory(report: NodeReport) -> Iterator[Row]:
    found = data(report.memory)
    if found is None:
        return
    yield "Memory", None if found.total is None else size(found.total)
    if found.swap_total is not None:
        yield (
            "Swap",
            f"{size(found.swap_total)}{', in use' if found.swap_in_use else ''}" if found.swap_total else "none",
        )
    yield "Same-page merging", None if found.ksm is None else "on" if found.ksm.run == 1 else "off"


def _kubelet(report: NodeReport) -> Iterator[Row]:
    found = data(report.kubelet)
    if found is None or not found.present:
        return
    yield "CPU manager", found.cpu_manager_policy
    yield "Memory manager", found.memory_manager_policy
    yield "Device plugins", ", ".join(found.device_plugins or ()) or None
    yield "KubeVirt", "present" if found.kubevirt else None
