r"""/proc/cpuinfo of every architecture: blocks of `key : value` lines (arch/*/kernel/cpu/proc.c, setup.c, processor.c).

A block begins with `processor`; lines outside of one speak of the machine (s390x, ppc64, 32-bit Arm). Only CPUs that
are online are listed. Keys differ in case between architectures and are lower-case here.

    processor : 0                    x86: flags; arm64, loongarch: Features; riscv: isa; ia64: features, with commas
    flags     : fpu vme de pse

    features  : esan3 zarch stfle    s390x: once for the machine, and one line for each CPU
    processor 0: version = 00,  identification = 178B58,  machine = 3931

A big x86 machine repeats most of its lines, flags of more than 1,000 letters among them, for each of hundreds of
CPUs: lines are split once for each distinct text.
"""

from __future__ import annotations

from hostagent.values.record import record

_PROCESSOR = "processor"
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
    """Every field of the file; total over any text."""
    processors: dict[int, dict[str, str]] = {}
    machine: dict[str, str] = {}
    current = machine
    split: dict[str, tuple[str, str]] = {}
    for line in text.split("\n"):
        pair = split.get(line)
        if pair is None:
            key, _, value = line.partition(":")
            pair = split[line] = (key.strip().lower(), value.strip())
        key, value = pair
        if key in (_PROCESSOR, "cpu number") and _is_number(value):
            current = processors.setdefault(int(value), {})
        elif key.startswith("processor ") and _is_number(key[10:]):
            current = processors.setdefault(int(key[10:]), {})
            current.update(_equations(value))
            current = machine
        elif key:
            current[key] = value
        elif not line:
            current = machine
    return CpuInfo(processors=processors, machine=machine)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _equations(text: str) -> dict[str, str]:
    """`version = 00,  machine = 3931` as fields."""
    pairs = (part.partition("=") for part in text.split(","))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def number(text: str | None) -> int | None:
    """A decimal or 0x number; None for anything else (x86 prints `unknown` for a stepping it does not know)."""
    if text is None or not text.isascii() or "_" in text or len(text) > 18:
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
        return frozenset(word for part in text.split(",") if (word := part.strip()))
    return frozenset(text.split())


def flag_sets(info: CpuInfo) -> dict[frozenset[str], list[int]]:
    """Each distinct set of features, and the CPUs that have it. CPUs of which the file says nothing are left out."""
    by_text: dict[tuple[str, str], list[int]] = {}
    for cpu, fields in info.processors.items():
        for key in ("flags", "features", "isa"):
            text = fields.get(key) or info.machine.get(key)
            if text:
                by_text.setdefault((key, text), []).append(cpu)
                break
    found: dict[frozenset[str], list[int]] = {}
    for (key, text), cpus in by_text.items():
        found.setdefault(features(key, text), []).extend(cpus)
    return found
