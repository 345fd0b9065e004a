"""Micro-architecture levels of x86-64 (psABI, low-level system information), by the flag names of /proc/cpuinfo.

The psABI names features otherwise: SSE3 is `pni`, LAHF-SAHF `lahf_lm`, CMPXCHG16B `cx16`, LZCNT `abm`. OSFXSR, SCE and
OSXSAVE are states of the operating system: Linux shows `fxsr`, `syscall` and `xsave` where it uses them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"lm", "cmov", "cx8", "fpu", "fxsr", "mmx", "syscall", "sse", "sse2"}),
    frozenset({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
    frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
    frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)


def x86_64_level(flags: AbstractSet[str]) -> int | None:
    """1 to 4: the highest level of which, and of all below it, no feature is missing. None below 1."""
    level = 0
    for needed in LEVELS:
        if not needed <= flags:
            break
        level += 1
    return level or None
