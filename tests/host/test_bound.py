from __future__ import annotations

from pathlib import Path

from hostagent.host.bound import BoundFunction, VendorVgpu, bound_functions, vendor_vgpus
from hostagent.values.pci import PciAddress
from tests.plant import pci_function, plant, reader

FILES = (
    pci_function("0000:03:00.0", driver="vfio-pci")
    | pci_function("0000:04:00.0", driver="mlx5_vfio_pci")
    | pci_function("0000:05:00.0", driver="vfio-pci")
    | pci_function("0000:06:00.0", driver="e1000e")
    | {
        "holders.json": '[["/dev/vfio/17", "qemu-system-x86"], ["/dev/vfio/devices/vfio1", "qemu-system-x86"], '
        '["/dev/watchdog0", "systemd"]]\n'
    }
)
LINKS = {
    "sys/bus/pci/devices/0000:03:00.0/iommu_group": "../../../../kernel/iommu_groups/17",
    "sys/bus/pci/devices/0000:04:00.0/iommu_group": "../../../../kernel/iommu_groups/18",
    "sys/class/vfio-dev/vfio1": "../../devices/pci0000:00/0000:04:00.0/vfio-dev/vfio1",
    "sys/class/vfio-dev/odd": "elsewhere",
}


def test_what_vfio_holds_and_who_has_it_open(tmp_path: Path) -> None:
    assert bound_functions(reader(plant(tmp_path, FILES, LINKS))) == (
        BoundFunction(address=PciAddress("0000:03:00.0"), driver="vfio-pci", device=None, held_by=("qemu-system-x86",)),
        BoundFunction(
            address=PciAddress("0000:04:00.0"), driver="mlx5_vfio_pci", device="vfio1", held_by=("qemu-system-x86",)
        ),
        BoundFunction(address=PciAddress("0000:05:00.0"), driver="vfio-pci", device=None, held_by=()),
    )


def test_where_nobody_looked(tmp_path: Path) -> None:
    files = {path: text for path, text in FILES.items() if path != "holders.json"}
    found = bound_functions(reader(plant(tmp_path, files, LINKS)))
    assert [one.held_by for one in found] == [None, None, None]


def test_nothing_bound(tmp_path: Path) -> None:
    assert bound_functions(reader(plant(tmp_path, pci_function("0000:06:00.0", driver="e1000e")))) == ()


def test_functions_of_nvidia_that_can_be_vgpus(tmp_path: Path) -> None:
    kind = "nvidia/current_vgpu_type"
    files = (
        pci_function("0000:41:00.4", driver="nvidia", **{kind: "557"})
        | pci_function("0000:41:00.5", driver="nvidia", **{kind: "0"})
        | pci_function("0000:41:00.6", driver="nvidia")
        | pci_function("0000:41:00.7", driver="vfio-pci", **{kind: "557"})
    )
    assert vendor_vgpus(reader(plant(tmp_path, files))) == (
        VendorVgpu(address=PciAddress("0000:41:00.4"), kind="557"),
        VendorVgpu(address=PciAddress("0000:41:00.5"), kind="0"),
    )
