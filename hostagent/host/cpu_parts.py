"""Which CPUs are alike, and in what they differ: hybrid parts, mixed microcode.

sys/devices/cpu_{core,atom,lowpower}/cpus     0-15      kinds of cores of Intel hybrid parts
"""

from __future__ import annotations

from hostagent.values.cpuid import identity
from hostagent.values.cpuinfo import IDENTITY
from hostagent.values.cpuset import CpuSet
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader
    from hostagent.values.cpuinfo import CpuInfo

_KINDS = ("core", "atom", "lowpower")


@record
class CpuPart:
    """CPUs that are alike. One on most machines; several on hybrid ones, and where microcode differs."""

    cpus: CpuSet
    """The CPUs, of those online, as in 0-3,8; proc/cpuinfo."""
    kind: str | None
    """core, atom or lowpower, on Intel's hybrid parts; sys/devices/cpu_<kind>/cpus. Null on others."""
    vendor: str | None
    """Their vendor, as `cpu.data.vendor`. Null where proc/cpuinfo does not say."""
    family: int | None
    """Their family, as `cpu.data.family`. Null where proc/cpuinfo has no number for it."""
    model: int | None
    """Their model, as `cpu.data.model`. Null where proc/cpuinfo has no number for it."""
    stepping: int | None
    """Their stepping, as `cpu.data.stepping`. Null where proc/cpuinfo has no number for it."""
    model_name: str | None
    """Their name. Null where proc/cpuinfo has none, as on most arm64."""
    microcode: str | None
    """Their microcode revision as the kernel writes it. Null where proc/cpuinfo has none, as but on x86."""


@record
class DifferingFlag:
    """A flag that some online CPUs have and others lack."""

    flag: str
    """The flag, by its name in proc/cpuinfo."""
    cpus: CpuSet
    """The CPUs that have it, as in 0-3,8."""


def parts(reader: Reader, info: CpuInfo) -> tuple[CpuPart, ...]:
    """Every CPU in one of them, in the order of proc/cpuinfo."""
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


def differing(sets: dict[frozenset[str], list[int]], common: frozenset[str]) -> tuple[DifferingFlag, ...]:
    """Flags that are in one of `sets` (each with the CPUs that have it) and not `common` to all."""
    having: dict[str, list[int]] = {}
    for flags, cpus in sets.items():
        for flag in flags - common:
            having.setdefault(flag, []).extend(cpus)
    return tuple(DifferingFlag(flag=flag, cpus=CpuSet(sorted(having[flag]))) for flag in sorted(having))
