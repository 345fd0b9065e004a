"""systemd as PID 1: modprobe.d, modules-load.d, udev rules and unit ordering really happen, and so does hot plug."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.lab import cpio
from tests.lab.agree import iommu, none, pci, verdicts
from tests.lab.boot import Guest
from tests.lab.everywhere import everywhere
from tests.lab.machine import EDU0, EDU1, GPU, HDA, HOTPLUG, NIC0, NIC1, RTL, Machine
from tests.lab.privilege import hidden

pytestmark = pytest.mark.lab

DEFAULTS = Machine(iommu="intel", cpu="Skylake-Server", init="systemd")

BIND_UNIT = f"""\
[Unit]
Description=Hand one function to vfio-pci before udev finds a driver for it
DefaultDependencies=no
After=systemd-modules-load.service
Before=systemd-udev-trigger.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo vfio-pci >/sys/bus/pci/devices/{GPU}/driver_override'
ExecStart=/bin/sh -c 'echo {GPU} >/sys/bus/pci/drivers_probe'

[Install]
WantedBy=sysinit.target
"""
# vfio-pci is there before udev announces the NIC: the override alone would leave it without any driver.
UDEV_RULE = (
    f'ACTION=="add", SUBSYSTEM=="pci", KERNEL=="{NIC1}", ATTR{{driver_override}}="vfio-pci", '
    """RUN{program}+="/bin/sh -c 'echo %k >/sys/bus/pci/drivers_probe'"\n"""
)
CPU_MANAGER = '{"policyName":"static","defaultCpuSet":"1","entries":{},"checksum":1}'
MEMORY_MANAGER = '{"policyName":"Static","machineState":{},"entries":{},"checksum":1}'
CONFIGURED = Machine(
    iommu="amd",
    arguments="amd_iommu=on iommu=pt",
    cpu="EPYC",
    init="systemd",
    files=(
        # By ID: both functions behind the bridge, one of which has a driver that wants it; and the other edu device.
        cpio.file(
            "/etc/modprobe.d/vfio.conf", "options vfio-pci ids=10ec:8139,1234:11e8\nsoftdep 8139cp pre: vfio-pci\n"
        ),
        cpio.file("/etc/modules-load.d/vfio-pci.conf", "vfio-pci\n"),
        # By address: one of two NICs with the same ID; one function of a card, by a unit.
        cpio.file("/etc/udev/rules.d/70-vfio.rules", UDEV_RULE),
        cpio.file("/etc/systemd/system/vfio-gpu.service", BIND_UNIT),
        cpio.link("/etc/systemd/system/sysinit.target.wants/vfio-gpu.service", "../vfio-gpu.service"),
        # What a kubelet keeps from others.
        cpio.file("/var/lib/kubelet/cpu_manager_state", CPU_MANAGER, 0o600),
        cpio.file("/var/lib/kubelet/memory_manager_state", MEMORY_MANAGER, 0o600),
        cpio.folder("/var/lib/kubelet/device-plugins", 0o750),
        cpio.file("/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint", "{}", 0o600),
        cpio.file("/etc/kubernetes/kubelet.conf", "cpuManagerPolicy: static\n", 0o600),
    ),
)


@pytest.mark.machine(CONFIGURED)
def test_configured(guest: Guest, tmp_path: Path) -> None:
    """Four ways to hand functions over at boot; hostagent says who holds what, and what of it only root sees."""
    look = everywhere(guest, tmp_path)
    assert hidden(look) == {
        "kubelet.cpu_manager_policy",
        "kubelet.shared_cpus",
        "kubelet.memory_manager_policy",
        "kubelet.device_plugins",
        "kubelet.settings",
        "kubelet.problems",
        "watchdog.devices[].held_by",
        "vfio.bound[].held_by",
    }
    drivers = {address: look.function(address)["driver"] for address in (NIC0, NIC1, GPU, HDA, EDU0, RTL)}
    assert drivers == {
        NIC0: "e1000e",
        NIC1: "vfio-pci",
        GPU: "vfio-pci",
        HDA: "snd_hda_intel",
        EDU0: "vfio-pci",
        RTL: "vfio-pci",
    }
    vfio = look.area("vfio")
    requests = [(request["source"], request["ids"], request["effective"]) for request in vfio["id_requests"]]
    assert requests == [("etc/modprobe.d/vfio.conf", ["10ec:8139", "1234:11e8"], True)]
    assert sorted(bound["address"] for bound in vfio["bound"]) == sorted([NIC1, GPU, EDU0, EDU1, RTL])
    kernel = guest.run("python3", "/lab/witness.py", "groups").json()
    # The NIC, the conventional bus and edu are whole; the card lacks its audio function.
    assert sorted(kernel.values()) == [False, True, True, True]
    none(list(verdicts(vfio["groups"], kernel, when="after a configured boot")))


@pytest.mark.machine(DEFAULTS)
def test_defaults_and_hot_plug(guest: Guest, tmp_path: Path) -> None:
    """No argument at all: Debian's kernel switches the IOMMU on. Then devices come, change hands and go, with uevents."""
    look = everywhere(guest, tmp_path)
    data = look.area("iommu")
    assert (data["enabled"], data["reason"], data["default_domain"]) == (True, "on", "DMA")
    guest.sh("udevadm monitor --kernel --subsystem-match=pci >/run/uevents 2>&1 & sleep 1")

    guest.qmp.execute("device_add", driver="e1000e", bus="rp5", id="plugged", mac="52:54:00:aa:00:09", romfile="")
    guest.until(f"test -e /sys/bus/pci/devices/{HOTPLUG}/driver")
    plugged = look.again()
    assert plugged.function(HOTPLUG)["driver"] == "e1000e"
    assert plugged.function(HOTPLUG)["iommu_group"] not in {group["number"] for group in data["groups"]}
    none([*pci(plugged), *iommu(plugged)])

    guest.sh(f"echo {HOTPLUG} >/sys/bus/pci/devices/{HOTPLUG}/driver/unbind")
    assert look.again().function(HOTPLUG)["driver"] is None
    guest.sh(f"echo {HOTPLUG} >/sys/bus/pci/drivers_probe")
    assert look.again().function(HOTPLUG)["driver"] == "e1000e"

    guest.qmp.execute("device_del", id="plugged")
    guest.qmp.wait("DEVICE_DELETED", device="plugged")
    guest.until(f"! test -e /sys/bus/pci/devices/{HOTPLUG}")
    gone = look.again()
    assert gone.report == look.report
    assert uevents(guest) == ["add", "bind", "unbind", "bind", "unbind", "remove"]


def uevents(guest: Guest) -> list[str]:
    """Actions of the plugged function, as the kernel announced them."""
    time.sleep(1)
    lines = guest.read("/run/uevents").decode().splitlines()
    return [line.split()[1] for line in lines if line.startswith("KERNEL[") and HOTPLUG in line.split()[2]]
