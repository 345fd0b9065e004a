"""The CPUs: what they are, what they can do, how they are arranged and what they are vulnerable to.

    proc/cpuinfo                                                       see hostagent.values.cpuinfo
    proc/sys/kernel/arch                                               uname -m (Linux 6.1)
    sys/devices/system/cpu/smt/{control,active}                        Linux 4.19
    sys/devices/system/cpu/vulnerabilities/*                           see hostagent.host.vulnerabilities

How they are arranged: hostagent.host.topology. Which are alike: hostagent.host.cpu_parts.

(Documentation/ABI/testing/sysfs-devices-system-cpu.) Flags are those all online CPUs have: what a guest that may run on
any of them can be given. Frequencies are left out: they change while nothing does.
"""

from __future__ import annotations

from hostagent.area import Area, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen, truth
from hostagent.host import Reader
from hostagent.host.cpu_parts import CpuPart, DifferingFlag, differing, parts
from hostagent.host.cpuinfo import cpuinfo
from hostagent.host.topology import PATH, Topology, topology
from hostagent.host.vulnerabilities import Vulnerability, vulnerabilities
from hostagent.values import blanks
from hostagent.values.cpuid import architecture, identity
from hostagent.values.cpuinfo import CpuInfo, flag_sets, number
from hostagent.values.labels import fitted, is_name
from hostagent.values.record import record
from hostagent.values.x86 import x86_64_level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# As KubeVirt's cpu-vendor label and NFD spell them.
_VENDORS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD", "HygonGenuine": "Hygon"}


@record
class Smt:
    """Several threads a core."""

    control: str | None
    """on, off, forceoff, notsupported, notimplemented or a number of threads; sys/devices/system/cpu/smt/control. Null
    where there is no such file, as before Linux 4.19."""
    active: bool | None
    """Whether some core has two threads online; sys/devices/system/cpu/smt/active. Null where there is no such file, as
    before Linux 4.19."""


@record
class Cpu:
    """The CPUs."""

    architecture: str | None
    """As uname -m has it; proc/sys/kernel/arch, before Linux 6.1 told by proc/cpuinfo. Null where neither tells."""
    vendor: str | None
    """Vendor of the first CPU, as in GenuineIntel, AuthenticAMD or ARM; proc/cpuinfo. Null where that does not say."""
    family: int | None
    """Family of the first CPU, on arm64 its architecture; proc/cpuinfo. Null where that has no number for it."""
    model: int | None
    """Model of the first CPU, on arm64 its part, on s390x the machine; proc/cpuinfo. Null where that has no number for
    it."""
    stepping: int | None
    """Stepping of the first CPU, on arm64 variant * 16 + revision; proc/cpuinfo. Null where that has no number for
    it."""
    model_name: str | None
    """Name of the first CPU; proc/cpuinfo. Null where that has none, as on most arm64."""
    microcode: str | None
    """Microcode of the first CPU as the kernel writes it; proc/cpuinfo. Null where that has none, as but on x86."""
    physical_bits: int | None
    """Bits of physical addresses; `address sizes` in proc/cpuinfo. Null where that has none, as but on x86."""
    virtual_bits: int | None
    """Bits of virtual addresses; `address sizes` in proc/cpuinfo. Null where that has none, as but on x86."""
    virtualization: str | None
    """vmx or svm, where every online CPU has that flag. Null where not, and but on x86."""
    hypervisor: bool | None
    """Whether this is a guest, as x86 CPUs say (flag hypervisor). Null on others, and where no flags are known."""
    x86_64_level: int | None
    """Micro-architecture level that every online CPU has, 1 to 4. Null below 1, as on 32-bit CPUs, and but on x86."""
    topology: Topology
    """How the CPUs are arranged."""
    smt: Smt
    """Several threads a core."""
    parts: tuple[CpuPart, ...]
    """CPUs that are alike, each in one part; in the order of proc/cpuinfo."""
    flags: tuple[str, ...]
    """Flags that every online CPU has, sorted; flags, Features or isa in proc/cpuinfo."""
    differing: tuple[DifferingFlag, ...]
    """Flags that only some online CPUs have, sorted."""
    vulnerabilities: tuple[Vulnerability, ...]
    """What this kernel knows CPUs to be vulnerable to, by name; sys/devices/system/cpu/vulnerabilities."""


def probe(reader: Reader) -> Cpu:
    """Everything, from one read of /proc/cpuinfo and one file for each fact beside it."""
    info = cpuinfo(reader) or CpuInfo(processors={}, machine={})
    sets = flag_sets(info)
    common = frozenset.intersection(*sets) if sets else frozenset[str]()
    first = identity(info, next(iter(info.processors.values()), {}))
    word = reader.text("proc/sys/kernel/arch") or architecture(info, common)
    x86 = word in ("x86_64", "i386", "i686")
    bits = _bits(info)
    return Cpu(
        architecture=word,
        vendor=first.vendor,
        family=first.family,
        model=first.model,
        stepping=first.stepping,
        model_name=first.model_name,
        microcode=first.microcode,
        physical_bits=bits.get("physical"),
        virtual_bits=bits.get("virtual"),
        virtualization=next((flag for flag in ("vmx", "svm") if x86 and flag in common), None),
        hypervisor="hypervisor" in common if x86 and sets else None,
        x86_64_level=x86_64_level(common) if x86 else None,
        topology=topology(reader, info),
        smt=Smt(control=reader.text(f"{PATH}/smt/control"), active=reader.flag(f"{PATH}/smt/active")),
        parts=parts(reader, info),
        flags=tuple(sorted(common)),
        differing=differing(sets, common),
        vulnerabilities=vulnerabilities(reader),
    )


def _bits(info: CpuInfo) -> dict[str, int | None]:
    """`address sizes : 46 bits physical, 48 bits virtual`."""
    fields = next(iter(info.processors.values()), {})
    words = (blanks.fields(part) for part in fields.get("address sizes", "").split(","))
    return {word[2]: number(word[0]) for word in words if len(word) == 3 and word[1] == "bits"}


def labels(cpu: Cpu, options: LabelOptions) -> Iterator[tuple[str, str]]:
    """Vendor, level, and the chosen flags that every CPU has."""
    if cpu.vendor is not None and (vendor := fitted(_VENDORS.get(cpu.vendor, cpu.vendor))):
        yield "cpu.vendor", vendor
    if cpu.x86_64_level is not None:
        yield "cpu.level", str(cpu.x86_64_level)
    for flag in sorted(set(options.cpu_features) & set(cpu.flags)):
        if is_name(key := f"cpu-feature.{flag}"):
            yield key, truth(True)


_LABELS = (
    LabelDoc(key="cpu.vendor", values="Intel, AMD, ARM, ...", meaning="who made the CPUs"),
    LabelDoc(key="cpu.level", values="1, 2, 3, 4", meaning="x86-64 micro-architecture level that every online CPU has"),
    LabelDoc(
        key="cpu-feature.<flag>",
        values="true",
        meaning="every online CPU has this /proc/cpuinfo flag; only for the flags configured",
    ),
)

_INFO = Metric(
    name="hostagent_cpu_info",
    help="CPUs that are alike: what they are. Always 1.",
    labels=("cpus", "architecture", "vendor", "family", "model", "stepping", "model_name", "microcode"),
)
_VULNERABILITY = Metric(
    name="hostagent_cpu_vulnerability_info",
    help="State of a CPU vulnerability: not-affected, mitigated, vulnerable or unknown. Always 1.",
    labels=("name", "state"),
)


def _gauge(name: str, help_text: str) -> Metric:
    return Metric(name=f"hostagent_cpu_{name}", help=help_text, labels=())


_SOCKETS = _gauge("sockets", "Sockets that have a CPU online.")
_CORES = _gauge("cores", "Cores that have a CPU online.")
_THREADS = _gauge("threads", "CPUs online.")
_ISOLATED = _gauge("isolated_threads", "CPUs kept from the scheduler by isolcpus=.")
_LEVEL = _gauge("x86_64_level", "x86-64 micro-architecture level that every online CPU has.")
_SMT = _gauge("smt_active", "Whether cores run more than one thread.")
_DIFFERING = _gauge("differing_flags", "Flags that some online CPUs have and others lack.")


def _said(value: object) -> str:
    return "" if value is None else str(value)


def samples(cpu: Cpu) -> Iterator[Sample]:
    """Identity of each kind of CPU, counts, vulnerabilities."""
    for part in cpu.parts:
        which = (part.vendor, part.family, part.model, part.stepping, part.model_name, part.microcode)
        yield Sample(metric=_INFO, labels=tuple(map(_said, (part.cpus, cpu.architecture, *which))), value=1)
    isolated = cpu.topology.isolated
    for metric, value in (
        (_SOCKETS, cpu.topology.sockets),
        (_CORES, cpu.topology.cores),
        (_THREADS, cpu.topology.threads),
        (_ISOLATED, None if isolated is None else len(isolated)),
        (_LEVEL, cpu.x86_64_level),
        (_SMT, cpu.smt.active),
        (_DIFFERING, len(cpu.differing) if cpu.flags else None),
    ):
        if value is not None:
            yield Sample(metric=metric, labels=(), value=value)
    for vulnerability in cpu.vulnerabilities:
        yield Sample(metric=_VULNERABILITY, labels=(vulnerability.name, vulnerability.state), value=1)


AREA = Area(
    name="cpu",
    about="CPU identity, flags, topology, SMT and vulnerabilities",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(
        _INFO, _VULNERABILITY, _SOCKETS, _CORES, _THREADS, _ISOLATED, _LEVEL, _SMT, _DIFFERING,
    ),
    guard=None,
    unseen=nothing_unseen,
)  # fmt: skip
