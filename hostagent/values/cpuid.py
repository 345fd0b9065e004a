"""Who made a CPU, and which it is, from one block of /proc/cpuinfo, on every architecture.

x86     vendor_id, cpu family, model, stepping, model name
arm64   CPU implementer (0x41), architecture, part, variant and revision: MIDR_EL1; no name
s390x   vendor_id of the machine, machine = 3931 of the CPU
ppc64   cpu : POWER9 (raw), altivec supported; revision : 2.2 (pvr 004e 1202): the PVR's halves
riscv   mvendorid, uarch
ia64    vendor, family, model, revision; loongarch: cpu family and model name are words
"""

from __future__ import annotations

from hostagent.values import blanks
from hostagent.values.cpuinfo import CpuInfo, number
from hostagent.values.record import record

# Arm's list of implementers (MIDR_EL1), as arch/arm64/include/asm/cputype.h and lscpu have it.
_IMPLEMENTERS = {
    0x41: "ARM", 0x42: "Broadcom", 0x43: "Cavium", 0x44: "DEC", 0x46: "FUJITSU", 0x48: "HiSilicon", 0x49: "Infineon",
    0x4D: "Motorola/Freescale", 0x4E: "NVIDIA", 0x50: "APM", 0x51: "Qualcomm", 0x53: "Samsung", 0x56: "Marvell",
    0x61: "Apple", 0x66: "Faraday", 0x69: "Intel", 0x6D: "Microsoft", 0x70: "Phytium", 0xC0: "Ampere",
}  # fmt: skip


@record
class CpuIdentity:
    """What one CPU is. On arm64 `family` is the architecture, `model` the part number, `stepping` variant * 16 + revision.

    `microcode` is the revision as the kernel writes it (x86: 0x2006a0a).
    """

    vendor: str | None
    family: int | None
    model: int | None
    stepping: int | None
    model_name: str | None
    microcode: str | None


def identity(info: CpuInfo, fields: dict[str, str]) -> CpuIdentity:
    """The identity of the CPU with these `fields`."""
    if "cpu implementer" in fields:
        return _arm(info, fields)
    pvr = blanks.fields(fields.get("revision", "").partition("(pvr ")[2].rstrip(")"))
    if len(pvr) == 2:
        model, stepping = number(f"0x{pvr[0]}"), number(f"0x{pvr[1]}")
    else:
        model = number(info.of(fields, "model", "machine"))
        stepping = number(info.of(fields, "stepping", "revision"))
    return CpuIdentity(
        vendor=info.of(fields, "vendor_id", "vendor", "mvendorid"),
        family=number(info.of(fields, "cpu family", "family")),
        model=model,
        stepping=stepping,
        model_name=info.of(fields, "model name", "cpu", "cpu model", "uarch"),
        microcode=fields.get("microcode"),
    )


def _arm(info: CpuInfo, fields: dict[str, str]) -> CpuIdentity:
    implementer = fields["cpu implementer"]
    variant, revision = number(fields.get("cpu variant")), number(fields.get("cpu revision"))
    return CpuIdentity(
        vendor=_IMPLEMENTERS.get(number(implementer) or 0, implementer),
        family=number(fields.get("cpu architecture")),
        model=number(fields.get("cpu part")),
        stepping=None if variant is None or revision is None else variant * 16 + revision,
        model_name=info.of(fields, "model name"),
        microcode=None,
    )


def architecture(info: CpuInfo, flags: frozenset[str]) -> str | None:
    """The architecture by its own words, for kernels before 6.1, which do not say. Byte order does not show: ppc64 is either."""
    fields = next(iter(info.processors.values()), info.machine)
    said = {**info.machine, **fields}
    if "cpu implementer" in said:
        return "aarch64" if number(said.get("cpu architecture")) == 8 and "asimd" in flags else "arm"
    if "flags" in said and "vendor_id" in said:
        # Only a 32-bit kernel tests for the FDIV bug.
        return "i386" if "fdiv_bug" in said or "lm" not in flags else "x86_64"
    isa = said.get("isa", "")
    words = (
        (said.get("vendor_id") == "IBM/S390", "s390x"),
        (isa[:2] == "rv", f"riscv{isa[2:4]}"),
        (said.get("arch") == "IA-64", "ia64"),
        (said.get("cpu family", "").startswith("Loongson-64"), "loongarch64"),
        ("timebase" in said and said.get("cpu", "").startswith("POWER"), "ppc64"),
        (said.get("type") in ("sun4u", "sun4v"), "sparc64"),
    )
    return next((word for holds, word in words if holds), None)
