"""A Debian kernel package as what QEMU boots: an uncompressed vmlinux, and the modules the lab's machines need."""

from __future__ import annotations

import lzma
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

# Loaded in the initramfs, with what they depend on: the root disk.
ROOT_MODULES = ("virtio_pci", "virtio_blk", "ext4", "crc32c_generic")
# Everything else a machine of the lab, or a test in it, may ask for.
MODULES = """
    virtio_net virtio_console virtio_scsi e1000e 8139cp 8139too nvme ahci sd_mod xhci_pci usbhid hid_generic
    vfio vfio_pci vfio_iommu_type1 pci_stub bochs simpledrm snd_hda_intel snd_hda_codec_generic
    i6300esb iTCO_wdt iTCO_vendor_support softdog lpc_ich i2c_i801 i2c_smbus
    kvm kvm_intel kvm_amd irqbypass vhost_net tun bridge 8021q bonding dummy veth macvlan
    dm_mod raid1 loop overlay btrfs xfs zram configfs fuse autofs4 nfnetlink nf_tables
""".split()  # noqa: SIM905 - quoted one by one they would fill a page


def unpack(package: Path, target: Path) -> str:
    """Unpack a linux-image package; its version."""
    subprocess.run(["dpkg-deb", "-x", package, target], check=True)
    (config,) = (target / "boot").glob("config-*")
    return config.name.removeprefix("config-")


def vmlinux(bzimage: bytes) -> bytes:
    """The ELF kernel inside an x86 bzImage; kernels of others as they are.

    Documentation/arch/x86/boot.rst: setup_sects, header, payload_offset, payload_length.

    QEMU boots it by PVH, which skips the decompressor: under emulation that is most of a second.
    """
    if bzimage[0x202:0x206] != b"HdrS":
        return bzimage
    sectors = bzimage[0x1F1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (sectors + 1) * 512 + offset
    payload = bzimage[start : start + length]
    # The kernel build appends the unpacked size, four bytes that zstd would call garbage.
    return subprocess.run(["zstd", "-dc"], input=payload[:-4], capture_output=True, check=True).stdout


def _name(path: Path) -> str:
    return path.name.partition(".ko")[0].replace("-", "_")


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _needs(module: bytes) -> list[str]:
    """The names in a module's `depends=` of its .modinfo section."""
    _, found, rest = module.partition(b"\0depends=")
    return [name.replace("-", "_") for name in rest.partition(b"\0")[0].decode().split(",") if name] if found else []


def closure(tree: Path, wanted: Iterable[str]) -> dict[str, tuple[Path, bytes]]:
    """Modules and all they depend on: name -> (path below `tree`, decompressed), dependencies first."""
    paths = {_name(path): path for path in tree.rglob("*.ko*")}
    done: dict[str, tuple[Path, bytes]] = {}

    def add(name: str) -> None:
        # Not a module: built into this kernel, or named by one architecture only.
        if name in done or name not in paths:
            return
        content = _content(paths[name])
        for other in _needs(content):
            add(other)
        done[name] = (paths[name].relative_to(tree), content)

    for name in wanted:
        add(name.replace("-", "_"))
    return done


def install(tree: Path, version: str, root: Path) -> list[bytes]:
    """Put the modules under `root`/usr/lib/modules with their indexes; those of the root disk, in loading order."""
    source = tree / "lib/modules" / version
    target = root / "usr/lib/modules" / version
    found = closure(source, [*ROOT_MODULES, *MODULES])
    for path, content in found.values():
        place = target / path.with_suffix("" if path.suffix == ".xz" else path.suffix)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        (target / name).write_bytes((source / name).read_bytes())
    subprocess.run(["depmod", "-b", root, version], check=True)
    return [content for _, content in closure(source, ROOT_MODULES).values()]
