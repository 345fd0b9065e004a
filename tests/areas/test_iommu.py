"""Whether the IOMMU is on, and each reason why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.area import LabelOptions
from hostagent.areas.iommu import AREA, REASONS, Iommu, probe
from hostagent.host.groups import IommuGroup
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.plant import pci_function, plant, reader
from tests.roots import CAPTURES, unpacked

OPTIONS = LabelOptions(pci_classes=(), cpu_features=())
TABLES = "sys/firmware/acpi/tables"
GROUPS = "sys/kernel/iommu_groups"
ACPI = {f"{TABLES}/FACP": "", f"{TABLES}/APIC": ""}
DMAR = ACPI | {f"{TABLES}/DMAR": ""}
IVRS = ACPI | {f"{TABLES}/IVRS": ""}
BARE_CPU = {"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu vmx\n\n"}
GUEST_CPU = {"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu hypervisor\n\nprocessor\t: 1\n"}


def _off(files: dict[str, str], tmp_path: Path) -> tuple[str, str | None]:
    found = probe(reader(plant(tmp_path, files)))
    assert found.enabled is False
    return found.reason, found.vendor


@pytest.mark.parametrize(
    ("files", "cmdline", "expected"),
    [
        # The four causes an administrator can do something about.
        (ACPI | BARE_CPU, "intel_iommu=on", ("no-firmware-table", None)),
        (DMAR, "intel_iommu=off", ("off-by-argument", "intel")),
        (DMAR, "quiet", ("not-enabled-by-default", "intel")),
        (ACPI | GUEST_CPU, "intel_iommu=on", ("guest-without-iommu", None)),
        # What counts is the last on or off.
        (DMAR, "intel_iommu=on,sm_on intel_iommu=off", ("off-by-argument", "intel")),
        (DMAR, "intel_iommu=off intel_iommu=on", ("not-started", "intel")),
        (DMAR, "intel-iommu=off", ("off-by-argument", "intel")),
        (DMAR, "intel_iommu=igfx_off iommu=pt", ("not-enabled-by-default", "intel")),
        (DMAR, "intel_iommu=on iommu=off", ("off-by-argument", "intel")),
        (DMAR, "intel_iommu", ("not-enabled-by-default", "intel")),
        # Another vendor's argument is not heard.
        (DMAR, "intel_iommu=on amd_iommu=off", ("not-started", "intel")),
        (IVRS, "intel_iommu=off", ("not-started", "amd")),
        (IVRS, "amd_iommu=off", ("off-by-argument", "amd")),
        (IVRS, "iommu=off", ("off-by-argument", "amd")),
        (IVRS, "amd_iommu=on", ("not-started", "amd")),
        (ACPI | {f"{TABLES}/IORT": ""}, "iommu=off", ("not-started", "arm")),
        (ACPI | {f"{TABLES}/VIOT": ""}, "", ("not-started", "virtio")),
        # No ACPI to be seen.
        ({}, "intel_iommu=on", ("unknown", None)),
        (GUEST_CPU, "", ("guest-without-iommu", None)),
        ({"proc/device-tree/compatible": "linux,dummy-virt\0"}, "", ("guest-without-iommu", None)),
        ({"sys/firmware/devicetree/base/compatible": "vendor,board\0"}, "", ("unknown", None)),
        ({"sys/class/dmi/id/sys_vendor": "QEMU\n"}, "", ("guest-without-iommu", None)),
    ],
)
def test_why_it_is_off(tmp_path: Path, files: dict[str, str], cmdline: str, expected: tuple[str, str | None]) -> None:
    assert _off(files | {"proc/cmdline": f"{cmdline}\n"}, tmp_path) == expected
    assert expected[0] in REASONS


def test_only_the_first_cpu_is_asked_for_a_hypervisor(tmp_path: Path) -> None:
    files = ACPI | {"proc/cpuinfo": "flags\t: fpu\n\nflags\t: fpu hypervisor\n"}
    assert _off(files, tmp_path) == ("no-firmware-table", None)


def test_an_empty_machine(tmp_path: Path) -> None:
    empty = probe(reader(plant(tmp_path, {})))
    assert empty == Iommu(
        enabled=False,
        reason="unknown",
        vendor=None,
        units=(),
        tables=None,
        arguments=(),
        default_domain=None,
        interrupt_remapping=None,
        groups=(),
    )
    assert dict(AREA.labels(empty, OPTIONS)) == {}
    assert [(sample.metric.name, sample.value) for sample in AREA.samples(empty)] == [("hostagent_iommu_groups", 0)]


def test_a_machine_with_groups(tmp_path: Path) -> None:
    files = DMAR | pci_function("0000:00:02.0") | pci_function("0000:00:1f.0")
    files |= {f"{GROUPS}/0/type": "identity\n", f"{GROUPS}/1/type": "DMA-FQ\n", f"{GROUPS}/2/type": "DMA-FQ\n"}
    files |= {f"{GROUPS}/2/devices/smmu.0/uevent": "", "sys/class/iommu/dmar0/x": ""}
    files["proc/cmdline"] = (
        "BOOT_IMAGE=/vmlinuz intel_iommu=on iommu=pt intremap=nosid iommu.strict=1 quiet vfio_iommu_type1.x=1"
    )
    files["proc/interrupts"] = "           CPU0\n 24:          0  IR-PCI-MSI-0000:00:02.0    0-edge      PCIe\n"
    links = {
        "sys/bus/pci/devices/0000:00:02.0/iommu_group": "../../../../kernel/iommu_groups/0",
        "sys/bus/pci/devices/0000:00:1f.0/iommu_group": "../../../../kernel/iommu_groups/1",
    }
    found = probe(reader(plant(tmp_path, files, links)))
    bare = IommuGroup(number=0, type="identity", members=(), others=(), name=None, reserved_regions=None, direct=None)
    assert found == Iommu(
        enabled=True,
        reason="on",
        vendor="intel",
        units=("dmar0",),
        tables=("DMAR",),
        arguments=("intel_iommu=on", "iommu=pt", "intremap=nosid", "iommu.strict=1"),
        default_domain="DMA-FQ",
        interrupt_remapping=True,
        groups=(
            replaced(bare, members=(PciAddress("0000:00:02.0"),)),
            replaced(bare, number=1, type="DMA-FQ", members=(PciAddress("0000:00:1f.0"),)),
            replaced(bare, number=2, type="DMA-FQ", others=("smmu.0",)),
        ),
    )
    assert dict(AREA.labels(found, OPTIONS)) == {
        "iommu.vendor": "intel",
        "iommu.default-domain": "DMA-FQ",
        "iommu.interrupt-remapping": "true",
    }
    assert [(sample.metric.name, sample.labels, sample.value) for sample in AREA.samples(found)] == [
        ("hostagent_iommu_groups", (), 3),
        ("hostagent_iommu_group_devices", ("0", "identity"), 1),
        ("hostagent_iommu_group_devices", ("1", "DMA-FQ"), 1),
        ("hostagent_iommu_group_devices", ("2", "DMA-FQ"), 1),
        ("hostagent_iommu_interrupt_remapping", (), 1),
    ]


def test_groups_of_a_kernel_too_old_to_name_types(tmp_path: Path) -> None:
    found = probe(reader(plant(tmp_path, {f"{GROUPS}/0/devices/0000:00:00.0/uevent": ""})))
    assert (found.enabled, found.default_domain) == (True, None)
    assert [sample.labels for sample in AREA.samples(found)] == [(), ("0", "")]


def test_groups_that_vfio_made_up_do_not_count(tmp_path: Path) -> None:
    """vfio.enable_unsafe_noiommu_mode=1 gives devices groups without any IOMMU."""
    files = ACPI | GUEST_CPU | {f"{GROUPS}/0/name": "vfio-noiommu\n", f"{GROUPS}/0/type": "blocked\n"}
    found = probe(reader(plant(tmp_path, files)))
    assert (found.enabled, found.reason, found.default_domain) == (False, "guest-without-iommu", None)
    assert [group.number for group in found.groups] == [0]


@pytest.mark.parametrize(
    ("unit", "vendor"),
    [
        ("dmar0", "intel"),
        ("ivhd3", "amd"),
        ("smmu3.0x0000000009050000", "arm"),
        ("smmu.0x000000002b400000", "arm"),
        ("0000:00:01.0", "virtio"),
        ("virtio-mmio0", "virtio"),
        ("10c0000.iommu", None),
    ],
)
def test_units_mean_it_is_on(tmp_path: Path, unit: str, vendor: str | None) -> None:
    found = probe(reader(plant(tmp_path, DMAR | {f"sys/class/iommu/{unit}/devices/.gitkeep": ""})))
    assert (found.enabled, found.reason, found.units, found.vendor) == (True, "on", (unit,), vendor)


@pytest.mark.parametrize(
    ("interrupts", "expected"),
    [
        (" 0: 82 0 IR-IO-APIC 2-edge timer\n", True),
        (" 0: 82 0 IO-APIC 2-edge timer\n24: 1 0 IR-PCI-MSIX-0000:00:07.0 0-edge x\n", True),
        (" 0: 82 0 IO-APIC 2-edge timer\n", False),
        ("24: 1 PCI-MSI-0000:00:02.0 0-edge aerdrv\n", False),
        (" 9: 82 GICv3 25 Level vgic\n20: 1 ITS-PCI-MSI-0000:00:01.0 0 Edge x\n", None),
        ("", None),
    ],
)
def test_interrupt_remapping(tmp_path: Path, interrupts: str, *, expected: bool | None) -> None:
    """An msi region is there in all of them, and proves nothing."""
    files = {"proc/interrupts": interrupts, f"{GROUPS}/0/reserved_regions": "0xfee00000 0xfeefffff msi\n"}
    assert probe(reader(plant(tmp_path, files))).interrupt_remapping is expected


@pytest.mark.parametrize(
    ("name", "vendor"), [("lab-intel-q35", "intel"), ("lab-amd", "amd"), ("lab-hugepages", "intel")]
)
def test_machines_we_booted(name: str, vendor: str) -> None:
    """Against lspci and the kernel log of the same boot."""
    archive = CAPTURES / f"{name}.tar.gz"
    if not archive.exists():
        pytest.skip(f"no {archive}")
    root = unpacked(str(archive))
    found = probe(reader(root))
    assert (found.enabled, found.reason, found.vendor) == (True, "on", vendor)
    tables = (root / "EXPECT/acpi-tables.txt").read_text().split()
    assert set(found.tables or ()) == {"DMAR", "IVRS", "IORT", "VIOT"} & {Path(word).name for word in tables}
    log = (root / "EXPECT/dmesg.txt").read_text()
    assert found.interrupt_remapping is any(
        line in log for line in ("Enabled IRQ remapping", "AMD-Vi: Interrupt remapping enabled")
    )
    witness = {}
    for record in (root / "EXPECT/lspci-vmmnnk.txt").read_text().split("\n\n"):
        fields = dict(line.split(":\t", 1) for line in record.splitlines())
        if "IOMMUGroup" in fields:
            witness[fields["Slot"]] = int(fields["IOMMUGroup"])
    assert {address: group.number for group in found.groups for address in group.members} == witness
    assert len(witness) > 20
