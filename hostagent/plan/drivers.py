"""Which driver of the host would take a function before vfio-pci does, and when.

Images made without knowledge of the host (Fedora and RHEL CoreOS) carry the drivers of disks, NICs, USB controllers and
crypto engines in their initramfs, and nothing of the host's /etc: those functions are bound before any file of this host
is read. Where dracut or update-initramfs makes the initramfs on the host, its modprobe.d is in it, and the modules it is
told to include.

A function that vfio-pci holds no longer shows which driver it would have had, so the drivers are also known by class: a plan
made after the reboot has to be the plan that led to it.
"""

from __future__ import annotations

from hostagent.host.pci import PciFunction
from hostagent.platforms import GENERIC
from hostagent.values.module import is_module_name
from hostagent.values.pci import in_classes
from hostagent.values.vfio import is_vfio_driver

# Storage, network, USB, Fibre Channel, InfiniBand, co-processors (QAT), crypto.
EARLY_CLASSES = ("01", "02", "0c03", "0c04", "0c06", "0b40", "10")
# Driver names that are not their module's: xhci_hcd registers in xhci_pci.ko.
_MODULES = {"xhci_hcd": "xhci_pci", "nvidia_gpu": "i2c_nvidia_gpu", "ehci_hcd": "ehci_pci", "ohci_hcd": "ohci_pci"}
# (vendor or "", class prefix) -> modules that take such functions.
_BY_CLASS = (
    ("10de", "03", ("nouveau", "nvidia", "nvidiafb")),
    ("1002", "03", ("amdgpu", "radeon")),
    ("8086", "03", ("i915", "xe")),
    ("10de", "0c80", ("i2c_nvidia_gpu",)),
    ("", "0403", ("snd_hda_intel",)),
    ("", "0c0330", ("xhci_pci",)),
    ("", "0c0320", ("ehci_pci",)),
    ("", "0c0310", ("ohci_pci",)),
    ("", "0c0300", ("uhci_hcd",)),
    ("", "0108", ("nvme",)),
    ("", "010601", ("ahci",)),
)


def module_of(driver: str) -> str:
    """The module a driver is in."""
    name = driver.replace("-", "_")
    return _MODULES.get(name, name)


def bound_module(function: PciFunction) -> str | None:
    """The module of the host driver it has now; None where it has none, is with vfio already, or names what is no module."""
    driver = function.driver
    return None if driver is None or is_vfio_driver(driver) or not is_module_name(driver) else module_of(driver)


def class_modules(function: PciFunction) -> tuple[str, ...]:
    """Modules known to take functions like it."""
    return next(
        (
            modules
            for vendor, prefix, modules in _BY_CLASS
            if vendor in ("", function.vendor_id) and function.class_id.startswith(prefix)
        ),
        (),
    )


def is_early(function: PciFunction, initramfs: str) -> bool:
    """Whether the platform's initramfs binds it before any file of this host is read."""
    return initramfs == GENERIC and in_classes(function.class_id, EARLY_CLASSES)
