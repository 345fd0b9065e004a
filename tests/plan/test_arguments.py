from __future__ import annotations

import pytest

from hostagent.plan.model import Note
from tests.plan.machines import T4, T4_CLASS, Machine
from tests.plan.profiles import devices, planned, profile

AMD = {
    "proc/cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu pse lm svm\n\n",
    "sys/firmware/acpi/tables/IVRS": "",
    "sys/class/iommu/ivhd0/amd-iommu/cap": "0\n",
}
GPU = "0000:04:00.0"


def intel() -> Machine:
    return Machine().function(GPU, T4, T4_CLASS, group=4)


def amd() -> Machine:
    return intel().without("sys/firmware/acpi/tables/DMAR", "sys/class/iommu").put(AMD)


def arm() -> Machine:
    machine = intel().without("sys/firmware/acpi/tables/DMAR", "sys/class/iommu")
    return machine.put({"proc/sys/kernel/arch": "aarch64\n", "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp\n\n"})


def words(body: str, *machines: Machine) -> list[str]:
    return [word for one in planned(profile(body), *machines).kernel_arguments for word in one.words]


@pytest.mark.parametrize(
    ("body", "machine", "expected"),
    [
        ("iommu: {}", intel(), ["intel_iommu=on"]),
        ("iommu: {mode: pt}", intel(), ["intel_iommu=on", "iommu=pt"]),
        ("iommu: {mode: pt, strict: true}", amd(), ["iommu=pt", "iommu.strict=1"]),
        ("iommu: {strict: false}", amd(), ["iommu.strict=0"]),
        ("iommu: {documentedArguments: true}", amd(), ["amd_iommu=on"]),
        ("iommu: {documentedArguments: true}", intel(), ["intel_iommu=on"]),
        ("iommu: {}", amd(), []),
        ("iommu: {mode: pt}", arm(), ["iommu.passthrough=1"]),
        ("devices: [{id: 10de:1eb8}]", intel(), ["intel_iommu=on"]),
        ("devices: [{id: 10de:1eb8}]", amd(), []),
        ("hugepages: {}", intel(), []),
    ],
)
def test_iommu(body: str, machine: Machine, expected: list[str]) -> None:
    assert words(body, machine) == expected


def test_a_mixed_fleet() -> None:
    assert words("iommu: {mode: pt}", amd(), intel()) == ["intel_iommu=on", "iommu=pt"]


def test_the_documented_argument_is_explained() -> None:
    text = "amd_iommu=on is an unknown option to the kernel, which says so and goes on; AMD's IOMMU is on without it"
    note = Note(code="documented-argument", node=None, subject="iommu", text=text)
    assert planned(profile("iommu: {documentedArguments: true}"), amd()).notes == (note,)


def test_nobody_says_whose_iommu_it_is() -> None:
    machine = Machine().without("sys/firmware", "sys/class/iommu", "proc/cpuinfo")
    found = planned(profile("iommu: {mode: pt}"), machine)
    assert found.kernel_arguments == ()
    assert [note.code for note in found.notes] == ["vendor-unknown"]


def test_the_iommu_decides_and_not_the_cpu() -> None:
    # QEMU: an AMD CPU model in front of intel-iommu.
    assert words("iommu: {}", intel().put({"proc/cpuinfo": AMD["proc/cpuinfo"]})) == ["intel_iommu=on"]


def test_nested_virtualization() -> None:
    found = planned(profile("nestedVirtualization: true"), intel(), amd())
    assert [(one.module, one.name, one.value) for one in found.module_options] == [
        ("kvm_intel", "nested", "1"),
        ("kvm_amd", "nested", "1"),
    ]
    assert found.kernel_arguments == ()
    fixed = planned(profile("nestedVirtualization: false"), intel().built_in("kvm-intel"))
    assert fixed.module_options == ()
    assert [one.words for one in fixed.kernel_arguments] == [("kvm_intel.nested=0",)]


@pytest.mark.parametrize(
    ("body", "line", "removed"),
    [
        (
            "devices: [{id: 10de:1eb8}]",
            "quiet intel_iommu=off iommu=off,noforce",
            ("intel_iommu=off", "iommu=off,noforce"),
        ),
        ("iommu: {}", "intel_iommu=sm_on,off iommu=pt", ("intel_iommu=sm_on,off", "iommu=pt")),
        ("iommu: {mode: pt}", "iommu=pt iommu.passthrough=0 iommu.strict=1", ("iommu.passthrough=0",)),
        ("iommu: {strict: true}", "iommu.strict=0", ("iommu.strict=0",)),
        ("iommu: {strict: true}", "iommu.strict=1", ()),
        ("devices: [{id: 10de:1eb8}]", "iommu=pt", ()),
        (
            "devices: [{id: 10de:1eb8}]",
            "vfio_pci.ids=10de:1eb9 vfio.enable_unsafe_noiommu_mode=1",
            ("vfio.enable_unsafe_noiommu_mode=1", "vfio_pci.ids=10de:1eb9"),
        ),
        ("", "intel_iommu=off hugepages=3 vfio-pci.ids=10de:1eb9", ()),
        (
            "hugepages: {pools: [{size: 2M, count: 8}]}",
            "hugepagesz=2M hugepages=4 quiet hugepagesz=2M hugepages=8",
            ("hugepages=4", "hugepages=8", "hugepagesz=2M"),
        ),
        ("hugepages: {pools: [{size: 2M, count: 8}]}", "hugepagesz=2M quiet hugepages=8", ()),
        ("nestedVirtualization: true", "kvm-intel.nested=0", ("kvm-intel.nested=0",)),
    ],
)
def test_what_would_undo_it(body: str, line: str, removed: tuple[str, ...]) -> None:
    assert planned(profile(body), intel().put({"proc/cmdline": f"{line}\n"})).remove_arguments == removed


def test_a_command_line_nobody_knows() -> None:
    assert planned(devices("id: 10de:1eb8"), intel().without("proc/cmdline")).remove_arguments == ()
