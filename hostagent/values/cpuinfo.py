r"""/proc/cpuinfo of every architecture: blocks of `key : value` lines (arch/*/kernel/cpu/proc.c, setup.c, processor.c).

A block begins with `processor`; lines outside of one speak of the machine (s390x, ppc64, 32-bit Arm). Only CPUs that
are online are listed. Keys differ in case between architectures and are lower-case here.

    processor : 0                    x86: flags; arm64, loongarch: Features; riscv: isa; ia64: features, with commas
    flags     : fpu vme de pse

    features  : esan3 zarch stfle    s390x: once for the machine, and one line for each CPU
    processor 0: version = 00,  identification = 178B58,  machine = 3931

A big x86 machine repeats most of its lines, flags of more than 1,000 letters among them, for each of hundreds of
CPUs: only distinct lines are split, and only keys that something reads are kept (clock rates and APIC IDs differ a CPU).
"""

from __future__ import annotations

from hostagent.values import blanks
from hostagent.values.blanks import stripped
from hostagent.values.record import record

IDENTITY = (
    "vendor_id", "vendor", "mvendorid", "cpu family", "family", "model", "machine", "stepping", "revision", "model name",
    "cpu", "cpu model", "uarch", "microcode", "cpu implementer", "cpu architecture", "cpu variant", "cpu part", "cpu revision",
)  # fmt: skip
FEATURES = ("flags", "features", "isa")
_KEPT = frozenset(
    (
        *IDENTITY,
        *FEATURES,
        "physical id",
        "cpu cores",
        "address sizes",
        "arch",
        "type",
        "timebase",
        "platform",
        "fdiv_bug",
    )
)
_BEGINS = frozenset({"processor", "cpu number"})
_DIGITS = 5


@record
class CpuInfo:
    """`processors`: the fields of each CPU, by its number. `machine`: the fields outside of any."""

    processors: dict[int, dict[str, str]]
    machine: dict[str, str]

    def of(self, fields: dict[str, str], *keys: str) -> str | None:
        """The first of `keys` that a CPU, or else the machine, has."""
        return next((place[key] for place in (fields, self.machine) for key in keys if place.get(key)), None)


def parse(text: str) -> CpuInfo:
    """The kept fields of the file; total over any text."""
    processors: dict[int, dict[str, str]] = {}
    machine: dict[str, str] = {}
    current = machine
    lines = text.split("\n")
    split = {line: pair for line in set(lines) if (pair := _pair(line)) is not None}
    for pair in map(split.get, lines):
        if pair is None:
            continue
        begins, key, value = pair
        if begins is not None:
            current = processors.setdefault(begins, {})
            current.update(_equations(value))
        elif key:
            current[key] = value
        else:
            current = machine
    return CpuInfo(processors=processors, machine=machine)


def _pair(line: str) -> tuple[int | None, str, str] | None:
    """A line as (the CPU whose block begins here, key, value); None for one that nothing reads. A blank line ends a block."""
    key, _, value = line.partition(":")
    key, value = stripped(key).lower(), stripped(value)
    if key in _BEGINS and _is_number(value):
        return int(value), key, ""
    if key.startswith("processor ") and _is_number(key[10:]):
        return int(key[10:]), key, value
    return (None, key, value) if key in _KEPT or not line else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _equations(text: str) -> dict[str, str]:
    """`version = 00,  machine = 3931` as fields."""
    pairs = (part.partition("=") for part in text.split(","))
    return {stripped(key): stripped(value) for key, equals, value in pairs if equals}


def number(text: str | None) -> int | None:
    """A decimal or 0x number; None for anything else (x86 prints `unknown` for a stepping it does not know)."""
    if text is None or not (text.isascii() and text.isprintable()) or "_" in text or len(text) > 18:
        return None
    try:
        return int(text, 16 if text[:2] in ("0x", "0X") else 10)
    except ValueError:
        return None


def features(key: str, text: str) -> frozenset[str]:
    """The words of a `flags`, `features` or `isa` line. RISC-V: rv64imac_zicsr is i, m, a, c and zicsr."""
    if key == "isa" and text[:2] == "rv":
        letters, _, rest = text[4:].partition("_")
        return frozenset((*letters, *(word for word in rest.split("_") if word)))
    if "," in text:
        return frozenset(word for part in text.split(",") if (word := stripped(part)))
    return frozenset(blanks.fields(text))


def flag_sets(info: CpuInfo) -> dict[frozenset[str], list[int]]:
    """Each distinct set of features, and the CPUs that have it. CPUs of which the file says nothing are left out."""
    by_text: dict[tuple[str, str], list[int]] = {}
    for cpu, fields in info.processors.items():
        for key in FEATURES:
            text = fields.get(key) or info.machine.get(key)
            if text:
                by_text.setdefault((key, text), []).append(cpu)
                break
    found: dict[frozenset[str], list[int]] = {}
    for (key, text), cpus in by_text.items():
        found.setdefault(features(key, text), []).extend(cpus)
    return found
