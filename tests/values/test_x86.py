"""Levels against real CPUs: flags from libvirt's CPUID collection (tests/cputestdata), levels from the makers' feature lists."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hostagent.values.cpuinfo import flag_sets, parse
from hostagent.values.x86 import LEVELS, x86_64_level

BASE = "fpu de pse tsc msr pae cx8 apic sep cmov pat clflush mmx fxsr sse sse2 syscall nx lm"
NEHALEM = f"{BASE} pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm"  # Xeon W3520
OPTERON_6234 = f"{NEHALEM} abm avx xsave aes fma4 xop"
HASWELL = f"{NEHALEM} abm avx xsave fma movbe f16c bmi1 bmi2 avx2"  # Xeon E5-2650 v3
KNIGHTS_LANDING = f"{HASWELL} avx512f avx512cd avx512er avx512pf"
SKYLAKE_SERVER = f"{HASWELL} avx512f avx512bw avx512cd avx512dq avx512vl"  # Xeon Gold 6148


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        (BASE, 1),
        (NEHALEM, 2),
        (OPTERON_6234, 2),
        (HASWELL, 3),
        (KNIGHTS_LANDING, 3),
        (SKYLAKE_SERVER, 4),
        # What firmware or hypervisor hides counts as missing.
        (HASWELL.replace(" lahf_lm", ""), 1),
        (SKYLAKE_SERVER.replace(" movbe", ""), 2),
        (BASE.replace(" lm", ""), None),
        ("", None),
    ],
)
def test_level(flags: str, level: int | None) -> None:
    assert x86_64_level(frozenset(flags.split())) == level


@pytest.mark.parametrize("flag", sorted(frozenset().union(*LEVELS)))
def test_every_feature_counts(flag: str) -> None:
    everything = frozenset[str]().union(*LEVELS)
    level = next(number for number, needed in enumerate(LEVELS) if flag in needed)
    assert x86_64_level(everything - {flag}) == (level or None)


LOADER = Path("/lib64/ld-linux-x86-64.so.2")


@pytest.mark.skipif(not LOADER.exists(), reason="no glibc loader for x86-64 on this machine")
def test_this_machine_agrees_with_the_loader() -> None:
    said = subprocess.run([shutil.which(LOADER) or LOADER, "--help"], capture_output=True, text=True, check=True).stdout
    if "x86-64-v2" not in said:
        pytest.skip("this glibc is older than 2.33 and names no levels")
    supported = [n for n in (4, 3, 2) if f"x86-64-v{n} (supported" in said]
    (flags,) = flag_sets(parse(Path("/proc/cpuinfo").read_text()))
    assert x86_64_level(flags) == max([*supported, 1])
