"""A machine of the lab as a value, and the QEMU command line that is that machine.

Every machine carries the same devices, so that scenarios differ in one thing each: two NICs with the same IDs in
different slots (nic0, nic1), an NVMe drive with two SR-IOV VFs (nvme0), a display function with its audio function
(gpu, hda), two conventional devices behind a PCIe-to-PCI bridge (edu0, rtl), two watchdogs (i6300esb, iTCO), a
USB controller, an NVMe drive on the second NUMA node that holds a file system (nvme1), the virtio root disk and
empty hot-plug slots (rp5, rp6, rp7).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

from tests.lab.architecture import AMD64, ARM64, Architecture
from tests.lab.cpio import Entry
from tests.lab.image import Image

# What a machine needs to boot fast under emulation; none of it touches what hostagent reads.
QUICK = (
    "nokaslr mitigations=off audit=0 apparmor=0 selinux=0 tsc=reliable no_timer_check cryptomgr.notests panic=-1 "
    "random.trust_cpu=on rcupdate.rcu_expedited=1 printk.time=1 quiet loglevel=4"
)
IOMMUS = {
    None: "",
    "intel": "-device intel-iommu,intremap=on,caching-mode=on,device-iotlb=on,aw-bits=48",
    "amd": "-device amd-iommu,intremap=on,device-iotlb=on",
    "smmu": "",  # part of the machine
}
ROOT_PORTS = " ".join(
    f"-device pcie-root-port,id=rp{n},bus=pcie.0,chassis={n + 1},slot={n + 1},addr=02.{n}"
    + (",multifunction=on" if n == 0 else "")
    for n in range(8)
)
DEVICES = """
-device e1000e,bus=rp0,romfile=,id=nic0,mac=52:54:00:aa:00:01
-device e1000e,bus=rp1,romfile=,id=nic1,mac=52:54:00:aa:00:02
-device nvme-subsys,id=sub0,nqn=lab0
-drive if=none,id=nv0,format=raw,file.driver=null-co,file.size=64M,file.read-zeroes=on
-device nvme,bus=rp2,id=nvme0,serial=LABPF,subsys=sub0,max_ioqpairs=6,msix_qsize=7,sriov_max_vfs=2,\
sriov_vq_flexible=4,sriov_vi_flexible=4
-device nvme-ns,drive=nv0,bus=nvme0,nsid=1,shared=off
-device VGA,bus=rp3,addr=00.0,multifunction=on,id=gpu
-device ich9-intel-hda,bus=rp3,addr=00.1,id=hda
-audiodev none,id=snd0
-device hda-duplex,bus=hda.0,audiodev=snd0
-device pcie-pci-bridge,bus=rp4,id=cbr
-device edu,bus=cbr,addr=01.0,id=edu0
-device rtl8139,bus=cbr,romfile=,addr=02.0,id=rtl,mac=52:54:00:aa:00:03
-device i6300esb,bus=pcie.0,addr=05.0,id=wd
-device qemu-xhci,bus=pcie.0,addr=06.0,id=xhci
-device usb-tablet,bus=xhci.0
-device virtio-net-pci,romfile=,bus=pcie.0,addr=07.0,id=vnet,mac=52:54:00:aa:00:04
-device edu,bus=pcie.0,addr=08.0,id=edu1
-device pxb-pcie,id=pxb1,bus_nr=64,numa_node=1,bus=pcie.0,addr=09.0
-device pcie-root-port,id=rp8,bus=pxb1,chassis=20,slot=20,addr=00.0
-device nvme,bus=rp8,id=nvme1,serial=LABN1,drive=nv1,max_ioqpairs=2
"""
X86 = "qemu-system-x86_64 -machine q35 -global ICH9-LPC.noreboot=false"
ARM = "qemu-system-aarch64 -machine virt,gic-version=3,iommu=smmuv3"
# Where the devices above are, inside.
NIC0, NIC1 = "0000:01:00.0", "0000:02:00.0"
NVME0, VF0, VF1 = "0000:03:00.0", "0000:03:00.1", "0000:03:00.2"
GPU, HDA = "0000:04:00.0", "0000:04:00.1"
EDU0, RTL = "0000:06:01.0", "0000:06:02.0"
EDU1 = "0000:00:08.0"
NVME1 = "0000:41:00.0"
LPC, SATA, SMBUS = "0000:00:1f.0", "0000:00:1f.2", "0000:00:1f.3"
ROOT_DISK = "0000:00:1e.0"
HOTPLUG = "0000:07:00.0"  # what is plugged into rp5


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What differs between machines. `files` (see cpio.py) are put over the root before its init starts."""

    iommu: Literal["intel", "amd", "smmu"] | None
    arguments: str = ""
    cpu: str = "Haswell-noTSX"
    megabytes: tuple[int, int] = (768, 768)
    init: Literal["fast", "systemd"] = "fast"
    files: tuple[Entry, ...] = ()
    watchdog_action: str = "none"
    extra: str = ""

    @property
    def architecture(self) -> Architecture:
        """Arm's IOMMU means an Arm machine."""
        return ARM64 if self.iommu == "smmu" else AMD64


def command(machine: Machine, image: Image, *, initrd: str, root: str, console: str, qmp: int, agent: int) -> list[str]:
    """The command line. `root` is a -drive's file part; `qmp` and `agent` are descriptors of connected sockets."""
    first, second = machine.megabytes
    init = "lab.init=/lib/systemd/systemd" if machine.init == "systemd" else ""
    arm = machine.architecture is ARM64
    # Its VGA BIOS is x86's; the display needs none.
    devices = DEVICES.replace("VGA,", "bochs-display,romfile=,") if arm else DEVICES
    words = f"""
    {ARM if arm else X86} -nodefaults -vga none -display none -no-user-config -no-reboot
    -accel tcg,thread=single,tb-size=256 -cpu {machine.cpu}
    -object memory-backend-ram,id=m0,size={first}M -numa node,nodeid=0,memdev=m0,cpus=0-0
    -object memory-backend-ram,id=m1,size={second}M -numa node,nodeid=1,memdev=m1,cpus=1-1
    -m {first + second}M,maxmem=16G,slots=4 -smp 2,sockets=2,cores=1,threads=1 -numa dist,src=0,dst=1,val=21
    {IOMMUS[machine.iommu]} {ROOT_PORTS} {devices}
    -watchdog-action {machine.watchdog_action}
    -device virtio-blk-pci,drive=root,bus=pcie.0,addr=1e.0,multifunction=on
    -device virtio-serial-pci,bus=pcie.0,addr=1e.1
    -chardev socket,id=agent,fd={agent} -device virtserialport,chardev=agent,name=lab.agent
    -chardev socket,id=qmp,fd={qmp} -mon chardev=qmp,mode=control
    {machine.extra}
    """
    # Paths may hold blanks: they stay out of what is split.
    return [
        *shlex.split(words),
        *("-drive", f"if=none,id=root,format=raw,cache=unsafe,{root}"),
        *("-drive", f"if=none,id=nv1,format=raw,cache=unsafe,snapshot=on,file={image.data}"),
        *(
            "-kernel",
            str(image.kernel),
            "-initrd",
            initrd,
            "-append",
            f"console={'ttyAMA0' if arm else 'ttyS0'} {QUICK} {init} {machine.arguments}",
        ),
        *("-serial", f"file:{console}"),
    ]
