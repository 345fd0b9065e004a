"""A machine that has every state the page draws, and one whose every word is hostile."""

from __future__ import annotations

from pathlib import Path

from hostagent.assess.reasons import Evidence
from hostagent.host import Host
from hostagent.report import NodeReport, survey
from hostagent.values.record import record
from tests.plant import pci_function, plant, unreadable

# Function to group: a card blocked by its audio function, one bound, one free, one in use, the console, a bridge.
_GROUPS = {
    "0000:00:00.0": 0,
    "0000:01:00.0": 1,
    "0000:01:00.1": 1,
    "0000:02:00.0": 2,
    "0000:03:00.0": 3,
    "0000:04:00.0": 4,
    "0000:05:00.0": 5,
    "0000:06:00.0": 6,
}
GROUPS = "sys/kernel/iommu_groups"


# What the host uses, as far as it matters here: no route, and a root that is no disk.
USES = {
    "proc/1/net/route": "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n",
    "proc/1/mountinfo": "1 0 0:2 / / rw - ramfs none rw\n",
}


@record
class Help:
    """A remedy as advice makes it."""

    kind: str
    target: str | None
    text: str


@record
class Said:
    """A finding as advice makes it."""

    code: str
    severity: str
    subject: str
    sentence: str
    evidence: tuple[Evidence, ...]
    remedy: Help


def finding(severity: str, *, code: str = "group-blocked", subject: str = "0000:01:00.1", sentence: str = "") -> Said:
    """A finding with a remedy that is rendered."""
    return Said(
        code=code,
        severity=severity,
        subject=subject,
        sentence=sentence or f"{subject} keeps its group.",
        evidence=(Evidence(path=f"sys/bus/pci/devices/{subject}/driver", said="snd_hda_intel"),),
        remedy=Help(kind="render", target="modprobe", text="Bind it to vfio-pci too."),
    )


def report_of(root: Path) -> NodeReport:
    """The survey of a tree."""
    return survey(Host(str(root), thorough=True))


def every_state(root: Path) -> NodeReport:
    """Groups: 0 platform, 1 blocked, 2 bound, 3 viable, 4 in use, 5 protected (console), 6 without IOMMU; one function alone."""
    files: dict[str, str] = {}
    for address, given in {
        "0000:00:00.0": {"cls": "60000", "id": "8086:29C0"},
        "0000:01:00.0": {"cls": "30200", "id": "10DE:1EB8", "driver": "vfio-pci"},
        "0000:01:00.1": {"cls": "40300", "id": "10DE:10F8", "driver": "snd_hda_intel"},
        "0000:02:00.0": {"cls": "20000", "id": "8086:154C", "driver": "vfio-pci"},
        "0000:03:00.0": {"cls": "120000", "id": "1DA3:1000"},
        "0000:04:00.0": {"cls": "b4000", "id": "8086:37C8", "driver": "c6xx_other"},
        "0000:05:00.0": {"cls": "30000", "id": "1A03:2000", "driver": "ast", "boot_vga": "1"},
        "0000:06:00.0": {"cls": "10802", "id": "144D:A808"},
        "0000:07:00.0": {"cls": "20000", "id": "10EC:8139"},
    }.items():
        files |= pci_function(address, **given)
    files |= {f"{GROUPS}/6/name": "vfio-noiommu\n"}
    for size, total, free in ((2048, 64, 16), (1048576, 4, 4)):
        pool = f"sys/kernel/mm/hugepages/hugepages-{size}kB"
        node = f"sys/devices/system/node/node0/hugepages/hugepages-{size}kB"
        files |= {f"{pool}/nr_hugepages": f"{total}\n", f"{pool}/free_hugepages": f"{free}\n"}
        files |= {f"{pool}/resv_hugepages": "2\n", f"{pool}/surplus_hugepages": "0\n"}
        files |= {f"{node}/nr_hugepages": f"{total}\n", f"{node}/free_hugepages": f"{free}\n"}
    files |= {
        "proc/cmdline": "hugepagesz=1G hugepages=8\n",
        "sys/devices/system/node/online": "0\n",
        "sys/devices/system/node/node0/cpulist": "0-3\n",
        "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal:       16000000 kB\n",
        "sys/devices/system/node/node0/distance": "10\n",
        "sys/devices/system/cpu/online": "0-3\n",
        "sys/devices/system/cpu/isolated": "2-3\n",
        "sys/class/watchdog/watchdog0/identity": "iTCO_wdt\n",
        "sys/class/watchdog/watchdog0/state": "active\n",
        "sys/class/watchdog/watchdog0/timeout": "30\n",
        "sys/class/watchdog/watchdog0/bootstatus": "32\n",
        "sys/class/dmi/id/sys_vendor": "Example\n",
        "sys/class/dmi/id/product_name": "Server 1\n",
        "sys/class/iommu/dmar0/intel-iommu/version": "1:0\n",
        "sys/class/misc/kvm/dev": "10:232\n",
        **USES,
    }
    links = {}
    for address, group in _GROUPS.items():
        links[f"sys/bus/pci/devices/{address}/iommu_group"] = f"../../../../kernel/iommu_groups/{group}"
        links[f"{GROUPS}/{group}/devices/{address}"] = f"../../../../bus/pci/devices/{address}"
    plant(root, files, links)
    unreadable(root, "proc/swaps")
    return report_of(root)


HOSTILE = "<script>alert(1)</script>\"'&\u202e</style><img src=x onerror=alert(1)>"


def hostile(root: Path) -> NodeReport:
    """Markup wherever a file's text comes through to the page."""
    address = "0000:01:00.0"
    files = pci_function(address, cls="30200", id="10DE:1EB8", driver=HOSTILE) | {
        "usr/share/hwdata/pci.ids": f"10de  {HOSTILE}\n\t1eb8  {HOSTILE}\nC 03  {HOSTILE}\n\t02  {HOSTILE}\n",
        "sys/class/watchdog/watchdog0/identity": f"{HOSTILE}\n",
        "sys/class/watchdog/watchdog0/state": f"{HOSTILE}\n",
        "sys/class/dmi/id/sys_vendor": f"{HOSTILE}\n",
        "sys/class/dmi/id/product_name": "\udc80".encode("utf-8", "surrogateescape").decode("latin-1") + "\n",
        "proc/sys/kernel/osrelease": f"{HOSTILE}\n",
        "proc/cpuinfo": f"processor\t: 0\nvendor_id\t: {HOSTILE}\nmodel name\t: {HOSTILE}\nflags\t\t: pse\n",
        "proc/cmdline": f"intel_iommu=on,{HOSTILE.replace(' ', '')} hugepages=a\n",
        "etc/os-release": f"ID='{HOSTILE}'\n",
        f"{GROUPS}/1/type": f"{HOSTILE}\n",
        "sys/devices/system/node/node0/cpulist": HOSTILE,
        "sys/kernel/mm/transparent_hugepage/enabled": f"[{HOSTILE.replace(' ', '')}]\n",
        "sys/kernel/mm/hugepages/hugepages-evil<b>kB/nr_hugepages": "1\n",
    }
    links = {
        f"sys/bus/pci/devices/{address}/iommu_group": "../../../../kernel/iommu_groups/1",
        f"{GROUPS}/1/devices/{address}": f"../../../../bus/pci/devices/{address}",
    }
    return report_of(plant(root, files, links, directories=(f"{GROUPS}/1/devices/<b>platform",)))
