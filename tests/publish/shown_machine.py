"""A worker with two sockets that has something of everything the page draws: the one on the README's pictures.

It is made up, as no machine of the lab has IOMMU groups, filled pools and an armed watchdog at once; what is said of it is not.
"""

from __future__ import annotations

from hostagent.report import NodeReport
from tests.plan.machines import NIC_CLASS, NVME_CLASS, T4, T4_CLASS, Machine

_NAMES = """\
1022  Advanced Micro Devices, Inc. [AMD]
\t14a4  Genoa Root Complex
\t14ab  Genoa PCIe GPP Bridge
\t790b  FCH SMBus Controller
\t790e  FCH LPC Bridge
10de  NVIDIA Corporation
\t1eb8  TU104GL [Tesla T4]
\t1aef  GA102 High Definition Audio Controller
\t2204  GA102 [GeForce RTX 3090]
10ee  Xilinx Corporation
\t500c  Alveo U50
144d  Samsung Electronics Co Ltd
\ta80a  NVMe SSD Controller PM9A1
1a03  ASPEED Technology, Inc.
\t2000  ASPEED Graphics Family
8086  Intel Corporation
\t1592  Ethernet Controller E810-C for QSFP
\t1889  Ethernet Adaptive Virtual Function
C 01  Mass storage controller
\t08  Non-Volatile memory controller
C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
\t00  VGA compatible controller
\t02  3D controller
C 04  Multimedia controller
\t03  Audio device
C 06  Bridge
\t00  Host bridge
\t01  ISA bridge
\t04  PCI bridge
C 0c  Serial bus controller
\t05  SMBus
C 12  Processing accelerators
\t00  Processing accelerators
"""
_CPUS = 64
_PAGES = "sys/devices/system/node/node{}/hugepages/hugepages-{}kB"
_GIB = 1 << 20  # kB
_PROCESSOR = "vendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 9334 32-Core Processor\ncpu cores\t: 16\n"
_FLAGS = "flags\t\t: fpu pse pdpe1gb lm nx sse3 ssse3 sse4_1 sse4_2 cx16 popcnt avx avx2 svm\n"
_BLOCKS = [f"processor\t: {n}\nphysical id\t: {n // 32}\n{_PROCESSOR}{_FLAGS}\n" for n in range(_CPUS)]
_WATCHDOG = {"identity": "SP5100 TCO timer", "state": "active", "timeout": "60", "nowayout": "0", "bootstatus": "0"}
_FILES = {
    "usr/share/hwdata/pci.ids": _NAMES,
    "proc/cpuinfo": "".join(_BLOCKS),
    "proc/meminfo": f"MemTotal: {256 * _GIB} kB\nHugepagesize: 2048 kB\n",
    "proc/cmdline": "iommu=pt hugepagesz=1G hugepages=0:48,1:48 hugepagesz=2M hugepages=0:2048,1:2048 isolcpus=4-31\n",
    "proc/modules": "kvm_amd 1 0\nkvm 1 1 kvm_amd\nvfio_pci 1 0\nvfio 1 1 vfio_pci\nvfio_iommu_type1 1 0\n",
    "proc/interrupts": "  24:   1  IR-PCI-MSI-0000:00:02.0  0-edge  PCIe bwctrl\n",
    "sys/class/iommu/ivhd0/amd-iommu/cap": "0\n",
    "sys/devices/system/cpu/online": "0-63\n",
    "sys/devices/system/cpu/isolated": "4-31\n",
    "sys/devices/system/cpu/smt/control": "on\n",
    "sys/devices/system/node/online": "0-1\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    "sys/class/dmi/id/sys_vendor": "Example\n",
    "sys/class/dmi/id/product_name": "Two-socket server\n",
    "sys/class/dmi/id/bios_version": "1.8\n",
    "sys/class/dmi/id/bios_vendor": "Example\n",
    "sys/firmware/efi/fw_platform_size": "64\n",
    "sys/firmware/acpi/tables/IVRS": "",
    "etc/os-release": "ID=rhcos\nVERSION_ID=9.6\nOSTREE_VERSION=9.6\n",
    "etc/modprobe.d/vfio.conf": "options vfio-pci ids=10de:1eb8,10de:2204\nsoftdep nouveau pre: vfio-pci\n",
    "etc/systemd/system.conf.d/50-watchdog.conf": "[Manager]\nRuntimeWatchdogSec=60\n",
}
_FILES |= {f"sys/class/misc/{name}/dev": "10:1\n" for name in ("kvm", "tun", "vhost-net", "vfio")}
_FILES |= {f"sys/class/watchdog/watchdog0/{name}": f"{said}\n" for name, said in _WATCHDOG.items()}


def shown() -> NodeReport:
    """Two NUMA nodes; a card that its audio function blocks; pools of which one was not filled; a watchdog that systemd keeps."""
    machine = Machine()
    machine.without("sys/firmware", "sys/class/iommu", "sys/kernel/mm").put(_FILES)
    _functions(machine)
    for node, gigabytes, free in ((0, 48, 8), (1, 40, 40)):
        _node(machine, node, ((1048576, gigabytes, free), (2048, 2048, 512)))
    return machine.report()


def _functions(machine: Machine) -> None:
    machine.function("0000:00:00.0", "1022:14a4", "060000", group=0)
    machine.function("0000:00:01.1", "1022:14ab", "060400", driver="pcieport", group=1)
    machine.function("0000:00:14.0", "1022:790b", "0c0500", driver="piix4_smbus", group=2)
    machine.function("0000:00:14.3", "1022:790e", "060100", group=2)
    for group, address, node in ((10, "0000:01:00.0", "0"), (11, "0000:81:00.0", "1")):
        machine.function(address, T4, T4_CLASS, driver="vfio-pci", group=group, numa_node=node, reset_method="flr")
    machine.function(
        "0000:21:00.0", "10de:2204", "030000", driver="vfio-pci", group=12, numa_node="0", reset_method="bus"
    )
    machine.function("0000:21:00.1", "10de:1aef", "040300", driver="snd_hda_intel", group=12, numa_node="0")
    _card(machine)
    machine.function("0000:61:00.0", "144d:a80a", NVME_CLASS, driver="nvme", group=17, numa_node="0")
    machine.disk("nvme0n1", "0000:61:00.0", on="/")
    machine.function("0000:a1:00.0", "144d:a80a", NVME_CLASS, driver="nvme", group=18, numa_node="1")
    machine.function("0000:c1:00.0", "10ee:500c", "120000", group=19, numa_node="1", reset_method="bus")
    machine.function("0000:e1:00.0", "1a03:2000", "030000", driver="ast", group=20, numa_node="1", boot_vga="1")


def _card(machine: Machine) -> None:
    card = {"sriov_totalvfs": "64", "sriov_numvfs": "3", "sriov_offset": "8", "sriov_stride": "1"}
    machine.function("0000:41:00.0", "8086:1592", NIC_CLASS, driver="ice", group=13, numa_node="0", **card)
    machine.nic("ens1f0", "0000:41:00.0", route=True)
    base = "sys/devices/pci0000:00/0000:41"
    for n in range(3):
        driver = "vfio-pci" if n < 2 else None
        machine.function(
            f"0000:41:01.{n}", "8086:1889", NIC_CLASS, driver=driver, group=14 + n, numa_node="0", reset_method="flr"
        )
        machine.links[f"{base}:00.0/virtfn{n}"] = f"../0000:41:01.{n}"
        machine.links[f"{base}:01.{n}/physfn"] = "../0000:41:00.0"


def _node(machine: Machine, node: int, pools: tuple[tuple[int, int, int], ...]) -> None:
    place = f"sys/devices/system/node/node{node}"
    machine.put(
        {
            f"{place}/cpulist": f"{node * 32}-{node * 32 + 31}\n",
            f"{place}/meminfo": f"Node {node} MemTotal: {128 * _GIB} kB\n",
            f"{place}/distance": "10 32\n" if node == 0 else "32 10\n",
        }
    )
    for size, total, free in pools:
        pool = _PAGES.format(node, size)
        machine.put({f"{pool}/nr_hugepages": f"{total}\n", f"{pool}/free_hugepages": f"{free}\n"})
        for name, count in (("nr", total), ("free", free), ("resv", 0), ("surplus", 0)):
            whole = f"sys/kernel/mm/hugepages/hugepages-{size}kB/{name}_hugepages"
            machine.put({whole: f"{int(machine.files.get(whole, '0')) + count}\n"})
