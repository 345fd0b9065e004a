"""The kernel: its release, what it was booted with, which modules that matter it has, and whether it is locked or tainted.

    proc/sys/kernel/osrelease          6.12.117+deb13-amd64
    proc/sys/kernel/arch               x86_64             Linux 6.1 and later
    proc/cmdline                       BOOT_IMAGE=... intel_iommu=on
    proc/sys/kernel/tainted            4097               Documentation/admin-guide/tainted-kernels.rst
    sys/kernel/security/lockdown       none [integrity] confidentiality
    etc/os-release                     ID=rhcos           os-release(5)

Modules are found by `hostagent.host.modules`.
"""

from __future__ import annotations

from hostagent.area import Area, LabelOptions, Metric, Sample, nothing_unseen
from hostagent.host import Reader
from hostagent.host.cmdline import text
from hostagent.host.modules import ABSENT, release, state
from hostagent.host.os_release import OsRelease, os_release
from hostagent.values.blanks import fields
from hostagent.values.cmdline import words
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Modules that decide what can be handed to guests, or that take devices which should be. As /proc/modules spells them.
MODULES = (
    "vfio", "vfio_pci", "vfio_pci_core", "vfio_iommu_type1", "vfio_virqfd", "vfio_mdev", "mlx5_vfio_pci",
    "nvgrace_gpu_vfio_pci", "virtio_vfio_pci", "iommufd", "kvm", "kvm_intel", "kvm_amd", "vhost_net", "vhost_vsock",
    "tun", "mdev", "pci_stub", "xen_pciback", "intel_iommu", "amd_iommu_v2", "irqbypass", "softdog", "iTCO_wdt",
    "i6300esb", "ipmi_watchdog", "ipmi_si", "wdat_wdt", "sp5100_tco", "hpwdt", "diag288_wdt", "sbsa_gwdt", "nouveau",
    "nvidia", "nvidia_vgpu_vfio", "nvidiafb", "amdgpu", "radeon", "i915", "xe", "ast", "mgag200", "bochs", "cirrus",
    "qxl", "virtio_gpu", "simpledrm", "vmwgfx", "hyperv_drm", "snd_hda_intel", "i2c_nvidia_gpu", "ucsi_ccg",
    "xhci_pci", "xhci_hcd", "ehci_pci", "thunderbolt", "nvme", "nvme_core", "vmd", "ahci", "megaraid_sas", "mpt3sas",
    "smartpqi", "hpsa", "aacraid", "arcmsr", "lpfc", "qla2xxx", "bnx2fc", "virtio_blk", "virtio_scsi", "zfs", "btrfs",
    "ixgbe", "ixgbevf", "i40e", "iavf", "ice", "mlx4_core", "mlx5_core", "mlx5_ib", "e1000", "e1000e", "igb", "igbvf",
    "igc", "bnxt_en", "bnx2x", "tg3", "r8169", "cxgb4", "sfc", "ena", "ionic", "octeontx2", "qede", "be2net",
    "virtio_net", "idpf", "fm10k", "bonding", "bridge", "openvswitch", "team", "qat_dh895xcc", "qat_c62x",
    "qat_c3xxx", "qat_4xxx", "qat_420xx", "idxd", "ioatdma", "ccp", "habanalabs", "pretimeout_panic",
)  # fmt: skip
_LETTERS = "PFSRMBUDAWCIOELKXTNJ"
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_KNOWN = ("x86_64", "aarch64", "s390x", "ppc64le", "ppc64", "riscv64", "loongarch64", "i686", "armv7l")
# What makes the initramfs, by a file that only it has; several may be installed.
_INITRAMFS = (
    ("dracut", "usr/lib/dracut"),
    ("initramfs-tools", "etc/initramfs-tools"),
    ("mkinitcpio", "etc/mkinitcpio.conf"),
)
# Where kernel arguments of the next boot come from.
_BOOT_FILES = ("etc/default/grub", "etc/kernel/cmdline", "usr/sbin/grubby", "usr/bin/rpm-ostree")


@record
class KernelModule:
    """A kernel module that matters here and is there."""

    name: str
    """Its name as proc/modules spells it."""
    state: str
    """loaded, built-in or available (a file of the running release holds it)."""


@record
class Kernel:
    """The running kernel."""

    release: str | None
    """As uname -r has it; proc/sys/kernel/osrelease, else proc/version. Null where neither is there."""
    architecture: str | None
    """As uname -m has it; proc/sys/kernel/arch, before Linux 6.1 the end of `release`. Null where neither tells."""
    command_line: tuple[str, ...] | None
    """Words of proc/cmdline in order. Null where it is not there, or longer than any kernel takes."""
    modules: tuple[KernelModule, ...]
    """Modules that decide what guests can be given, or take devices that guests should have, those of them that are
    there, by name."""
    modules_listed: bool
    """Whether the root holds the running release's modules.dep, so that a module that is not in `modules` is absent."""
    lockdown: str | None
    """none, integrity or confidentiality; sys/kernel/security/lockdown. Null where there is no such file."""
    tainted: int | None
    """Taint bits, 0 being none; proc/sys/kernel/tainted. Null where there is no such file."""
    taints: tuple[str, ...]
    """The bits of `tainted` as the kernel's letters; those without a letter in hex."""
    os: OsRelease | None
    """The operating system. Null where the root has no os-release."""
    initramfs: tuple[str, ...]
    """Tools that make an initramfs here: dracut, initramfs-tools, mkinitcpio."""
    boot_files: tuple[str, ...]
    """Which of etc/default/grub, etc/kernel/cmdline, usr/sbin/grubby and usr/bin/rpm-ostree are there: they decide the
    next boot's arguments."""


def probe(reader: Reader) -> Kernel:
    """The running kernel."""
    running = release(reader)
    tainted = reader.integer("proc/sys/kernel/tainted")
    command_line = text(reader)
    states = {name: state(reader, name) for name in MODULES}
    return Kernel(
        release=running,
        architecture=_architecture(reader, running),
        command_line=None if command_line is None else words(command_line),
        modules=tuple(
            KernelModule(name=name, state=found)
            for name, found in sorted(states.items())
            if found is not None and found != ABSENT
        ),
        modules_listed=ABSENT in states.values(),
        lockdown=_lockdown(reader),
        tainted=tainted,
        taints=_taints(tainted),
        os=os_release(reader),
        initramfs=tuple(name for name, path in _INITRAMFS if reader.exists(path)),
        boot_files=tuple(path for path in _BOOT_FILES if reader.exists(path)),
    )


def _architecture(reader: Reader, running: str | None) -> str | None:
    """What the kernel says, before Linux 6.1 what the release's last word says: `el9.x86_64`, `-amd64`."""
    told = reader.text("proc/sys/kernel/arch")
    if told:
        return told
    last = (running or "").replace("-", ".").rpartition(".")[2]
    return next((name for name in (last, _ARCHITECTURES.get(last)) if name in _KNOWN), None)


def _lockdown(reader: Reader) -> str | None:
    path = "sys/kernel/security/lockdown"
    return reader.parsed(path, _chosen, "a list with one word in brackets")


def _chosen(text: str) -> str | None:
    chosen = [word[1:-1] for word in fields(text) if word.startswith("[") and word.endswith("]")]
    return chosen[0] if len(chosen) == 1 else None


def _taints(tainted: int | None) -> tuple[str, ...]:
    bits = tainted or 0
    named = [letter for number, letter in enumerate(_LETTERS) if bits >> number & 1]
    rest = bits >> len(_LETTERS) << len(_LETTERS) if bits > 0 else 0
    return (*named, *([hex(rest)] if rest else []))


def labels(_kernel: Kernel, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """No labels: Node Feature Discovery has the kernel's version."""
    return iter(())


_INFO = Metric(
    name="hostagent_kernel_info",
    help="The running kernel and the system it belongs to. Always 1.",
    labels=("release", "architecture", "os_id", "os_version"),
)
_TAINTED = Metric(name="hostagent_kernel_tainted", help="Taint bits of the kernel; 0: none.", labels=())
_LOCKDOWN = Metric(
    name="hostagent_kernel_lockdown_info",
    help="Lockdown mode of the kernel: none, integrity or confidentiality. Always 1.",
    labels=("mode",),
)


def samples(kernel: Kernel) -> Iterator[Sample]:
    """What the kernel says of itself; nothing where it does not."""
    if kernel.release is not None:
        told = (kernel.os.id, kernel.os.version_id) if kernel.os is not None else (None, None)
        names = (kernel.release, kernel.architecture, *told)
        yield Sample(metric=_INFO, labels=tuple(name or "" for name in names), value=1)
    if kernel.tainted is not None:
        yield Sample(metric=_TAINTED, labels=(), value=kernel.tainted)
    if kernel.lockdown is not None:
        yield Sample(metric=_LOCKDOWN, labels=(kernel.lockdown,), value=1)


AREA = Area(
    name="kernel",
    about="The running kernel, its modules and what it was booted with",
    probe=probe,
    labels=labels,
    label_docs=(),
    samples=samples,
    metrics=(_INFO, _TAINTED, _LOCKDOWN),
    guard=None,
    unseen=nothing_unseen,
)
