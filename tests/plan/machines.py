"""Whole machines in memory, built device by device, and surveyed as any other root."""

from __future__ import annotations

from hostagent.host import Host
from hostagent.host.addresses import RECORD
from hostagent.host.archive import ArchiveTree, Node
from hostagent.report import NodeReport, survey

_MEMORY = 16 << 20  # kB
_HEADING = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


class _Tree(ArchiveTree):
    """A tree of given nodes."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.root = "memory"
        self._links = {}
        self._real = {"": ""}
        self._children = {}
        self._nodes = nodes
        for name in nodes:
            head, _, last = name.rpartition("/")
            if name:
                self._children.setdefault(head, []).append(last)


class Machine:
    """An Intel machine of 16 GiB with one NUMA node, Linux 6.12, vfio-pci as a module, and whatever is added."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {
            "proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu pse pdpe1gb lm vmx\n\n",
            "proc/meminfo": f"MemTotal: {_MEMORY} kB\nHugepagesize: 2048 kB\n",
            "proc/sys/kernel/osrelease": "6.12.0\n",
            "proc/sys/kernel/arch": "x86_64\n",
            "proc/cmdline": "quiet\n",
            "proc/modules": "",
            "proc/1/net/route": _HEADING,
            "proc/1/mountinfo": "24 1 0:22 / / rw - tmpfs none rw\n",
            "sys/class/tty/console/active": "tty0\n",
            "proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n",
            "lib/modules/6.12.0/modules.dep": "kernel/drivers/vfio/pci/vfio-pci.ko:\nkernel/kvm-intel.ko:\nkernel/kvm-amd.ko:\n",
            "lib/modules/6.12.0/modules.builtin": "",
            "sys/devices/system/node/online": "0\n",
            "sys/devices/system/node/node0/meminfo": f"Node 0 MemTotal: {_MEMORY} kB\n",
            "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
            "sys/class/iommu/dmar0/intel-iommu/cap": "0\n",
            "sys/firmware/acpi/tables/DMAR": "",
        }
        self.links: dict[str, str] = {}
        self.heard: tuple[str, ...] = ()
        self.asked = True

    def function(
        self,
        address: str,
        identity: str,
        cls: str,
        *,
        driver: str | None = None,
        group: int | None = None,
        subsystem: str = "0000:0000",
        **attributes: str,
    ) -> Machine:
        """A PCI function."""
        base = f"sys/devices/pci0000:00/{address}"
        said = [f"DRIVER={driver}"] if driver is not None else []
        said += [f"PCI_CLASS={int(cls, 16):X}", f"PCI_ID={identity.upper()}", f"PCI_SUBSYS_ID={subsystem.upper()}"]
        self.files[f"{base}/uevent"] = "\n".join(said) + "\n"
        given = ({"boot_vga": "0"} if cls.startswith("0300") else {}) | attributes
        self.files |= {f"{base}/{name}": f"{value}\n" for name, value in given.items()}
        self.links[f"sys/bus/pci/devices/{address}"] = f"../../../devices/pci0000:00/{address}"
        if driver is not None:
            self.links[f"{base}/driver"] = f"../../../bus/pci/drivers/{driver}"
        if group is not None:
            self.links[f"{base}/iommu_group"] = f"../../../kernel/iommu_groups/{group}"
            self.links[f"sys/kernel/iommu_groups/{group}/devices/{address}"] = (
                f"../../../../devices/pci0000:00/{address}"
            )
            self.files.setdefault(f"sys/kernel/iommu_groups/{group}/type", "DMA-FQ\n")
            regions = "0x00000000fee00000 0x00000000feefffff msi\n"
            self.files.setdefault(f"sys/kernel/iommu_groups/{group}/reserved_regions", regions)
        return self

    def disk(self, name: str, address: str, *, on: str | None = None, swap: bool = False) -> Machine:
        """An NVMe namespace of a function, mounted at `on` or swapped to."""
        base = f"sys/devices/pci0000:00/{address}/nvme/nvme0/{name}"
        number = f"259:{sum(path.startswith('sys/dev/block/') for path in self.links)}"
        self.files |= {f"{base}/dev": f"{number}\n", f"{base}/size": "2097152\n"}
        for at in (f"sys/class/block/{name}", f"sys/dev/block/{number}"):
            self.links[at] = f"../../{base.removeprefix('sys/')}"
        self.links[f"sys/dev/block/{number}"] = f"../../{base.removeprefix('sys/')}"
        self.links[f"sys/block/{name}"] = f"../{base.removeprefix('sys/')}"
        if on is not None:
            self.files["proc/1/mountinfo"] += f"25 24 {number} / {on} rw - ext4 /dev/{name} rw\n"
        if swap:
            self.files["proc/swaps"] += f"/dev/{name}\tpartition\t1048576\t0\t-2\n"
        return self

    def nic(
        self, name: str, address: str, *, route: bool = False, master: str | None = None, operstate: str = "up"
    ) -> Machine:
        """A network link of a function."""
        base = f"sys/devices/pci0000:00/{address}/net/{name}"
        self.files |= {f"{base}/uevent": f"INTERFACE={name}\n", f"{base}/operstate": f"{operstate}\n"}
        self.links[f"{base}/device"] = f"../../../{address}"
        self.links[f"sys/class/net/{name}"] = f"../../{base.removeprefix('sys/')}"
        if master is not None:
            self.links[f"{base}/master"] = f"../../../../virtual/net/{master}"
        if route:
            self.files["proc/1/net/route"] += f"{name}\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
        return self

    def link(self, name: str, *, route: bool = False) -> Machine:
        """A virtual link: a bond, or Open vSwitch's datapath."""
        self.files[f"sys/devices/virtual/net/{name}/operstate"] = "up\n"
        self.links[f"sys/class/net/{name}"] = f"../../devices/virtual/net/{name}"
        if route:
            self.files["proc/1/net/route"] += f"{name}\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
        return self

    def unasked(self) -> Machine:
        """Nobody asked netlink, as in older captures."""
        self.asked = False
        return self

    def put(self, files: dict[str, str]) -> Machine:
        """Files by path."""
        self.files |= files
        return self

    def built_in(self, *modules: str) -> Machine:
        """Modules built into the kernel."""
        text = "".join(f"kernel/{module}.ko\n" for module in modules)
        self.files["lib/modules/6.12.0/modules.builtin"] += text
        return self

    def without(self, *paths: str) -> Machine:
        """Take paths, and all below them, away."""
        for found in (self.files, self.links):
            for path in [path for path in found if path.startswith(paths)]:
                del found[path]
        return self

    def netlink(self, *lines: str) -> Machine:
        """What netlink says of links: `eth0 ipv4 254=default`. Of those not named, that they have no address and no route."""
        self.heard += lines
        return self

    def _heard(self) -> str:
        said = {line.split(" ")[0]: f"{line}\n" for line in self.heard}
        plain = {path.rpartition("/")[2]: "" for path in self.links if path.startswith("sys/class/net/")}
        return "".join(({"lo": "lo ipv4 255\n"} | {name: f"{name} - -\n" for name in plain} | said).values())

    def report(self) -> NodeReport:
        """What a survey says of it."""
        if self.asked:
            self.files[RECORD] = self._heard()
        nodes: dict[str, Node] = {"": ("directory", b"")}
        for path in (*self.files, *self.links):
            head = path.rpartition("/")[0]
            while head:
                nodes[head] = ("directory", b"")
                head = head.rpartition("/")[0]
        nodes |= {path: ("file", text.encode()) for path, text in self.files.items()}
        nodes |= {path: ("link", target.encode()) for path, target in self.links.items()}
        return survey(Host("memory", thorough=True, tree=_Tree(nodes)))


T4, T4_CLASS = "10de:1eb8", "030200"
NIC, NIC_CLASS = "8086:10d3", "020000"
NVME, NVME_CLASS = "1b36:0010", "010802"


def worker() -> Machine:
    """A worker: root on NVMe, default route on one of two equal NICs, two T4s, a BMC display, a shared group."""
    machine = Machine()
    machine.function("0000:00:00.0", "8086:29c0", "060000")
    machine.function("0000:00:1f.0", "8086:2918", "060100", driver="lpc_ich", group=3)
    machine.function("0000:00:1f.3", "8086:2930", "0c0500", driver="i801_smbus", group=3)
    machine.function("0000:00:1f.4", "8086:293e", "040300", driver="snd_hda_intel", group=3)
    machine.function("0000:01:00.0", NIC, NIC_CLASS, driver="e1000e", group=10).nic("eno1", "0000:01:00.0", route=True)
    machine.function("0000:02:00.0", NIC, NIC_CLASS, driver="e1000e", group=11)
    machine.nic("eno2", "0000:02:00.0", operstate="down")
    machine.function("0000:03:00.0", NVME, NVME_CLASS, driver="nvme", group=12).disk("nvme0n1", "0000:03:00.0", on="/")
    machine.function("0000:04:00.0", T4, T4_CLASS, group=13, subsystem="10de:12a2")
    machine.function("0000:05:00.0", T4, T4_CLASS, group=14, subsystem="10de:12a2")
    machine.function("0000:06:00.0", "1a03:2000", "030000", driver="ast", group=15, boot_vga="1")
    machine.function("0000:07:00.0", "10de:1e84", "030000", driver="nouveau", group=16, boot_vga="0")
    machine.function("0000:07:00.1", "10de:10f8", "040300", driver="snd_hda_intel", group=16)
    machine.function("0000:07:00.2", "10de:1ad8", "0c0330", driver="xhci_hcd", group=16)
    machine.function("0000:07:00.3", "10de:1ad9", "0c8000", driver="nvidia-gpu", group=16)
    return machine
