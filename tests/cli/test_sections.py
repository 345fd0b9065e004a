"""The sections of the page beside the devices: pools, watchdogs, what the host stands on, the machine itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.area import Probed
from hostagent.areas.network import Network
from hostagent.areas.storage import OTHER, ROOT, SWAP, Storage, StorageUse
from hostagent.cli.table import page
from hostagent.cli.table.paper import Paper
from hostagent.host.hardware import Carriers
from hostagent.host.links import Link
from hostagent.report import NodeReport
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.cli.test_table import NARROW, WIDE, surveyed
from tests.plant import pci_function, plant

POOLS = "sys/kernel/mm/hugepages/hugepages-{}kB"
NODE = "sys/devices/system/node/node0/hugepages/hugepages-{}kB"


def pool(base: str, kilobytes: int, total: int, free: int, **others: int) -> dict[str, str]:
    at = base.format(kilobytes)
    return {f"{at}/nr_hugepages": f"{total}\n", f"{at}/free_hugepages": f"{free}\n"} | {
        f"{at}/{name}_hugepages": f"{count}\n" for name, count in others.items()
    }


@pytest.fixture
def pools(tmp_path: Path) -> Path:
    return plant(
        tmp_path,
        pool(POOLS, 2048, 64, 60, resv=2, surplus=0, nr_overcommit=0)
        | pool(NODE, 2048, 64, 60, surplus=0)
        | pool(POOLS, 1048576, 0, 0, resv=0, surplus=0, nr_overcommit=0)
        | {
            "sys/devices/system/node/online": "0\n",
            "proc/meminfo": "MemTotal: 1024 kB\nHugepagesize:       2048 kB\n",
            "proc/cmdline": "hugepages=128 hugepagesz=1G hugepages=4 hugepagesz=3M hugepages=1\n",
        },
    )


def test_pools_and_what_was_asked_in_vain(pools: Path) -> None:
    assert (
        page(surveyed(pools, "hugepages"), WIDE)
        == """\
Huge pages  2 MiB, 1 GiB supported · default 2 MiB
page size  node  total  free  reserved  surplus  overcommit
    2 MiB   all     64    60         2        0           0
    2 MiB     0     64    60                  0
the command line asks for 128 pages of 2 MiB; there are 64
the command line asks for 4 pages of 1 GiB; there are 0
the command line asks for 1 page of 3 MiB; the kernel did not follow: unsupported size
"""
    )


def test_narrow_paper_has_a_few_lines_a_pool(pools: Path) -> None:
    assert (
        page(surveyed(pools, "hugepages"), NARROW)
        == """\
Huge pages  2 MiB, 1 GiB supported ·
default 2 MiB
page size 2 MiB
  node all · total 64 · free 60 ·
  reserved 2 · surplus 0 · overcommit 0
page size 2 MiB
  node 0 · total 64 · free 60 · surplus
  0
the command line asks for 128 pages of 2
MiB; there are 64
the command line asks for 4 pages of 1
GiB; there are 0
the command line asks for 1 page of 3
MiB; the kernel did not follow:
unsupported size
"""
    )


def test_no_pages_are_no_table(tmp_path: Path) -> None:
    assert page(surveyed(plant(tmp_path, {}), "hugepages"), WIDE) == "Huge pages  no pages · no sizes known\n"


def test_watchdogs(tmp_path: Path) -> None:
    base = "sys/class/watchdog"
    root = plant(
        tmp_path,
        {
            f"{base}/watchdog0/identity": "iTCO_wdt\n",
            f"{base}/watchdog0/state": "active\n",
            f"{base}/watchdog0/timeout": "30\n",
            f"{base}/watchdog0/nowayout": "1\n",
            f"{base}/watchdog0/bootstatus": "32\n",
            "etc/systemd/system.conf": "[Manager]\nRuntimeWatchdogSec=20s\n",
        },
        directories=(f"{base}/watchdog1",),
    )
    assert (
        page(surveyed(root, "watchdog"), WIDE)
        == """\
Watchdogs  2 devices
device     driver  identity  state   timeout  remarks
watchdog0          iTCO_wdt  active  30 s     last boot: card-reset, nowayout
watchdog1
systemd RuntimeWatchdogSec=20s etc/systemd/system.conf
"""
    )


def test_no_watchdog_is_said(tmp_path: Path) -> None:
    assert page(surveyed(plant(tmp_path, {}), "watchdog"), WIDE) == "Watchdogs  none\n"


DISK, NIC = PciAddress("0000:01:00.0"), PciAddress("0000:02:00.0")


def link(name: str, kind: str, *, lowers: tuple[str, ...] = (), default: bool = False, routes: bool = False) -> Link:
    return Link(
        name=name,
        kind=kind,
        operstate="up",
        mtu=1500,
        master=None,
        lowers=lowers,
        uppers=(),
        function=NIC if kind == "physical" else None,
        functions=(NIC,),
        carries_default_route=default,
        carries_routes=default or routes,
        addresses=(),
        tables=(),
    )


def use(what: str, kind: str, functions: tuple[PciAddress, ...], **changes: object) -> StorageUse:
    chain = ("dm-0", "nvme0n1") if functions else ()
    carriers = Carriers(chain=chain, functions=functions, bridges=(), network=False, unresolved=(), suspects=())
    return StorageUse(
        what=what,
        kind=kind,
        filesystem=None if kind == SWAP else "xfs",
        source="/dev/dm-0",
        device=None,
        carriers=replaced(carriers, **changes),
        place=None,
    )


@pytest.fixture
def standing(tmp_path: Path) -> NodeReport:
    root = plant(tmp_path, pci_function(DISK, driver="nvme", cls="10802") | pci_function(NIC, driver="ice"))
    links = (
        link("bond0", "bond", lowers=("eth0",)),
        link("br0", "bridge", lowers=("bond0",), default=True),
        link("eth0", "physical"),
        link("eth1", "physical", routes=True),
    )
    uses = (
        use("/", ROOT, (DISK,)),
        use("/data", OTHER, (), network=True),
        use("/odd", OTHER, (), unresolved=("zfs: sysfs does not say",)),
        use("/part", "system", (), unresolved=("zfs: sysfs does not say",)),
        use("swap", SWAP, (DISK,)),
    )
    return replaced(
        surveyed(root, "pci"),
        network=Probed(
            data=Network(routes_known=True, links=links, default_route_links=("br0",), lost=()), problems=()
        ),
        storage=Probed(
            data=Storage(mounts_known=True, swaps_known=True, namespaces_known=True, uses=uses, disks=()), problems=()
        ),
    )


def test_what_the_host_stands_on(standing: NodeReport) -> None:
    assert (
        page(standing, WIDE)
        == """\
PCI functions  2
0000:01:00.0  8086:10d3  nvme  storage controller · carries /, swap
0000:02:00.0  8086:10d3  ice   network controller · carries default route, route

The host stands on
what           PCI functions  through
default route  0000:02:00.0   br0 (bridge) on bond0 (bond) on eth0
route          0000:02:00.0   eth1
/              0000:01:00.0   xfs dm-0 on nvme0n1
/part                         xfs /dev/dm-0 (zfs: sysfs does not say)
swap           0000:01:00.0   dm-0 on nvme0n1
1 more mount                  the network
1 more mount                  what is not on PCI or not to be seen
"""
    )


def test_links_in_a_circle_end(standing: NodeReport) -> None:
    circle = (link("a", "bridge", lowers=("b",), default=True), link("b", "bridge", lowers=("a", "gone")))
    network = Network(routes_known=True, links=circle, default_route_links=("a",), lost=())
    said = page(replaced(standing, network=Probed(data=network, problems=()), storage=None), WIDE)
    assert "a (bridge) on b (bridge) on gone\n" in said


def test_what_is_not_known_of_the_host_is_said(tmp_path: Path) -> None:
    said = page(surveyed(plant(tmp_path, {}), "network", "storage"), WIDE)
    assert said == "The host stands on  routes and mounts not known: take no function for unused\n"


def test_the_machine(tmp_path: Path) -> None:
    cpuinfo = "".join(
        f"processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 151\nstepping\t: 2\n"
        f"model name\t: Some CPU\nflags\t\t: fpu vmx{' avx512f' if number else ''}\n\n"
        for number in range(2)
    )
    node = "sys/devices/system/node"
    root = plant(
        tmp_path,
        {
            "proc/cpuinfo": cpuinfo,
            "sys/devices/system/cpu/online": "0-1\n",
            "sys/devices/system/cpu/vulnerabilities/mds": "Vulnerable\n",
            "proc/meminfo": "MemTotal: 4194304 kB\nSwapTotal: 1048576 kB\nSwapFree: 0 kB\n",
            "sys/kernel/mm/ksm/run": "1\n",
            f"{node}/node0/cpulist": "0-1\n",
            f"{node}/node0/meminfo": "Node 0 MemTotal: 4194304 kB\n",
            f"{node}/node8/cpulist": "\n",
            "sys/class/dmi/id/sys_vendor": "Maker\n",
            "sys/class/dmi/id/product_name": "Model\n",
            "proc/sys/kernel/osrelease": "6.12.1\n",
            "proc/cmdline": "intel_iommu=on vfio-pci.ids=10de:1eb8\n",
            "etc/modprobe.d/vfio.conf": "options vfio-pci ids=10de:1eb8\n",
        },
    )
    lines = page(surveyed(root), WIDE).splitlines()
    told = {line[:10].strip(): line[10:] for line in lines[1 : lines.index("")]}
    assert told["Hardware"].startswith("Maker Model")
    assert told["Kernel"].startswith("6.12.1")
    assert told["CPU"].startswith("Some CPU · ")
    assert "          CPUs differ: avx512f (CPUs 1)" in lines
    assert "          vulnerable: mds" in lines
    assert told["Memory"] == "4 GiB · swap 1 GiB, in use · KSM on"
    assert told["NUMA"] == "node 0 · CPUs 0-1 · 4 GiB"
    assert "          node 8 · no CPUs" in lines
    assert told["IOMMU"].endswith(" · intel_iommu=on")
    assert "          ids=10de:1eb8 etc/modprobe.d/vfio.conf:1" in "\n".join(lines)
    assert told["Kubelet"] == "none here"


def test_wide_lines_wrap_in_their_own_column(standing: NodeReport) -> None:
    lines = page(standing, Paper(width=80, colour=False, encoding="utf-8")).splitlines()
    assert lines[2:4] == [
        "0000:02:00.0  8086:10d3  ice   network controller · carries default route, route",
        "",
    ]
    long = page(standing, Paper(width=78, colour=False, encoding="utf-8")).splitlines()
    assert long[2:4] == [
        "0000:02:00.0  8086:10d3  ice   network controller · carries default route,",
        " " * 31 + "route",
    ]
