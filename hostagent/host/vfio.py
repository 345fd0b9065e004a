"""Switches of the vfio modules as they are now.

    /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts     Y or N
    /sys/module/vfio/parameters/enable_unsafe_noiommu_mode
    /sys/module/vfio_pci/parameters/{disable_denylist,disable_idle_d3,disable_vga,enable_sriov,nointxmask}

`ids` is not among them: the parameter has no file.
"""

from __future__ import annotations

from hostagent.host.modules import switch
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader


@record
class Parameters:
    """Switches of the vfio modules as they are now."""

    unsafe_interrupts: bool | None
    """Whether devices may go to guests without interrupt remapping: allow_unsafe_interrupts in
    sys/module/vfio_iommu_type1/parameters. Null where the kernel has no such file."""
    noiommu: bool | None
    """Whether devices may go to user space without an IOMMU: enable_unsafe_noiommu_mode in sys/module/vfio/parameters.
    Null where the kernel has no such file."""
    disable_denylist: bool | None
    """Whether vfio-pci takes devices of its denylist too: disable_denylist in sys/module/vfio_pci/parameters. Null
    where the kernel has no such file."""
    disable_idle_d3: bool | None
    """Whether vfio-pci leaves idle devices powered: disable_idle_d3 in sys/module/vfio_pci/parameters. Null where the
    kernel has no such file."""
    disable_vga: bool | None
    """Whether guests get no legacy VGA ranges: disable_vga in sys/module/vfio_pci/parameters. Null where the kernel has
    no such file."""
    enable_sriov: bool | None
    """Whether virtual functions can be made of a function on vfio-pci: enable_sriov in sys/module/vfio_pci/parameters.
    Null where the kernel has no such file."""
    nointxmask: bool | None
    """Whether vfio-pci does without masking INTx interrupts at the device: nointxmask in
    sys/module/vfio_pci/parameters. Null where the kernel has no such file."""


def parameters(reader: Reader) -> Parameters:
    """Every one of them."""
    return Parameters(
        unsafe_interrupts=switch(reader, "vfio_iommu_type1", "allow_unsafe_interrupts"),
        noiommu=switch(reader, "vfio", "enable_unsafe_noiommu_mode"),
        disable_denylist=switch(reader, "vfio_pci", "disable_denylist"),
        disable_idle_d3=switch(reader, "vfio_pci", "disable_idle_d3"),
        disable_vga=switch(reader, "vfio_pci", "disable_vga"),
        enable_sriov=switch(reader, "vfio_pci", "enable_sriov"),
        nointxmask=switch(reader, "vfio_pci", "nointxmask"),
    )
