"""Machines that know what their host lives on: devices, uses of them in many ways, and what follows for each function.

A `Life` is built from features, drawn from a seeded generator. A feature adds devices to the machine and says itself which of
them the host uses; nothing of hostagent decides that. `forbidden` adds the other functions of their IOMMU groups.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.plan.machines import Machine

_PCI = "sys/devices/pci0000:00"
_MEMINFO = "MemTotal: 16777216 kB\nHugepagesize: 2048 kB\nSwapTotal: {} kB\n"
# Equal IDs on purpose: what is used and what is free can be twins.
_NVMES = ("1b36:0010", "144d:a808")
_NICS = ("8086:10d3", "8086:1521")
_SUBSYSTEMS = ("1af4:1100", "15d9:0001")


class Life:
    """A machine, the functions its host lives on by what they carry, and those that are free."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.machine = Machine().put({"proc/meminfo": _MEMINFO.format(0)})
        self.used: dict[str, str] = {}
        self.free: set[str] = set()
        self.groups: dict[str, int] = {}
        self._slots = 0
        self._disks = 0
        self._minor = 0

    def function(self, identity: str, cls: str, driver: str | None, **attributes: str) -> str:
        """A function in a slot of its own, and in a group of its own or in the last one."""
        self._slots += 1
        address = f"0000:{self._slots:02x}:00.0"
        last = max(self.groups.values(), default=0)
        group = last if last and self.random.random() < 0.15 else last + 1
        self.groups[address] = group
        subsystem = self.random.choice(_SUBSYSTEMS)
        self.machine.function(address, identity, cls, driver=driver, group=group, subsystem=subsystem, **attributes)
        return address

    def nvme(self) -> tuple[str, str, str]:
        """(address, kernel name, device number) of an NVMe disk that nothing uses yet."""
        address = self.function(self.random.choice(_NVMES), "010802", "nvme")
        number, name = self._disks, f"nvme{self._disks}n1"
        self._disks += 1
        device = self.block(f"{_PCI}/{address}/nvme/nvme{number}/{name}", f"259:{number}")
        return address, name, device

    def block(self, path: str, number: str) -> str:
        """A block device at a place below sys/devices, known to every index of sysfs."""
        name = path.rpartition("/")[2]
        self.machine.put({f"{path}/dev": f"{number}\n", f"{path}/size": "2097152\n"})
        for at in (f"sys/class/block/{name}", f"sys/dev/block/{number}"):
            self.machine.links[at] = f"../../{path.removeprefix('sys/')}"
        self.machine.links[f"sys/dev/block/{number}"] = f"../../{path.removeprefix('sys/')}"
        if f"/{name.rstrip('0123456789').rstrip('p')}/" not in path:
            self.machine.links[f"sys/block/{name}"] = f"../{path.removeprefix('sys/')}"
        return number

    def virtual(self, head: str, major: int) -> tuple[str, str, str]:
        """(name, path, number) of a loop, dm, md or zram device."""
        name = f"{head}{self._minor}"
        path, number = f"sys/devices/virtual/block/{name}", f"{major}:{self._minor}"
        self._minor += 1
        return name, path, self.block(path, number)

    def over(self, name: str, lower: str, lower_path: str) -> None:
        """Both links of a device above another."""
        self.machine.links[f"sys/devices/virtual/block/{name}/slaves/{lower}"] = f"../../{lower}"
        self.machine.links[f"{lower_path}/holders/{name}"] = f"../../{name}"

    def mounted(self, number: str, point: str, source: str, root: str = "/", kind: str = "ext4") -> None:
        """A line of the host's mountinfo."""
        self.machine.files["proc/1/mountinfo"] += (
            f"{100 + self._slots} 24 {number} {root} {point} rw - {kind} {source} rw\n"
        )

    def swaps_to(self, name: str) -> None:
        """A line of the host's swaps, which meminfo knows of."""
        self.machine.files["proc/swaps"] += f"/dev/{name}\tpartition\t1048576\t0\t-2\n"
        self.machine.put({"proc/meminfo": _MEMINFO.format(1048576)})

    def path(self, address: str, name: str) -> str:
        """Where an NVMe disk is."""
        return f"{_PCI}/{address}/nvme/{name.partition('n1')[0]}/{name}"

    def nic(self, *, up: bool, **attributes: str) -> tuple[str, str]:
        """(address, link) of a NIC."""
        address = self.function(self.random.choice(_NICS), "020000", "igb", **attributes)
        link = f"ens{self._slots}"
        self.machine.nic(link, address)
        if not up:
            self.machine.put({f"{_PCI}/{address}/net/{link}/operstate": "down\n"})
        return address, link

    def uses(self, address: str, what: str) -> None:
        """The host uses a function."""
        self.used[address] = what

    def forbidden(self) -> dict[str, str]:
        """What may not be taken: what is used, and what shares a group with it."""
        groups = {self.groups[address]: what for address, what in self.used.items()}
        shared = {one: f"group of {groups[group]}" for one, group in self.groups.items() if group in groups}
        return shared | self.used


Feature = Callable[[Life], None]
FEATURES: list[Feature] = []


def feature(add: Feature) -> Feature:
    FEATURES.append(add)
    return add


def life(random: Random) -> Life:
    """A machine with a handful of features, in any order."""
    found = Life(random)
    for add in random.sample(FEATURES, random.randint(2, 7)):
        add(found)
    return found


@feature
def _root(life: Life) -> None:
    address, name, number = life.nvme()
    life.mounted(number, life.random.choice(("/", "/boot", "/home/a", "/mnt/x")), f"/dev/{name}")
    life.uses(address, "a mount")


@feature
def _partition(life: Life) -> None:
    address, name, _ = life.nvme()
    path = f"{life.path(address, name)}/{name}p1"
    number = life.block(path, f"259:{50 + life._slots}")
    life.machine.put({f"{path}/partition": "1\n"})
    life.mounted(number, "/var/lib/x", f"/dev/{name}p1")
    life.uses(address, "a partition's mount")


@feature
def _swap(life: Life) -> None:
    address, name, _ = life.nvme()
    life.swaps_to(name)
    life.uses(address, "swap")


@feature
def _loop(life: Life) -> None:
    """A loop over a block device: by its node, by a bind mount of it, mounted, swapped to, or neither."""
    address, name, _ = life.nvme()
    loop, path, number = life.virtual("loop", 7)
    backing = f"/dev/{name}"
    if life.random.random() < 0.5:
        backing = f"/var/lib/kubelet/pods/{life._slots}/volumeDevices/disk"
        life.mounted("0:6", backing, "udev", f"/{name}", "devtmpfs")
    life.machine.put({f"{path}/loop/backing_file": f"{backing}\n", f"{path}/loop/offset": "1048576\n"})
    how = life.random.choice(("mount", "swap", "dm", "idle"))
    if how == "mount":
        life.mounted(number, f"/mnt/{loop}", f"/dev/{loop}")
    elif how == "swap":
        life.swaps_to(loop)
    elif how == "dm":
        above, _, dm = life.virtual("dm-", 253)
        life.over(above, loop, path)
        life.mounted(dm, f"/mnt/{above}", f"/dev/mapper/{above}")
    life.uses(address, f"a loop ({how})")


@feature
def _mapped(life: Life) -> None:
    address, name, _ = life.nvme()
    above, _, number = life.virtual(*life.random.choice((("dm-", 253), ("md", 9), ("bcache", 252))))
    life.over(above, name, life.path(address, name))
    if life.random.random() < 0.7:
        life.mounted(number, f"/srv/{above}", f"/dev/{above}")
    life.uses(address, f"held by {above}")


@feature
def _zram(life: Life) -> None:
    address, name, _ = life.nvme()
    zram, path, _ = life.virtual("zram", 251)
    life.machine.put({f"{path}/backing_dev": f"/dev/{name}\n", f"{path}/disksize": "1048576\n"})
    life.swaps_to(zram)
    life.uses(address, "zram's writeback")


@feature
def _next_boot(life: Life) -> None:
    address, name, _ = life.nvme()
    line = life.random.choice((f"/dev/{name} /data ext4 defaults 0 2\n", f"/dev/{name} none swap sw 0 0\n"))
    life.machine.files["etc/fstab"] = life.machine.files.get("etc/fstab", "") + line
    life.uses(address, "fstab")


@feature
def _other_namespace(life: Life) -> None:
    address, name, number = life.nvme()
    process = 4000 + life._slots
    life.machine.put({f"proc/{process}/mountinfo": f"900 899 {number} / /data rw - xfs /dev/{name} rw\n"})
    life.uses(address, "a mount in another namespace")


@feature
def _default_route(life: Life) -> None:
    address, link = life.nic(up=True)
    life.machine.files["proc/1/net/route"] += f"{link}\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    life.uses(address, "a route")


@feature
def _policy_route(life: Life) -> None:
    """An address, or routes in another table, which proc does not show; or nobody asked, and the link is up."""
    address, link = life.nic(up=True)
    how = life.random.choice(("ipv4 100", "- 100=default", "ipv6 -", None))
    if how is None:
        life.machine.unasked()
    else:
        life.machine.netlink(f"{link} {how}")
    life.uses(address, f"a link with {how}")


@feature
def _port(life: Life) -> None:
    address, link = life.nic(up=life.random.random() < 0.5)
    master = f"bond{life._slots}"
    life.machine.link(master)
    life.machine.links[f"{_PCI}/{address}/net/{link}/master"] = f"../../../../virtual/net/{master}"
    life.machine.links[f"{_PCI}/{address}/net/{link}/upper_{master}"] = f"../../../../virtual/net/{master}"
    life.machine.links[f"sys/devices/virtual/net/{master}/lower_{link}"] = f"../../../pci0000:00/{address}/net/{link}"
    life.uses(address, "a bond's port")


@feature
def _upper(life: Life) -> None:
    """A VLAN, macvlan or macvtap: its lower link is in use although it is no port of anything."""
    address, link = life.nic(up=life.random.random() < 0.5)
    upper = f"{life.random.choice(('vlan', 'macvlan', 'macvtap'))}{life._slots}"
    base = f"sys/devices/virtual/net/{upper}"
    life.machine.put({f"{base}/operstate": "down\n", f"{base}/uevent": f"INTERFACE={upper}\n"})
    life.machine.links[f"sys/class/net/{upper}"] = f"../../devices/virtual/net/{upper}"
    life.machine.links[f"{base}/lower_{link}"] = f"../../../pci0000:00/{address}/net/{link}"
    life.machine.links[f"{_PCI}/{address}/net/{link}/upper_{upper}"] = f"../../../../virtual/net/{upper}"
    life.uses(address, f"below {upper}")


@feature
def _in_a_pod(life: Life) -> None:
    address = life.function(life.random.choice(_NICS), "020000", "mlx5_core")
    life.uses(address, "a link in another namespace")


@feature
def _with_vfs(life: Life) -> None:
    counted = {"sriov_numvfs": "1"} if life.random.random() < 0.5 else {}
    address, _ = life.nic(up=False, sriov_totalvfs="4", **counted)
    virtual = life.function("8086:1520", "020000", "vfio-pci")
    life.machine.links[f"{_PCI}/{address}/virtfn{life.random.randint(0, 3)}"] = f"../{virtual}"
    life.machine.links[f"{_PCI}/{virtual}/physfn"] = f"../{address}"
    life.uses(address, "a PF with VFs")


@feature
def _boot_display(life: Life) -> None:
    address = life.function("10de:1e84", "030000", "nouveau", boot_vga="1")
    life.uses(address, "the boot display")


@feature
def _bmc_display(life: Life) -> None:
    identity = life.random.choice(("1a03:2000", "102b:0522", "102b:0532", "102b:0536", "102b:0538", "19e5:1711"))
    life.uses(life.function(identity, "030000", None, boot_vga="0"), "the BMC's display")


@feature
def _serial_console(life: Life) -> None:
    address = life.function("8086:a13d", "070002", "serial")
    tty = f"ttyS{4 + life._slots}"
    base = f"{_PCI}/{address}/tty/{tty}"
    life.machine.put({f"{base}/dev": "4:68\n"})
    life.machine.links[f"{base}/device"] = f"../../../{address}"
    life.machine.links[f"sys/class/tty/{tty}"] = f"../../{base.removeprefix('sys/')}"
    life.machine.put({"sys/class/tty/console/active": f"tty0 {tty}\n"})
    life.machine.files["proc/cmdline"] = f"quiet console=tty0 console={tty},115200\n"
    life.uses(address, "the serial console")


@feature
def _memory(life: Life) -> None:
    life.uses(life.function("8086:0d93", "050210", "cxl_pci"), "CXL memory")


@feature
def _watchdog(life: Life) -> None:
    address = life.function("8086:25ab", "088000", "i6300esb")
    base = f"{_PCI}/{address}/watchdog/watchdog0"
    life.machine.put({f"{base}/identity": "i6300ESB timer\n", f"{base}/timeout": "30\n"})
    life.machine.links[f"{base}/device"] = f"../../../{address}"
    life.machine.links["sys/class/watchdog/watchdog0"] = f"../../{base.removeprefix('sys/')}"
    life.uses(address, "a watchdog")


@feature
def _lost_route(life: Life) -> None:
    """A default route through a link that sysfs does not show, while another NIC is up: it may be that one."""
    address, _ = life.nic(up=True)
    life.machine.files["proc/1/net/route"] += "gone0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    life.uses(address, "a NIC that lost routes may lead through")


@feature
def _free_disk(life: Life) -> None:
    life.free.add(life.nvme()[0])


@feature
def _free_nic(life: Life) -> None:
    life.free.add(life.nic(up=False)[0])


@feature
def _free_cards(life: Life) -> None:
    for _ in range(life.random.randint(1, 3)):
        life.free.add(life.function("10de:1eb8", "030200", life.random.choice((None, "nouveau"))))
