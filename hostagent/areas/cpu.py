"""The CPUs: what they are, what they can do, how they are arranged and what they are vulnerable to.

    proc/cpuinfo                                                       see hostagent.values.cpuinfo
    proc/sys/kernel/arch                                               uname -m (Linux 6.1)
    sys/devices/system/cpu/{online,offline,possible,present,isolated,nohz_full}
    sys/devices/system/cpu/smt/{control,active}                        Linux 4.19
    sys/devices/system/cpu/vulnerabilities/*                           see hostagent.host.vulnerabilities
    sys/devices/cpu_{core,atom,lowpower}/cpus                          kinds of cores of Intel hybrid parts

(Documentation/ABI/testing/sysfs-devices-system-cpu.) Flags are those all online CPUs have: what a guest that may run on
any of them can be given. Frequencies are left out: they change while nothing does.
"""

from __future__ import annotations

from hostagent.area import Area, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen, truth
from hostagent.host import Reader
from hostagent.host.cpuinfo import cpuinfo
from hostagent.host.topology import PATH, sockets_and_cores
from hostagent.host.vulnerabilities import Vulnerability, vulnerabilities
from hostagent.values import blanks
from hostagent.values.cpuid import architecture, identity
from hostagent.values.cpuinfo import IDENTITY, CpuInfo, flag_sets, number
from hostagent.values.cpuset import CpuSet
from hostagent.values.labels import fitted, is_name
from hostagent.values.record import record
from hostagent.values.x86 import x86_64_level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = ("core", "atom", "lowpower")
# As KubeVirt's cpu-vendor label and NFD spell them.
_VENDORS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD", "HygonGenuine": "Hygon"}


@record
class CpuPart:
    """CPUs that are alike. One on most machines; several on hybrid ones, and where microcode differs.

    `kind`: core, atom or lowpower on Intel hybrid parts, else None.
    """

    cpus: CpuSet
    kind: str | None
    vendor: str | None
    family: int | None
    model: int | None
    stepping: int | None
    model_name: str | None
    microcode: str | None


@record
class DifferingFlag:
    """A flag that some online CPUs have and others lack."""

    flag: str
    cpus: CpuSet


@record
class Topology:
    """`sockets`, `cores` and `threads` count what is online. The sets are None where the kernel does not say."""

    sockets: int | None
    cores: int | None
    threads: int | None
    online: CpuSet | None
    offline: CpuSet | None
    possible: CpuSet | None
    present: CpuSet | None
    isolated: CpuSet | None
    nohz_full: CpuSet | None


@record
class Smt:
    """`control`: on, off, forceoff, notsupported, notimplemented or a number of threads.

    `active`: whether some core has two threads online.
    """

    control: str | None
    active: bool | None


@record
class Cpu:
    """The CPUs. `vendor` to `microcode` are those of the first; `parts` has all. Bits are of addresses.

    `flags`: what every online CPU has, sorted; `differing`: what only some have. `hypervisor`: whether this is a guest;
    None but on x86. `virtualization`: vmx, svm or None. `x86_64_level`: 1 to 4, see hostagent.values.x86.
    """

    architecture: str | None
    vendor: str | None
    family: int | None
    model: int | None
    stepping: int | None
    model_name: str | None
    microcode: str | None
    physical_bits: int | None
    virtual_bits: int | None
    virtualization: str | None
    hypervisor: bool | None
    x86_64_level: int | None
    topology: Topology
    smt: Smt
    parts: tuple[CpuPart, ...]
    flags: tuple[str, ...]
    differing: tuple[DifferingFlag, ...]
    vulnerabilities: tuple[Vulnerability, ...]


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
        topology=_topology(reader, info),
        smt=Smt(control=reader.text(f"{PATH}/smt/control"), active=reader.flag(f"{PATH}/smt/active")),
        parts=_parts(reader, info),
        flags=tuple(sorted(common)),
        differing=_differing(sets, common),
        vulnerabilities=vulnerabilities(reader),
    )


def _bits(info: CpuInfo) -> dict[str, int | None]:
    """`address sizes : 46 bits physical, 48 bits virtual`."""
    fields = next(iter(info.processors.values()), {})
    words = (blanks.fields(part) for part in fields.get("address sizes", "").split(","))
    return {word[2]: number(word[0]) for word in words if len(word) == 3 and word[1] == "bits"}


def _topology(reader: Reader, info: CpuInfo) -> Topology:
    online = _set(reader, "online")
    cpus = online or CpuSet(sorted(info.processors))
    sockets, cores = sockets_and_cores(reader, info, cpus)
    return Topology(
        sockets=sockets,
        cores=cores,
        threads=len(cpus) or None,
        online=online,
        offline=_set(reader, "offline"),
        possible=_set(reader, "possible"),
        present=_set(reader, "present"),
        isolated=_set(reader, "isolated"),
        nohz_full=_set(reader, "nohz_full"),
    )


def _set(reader: Reader, name: str) -> CpuSet | None:
    return reader.parsed(f"{PATH}/{name}", _cpus, "a list of CPUs such as 0-3,8")


def _cpus(text: str) -> CpuSet | None:
    # nohz_full where it is built in and not used.
    return CpuSet(()) if text == "(null)" else CpuSet.parse(text)


def _parts(reader: Reader, info: CpuInfo) -> tuple[CpuPart, ...]:
    kinds: dict[int, str] = {}
    for kind in _KINDS:
        for cpu in reader.parsed(f"sys/devices/cpu_{kind}/cpus", CpuSet.parse, "a list of CPUs") or ():
            kinds[cpu] = kind
    alike: dict[tuple[str | None, ...], list[int]] = {}
    for cpu, fields in info.processors.items():
        alike.setdefault((kinds.get(cpu), *map(fields.get, IDENTITY)), []).append(cpu)
    return tuple(
        CpuPart(
            cpus=CpuSet(sorted(cpus)),
            kind=kind,
            vendor=which.vendor,
            family=which.family,
            model=which.model,
            stepping=which.stepping,
            model_name=which.model_name,
            microcode=which.microcode,
        )
        for (kind, *_), cpus in alike.items()
        for which in (identity(info, info.processors[cpus[0]]),)
    )


def _differing(sets: dict[frozenset[str], list[int]], common: frozenset[str]) -> tuple[DifferingFlag, ...]:
    having: dict[str, list[int]] = {}
    for flags, cpus in sets.items():
        for flag in flags - common:
            having.setdefault(flag, []).extend(cpus)
    return tuple(DifferingFlag(flag=flag, cpus=CpuSet(sorted(having[flag]))) for flag in sorted(having))


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
