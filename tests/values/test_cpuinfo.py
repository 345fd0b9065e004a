from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.cpuid import CpuIdentity, architecture, identity
from hostagent.values.cpuinfo import CpuInfo, features, flag_sets, number, parse

X86 = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R) Silver 4108 CPU @ 1.80GHz
stepping\t: 4
microcode\t: 0x2006a0a
cpu MHz\t\t: 802.990
flags\t\t: fpu lm sse2

processor\t: 64
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R) Silver 4108 CPU @ 1.80GHz
stepping\t: 4
microcode\t: 0x2006a0a
cpu MHz\t\t: 1802.990
flags\t\t: fpu sse2 lm vmx
"""

# GB10: cores of two kinds.
ARM64 = """processor\t: 0
BogoMIPS\t: 2000.00
Features\t: fp asimd sve
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd87
CPU revision\t: 1

processor\t: 1
Features\t: fp asimd sve
CPU implementer\t: 0xfe
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd85
CPU revision\t: 1
"""

ARM32 = """Processor\t: ARMv7 Processor rev 4 (v7l)
processor\t: 0
BogoMIPS\t: 38.40

Features\t: half thumb
CPU implementer\t: 0x41
CPU architecture: 7
CPU variant\t: 0x0
CPU part\t: 0xd03
CPU revision\t: 4

Hardware\t: BCM2835
"""

S390X = """vendor_id       : IBM/S390
# processors    : 2
features\t: esan3 zarch sie\x20
processor 0: version = 00,  identification = 178B58,  machine = 3931
processor 1: version = 00,  identification = 178B58,  machine = 3931

cpu number      : 0
version         : 00
machine         : 3931
cpu MHz static  : 5200

cpu number      : 1
machine         : 3931
"""

PPC64 = """processor\t: 0
cpu\t\t: POWER9 (raw), altivec supported
clock\t\t: 2300.000000MHz
revision\t: 2.2 (pvr 004e 1202)

timebase\t: 512000000
platform\t: PowerNV
model\t\t: 8335-GTH
"""

RISCV = """processor\t: 0
hart\t\t: 1
isa\t\t: rv64imafdc_zicsr_zifencei
mmu\t\t: sv39
uarch\t\t: sifive,u74-mc
mvendorid\t: 0x489
"""

IA64 = """processor  : 0
vendor     : GenuineIntel
arch       : IA-64
family     : 31
model      : 2
model name : Madison up to 9M cache
revision   : 2
features   : branchlong, 16-byte atomic ops
"""

LOONGARCH = """system type\t\t: generic-loongson-machine

processor\t\t: 0
package\t\t\t: 0
CPU Family\t\t: Loongson-64bit
Model Name\t\t: Loongson-3A5000
Features\t\t: cpucfg lam fpu
"""

SPARC = """cpu\t\t: UltraSparc T2 (Niagara2)
type\t\t: sun4v
ncpus probed\t: 2
"""


def first(text: str) -> tuple[CpuIdentity, str | None]:
    info = parse(text)
    common = frozenset.intersection(*flag_sets(info)) if flag_sets(info) else frozenset[str]()
    return identity(info, next(iter(info.processors.values()), {})), architecture(info, common)


NOTHING = {"vendor": None, "family": None, "model": None, "stepping": None, "model_name": None, "microcode": None}


def known(**facts: Any) -> CpuIdentity:
    return CpuIdentity(**(NOTHING | facts))


def test_x86() -> None:
    info = parse(X86)
    assert list(info.processors) == [0, 64]
    assert "cpu mhz" not in info.processors[0]
    assert flag_sets(info) == {frozenset({"fpu", "lm", "sse2"}): [0], frozenset({"fpu", "lm", "sse2", "vmx"}): [64]}
    name = "Intel(R) Xeon(R) Silver 4108 CPU @ 1.80GHz"
    assert first(X86) == (
        known(vendor="GenuineIntel", family=6, model=85, stepping=4, model_name=name, microcode="0x2006a0a"),
        "x86_64",
    )


def test_a_32_bit_kernel_on_a_64_bit_cpu() -> None:
    assert first(X86.replace("cpu MHz\t", "fdiv_bug\t"))[1] == "i386"
    assert first(X86.replace("lm", "nx"))[1] == "i386"


def test_an_unknown_stepping() -> None:
    assert first(X86.replace("stepping\t: 4", "stepping\t: unknown"))[0].stepping is None


def test_arm64() -> None:
    assert first(ARM64) == (known(vendor="ARM", family=8, model=0xD87, stepping=1), "aarch64")
    info = parse(ARM64)
    assert identity(info, info.processors[1]) == known(vendor="0xfe", family=8, model=0xD85, stepping=0x31)
    assert flag_sets(info) == {frozenset({"fp", "asimd", "sve"}): [0, 1]}


def test_32_bit_arm_tells_of_the_machine() -> None:
    info = parse(ARM32)
    assert list(info.processors) == [0]
    assert flag_sets(info) == {frozenset({"half", "thumb"}): [0]}
    assert architecture(info, frozenset({"half", "thumb"})) == "arm"


def test_an_implementer_without_variant() -> None:
    assert first("processor: 0\nCPU implementer: 0x41\n")[0] == known(vendor="ARM")


def test_s390x() -> None:
    info = parse(S390X)
    assert list(info.processors) == [0, 1]
    assert flag_sets(info) == {frozenset({"esan3", "zarch", "sie"}): [0, 1]}
    assert first(S390X) == (known(vendor="IBM/S390", model=3931), "s390x")


def test_ppc64_has_no_flags() -> None:
    assert flag_sets(parse(PPC64)) == {}
    assert first(PPC64) == (known(model=0x4E, stepping=0x1202, model_name="POWER9 (raw), altivec supported"), "ppc64")


def test_riscv() -> None:
    extensions = frozenset({"i", "m", "a", "f", "d", "c", "zicsr", "zifencei"})
    assert flag_sets(parse(RISCV)) == {extensions: [0]}
    assert first(RISCV) == (known(vendor="0x489", model_name="sifive,u74-mc"), "riscv64")


def test_ia64_features_have_blanks() -> None:
    assert flag_sets(parse(IA64)) == {frozenset({"branchlong", "16-byte atomic ops"}): [0]}
    assert first(IA64) == (
        known(vendor="GenuineIntel", family=31, model=2, stepping=2, model_name="Madison up to 9M cache"),
        "ia64",
    )


def test_loongarch() -> None:
    assert first(LOONGARCH) == (known(model_name="Loongson-3A5000"), "loongarch64")


def test_sparc_lists_no_processors() -> None:
    info = parse(SPARC)
    assert info.processors == {}
    assert info.machine == {"cpu": "UltraSparc T2 (Niagara2)", "type": "sun4v"}
    assert first(SPARC) == (known(model_name="UltraSparc T2 (Niagara2)"), "sparc64")


def test_nothing_is_known_of_nothing() -> None:
    assert parse("") == CpuInfo(processors={}, machine={})
    assert first("") == (known(), None)


def test_cpus_that_say_nothing_of_flags_are_left_out() -> None:
    assert flag_sets(parse("processor: 0\n\nprocessor: 1\nflags: fpu\n\nprocessor: 2\nflags:\n")) == {
        frozenset({"fpu"}): [1]
    }


def test_number() -> None:
    given_ = ("12", "0x1f", "0X1F", "unknown", "", None, "1_0", "9" * 100, "٣")
    assert [number(text) for text in given_] == [12, 31, 31, None, None, None, None, None, None]


def test_a_mips_isa_is_not_riscv() -> None:
    assert features("isa", "mips1 mips32r1") == {"mips1", "mips32r1"}


@given(st.text(st.characters(codec="utf-8")) | st.lists(st.sampled_from(X86.splitlines())).map("\n".join))
def test_any_text_is_read(text: str) -> None:
    info = parse(text)
    for fields in info.processors.values():
        identity(info, fields)
    architecture(info, frozenset())
    assert sorted(cpu for cpus in flag_sets(info).values() for cpu in cpus) == sorted(
        cpu
        for cpu, fields in info.processors.items()
        if any(fields.get(k) or info.machine.get(k) for k in ("flags", "features", "isa"))
    )
