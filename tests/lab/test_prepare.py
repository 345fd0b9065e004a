"""From "not ready" to ready by nothing but what is rendered, and a reboot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.boot import Guest
from tests.lab.look import Look
from tests.lab.machine import EDU0, EDU1, NIC0, NIC1, NVME0, NVME1, RTL, Machine
from tests.lab.prepare import (
    PROFILE,
    RENDERED,
    codes,
    drivers,
    findings,
    install,
    kernel_groups,
    refusal,
    rendered,
    rendered_again,
)

pytestmark = pytest.mark.lab

GIB, MIB = 1 << 30, 1 << 20
# q35 puts 2 GiB below 4 GiB: a 1 GiB page of node 0 needs memory above.
MEMORY = (3584, 2560)
REST = """\
hugepages:
  pools:
    - {size: 1G, count: 1}
    - {size: 2M, count: 48, node: 0}
    - {size: 2M, count: 80, node: 1}
watchdog: {module: i6300esb, runtimeTimeout: 30s, rebootTimeout: 5min}
"""
UNPREPARED = {"binding-not-configured", "kernel-arguments-missing", "hugepages-short", "watchdog-not-kept"}
DEBIAN = "platform: {name: debian, version: 12}\n"


def live(guest: Guest) -> None:
    """A mounted file system, and a default route: what the machine lives on besides its root."""
    disk = guest.sh(f"ls /sys/bus/pci/devices/{NVME1}/nvme/*/ | grep -m1 -o 'nvme[0-9]*n1'").strip()
    guest.sh(f"mkdir -p /srv/data && mount /dev/{disk} /srv/data")
    nic = guest.sh(f"ls /sys/bus/pci/devices/{NIC0}/net").strip()
    guest.sh(f"ip addr add 10.0.2.15/24 dev {nic}; ip link set {nic} up; ip route add default via 10.0.2.2 dev {nic}")


def never(guest: Guest) -> None:
    """What the machine lives on is refused, and the mount or route named."""
    nvme = refusal(guest, f"{DEBIAN}devices:\n  - id: 1b36:0010\n")
    assert nvme.startswith("hostagent: /root/refused.yaml:3: devices[0]: ")
    assert f"{NVME1} may not: it carries /srv/data" in nvme
    nic = refusal(guest, f"{DEBIAN}devices:\n  - {{address: '{NIC1}'}}\n  - {{address: '{NIC0}'}}\n")
    assert nic.startswith("hostagent: /root/refused.yaml:4: devices[1]: ")
    assert f"{NIC0} may not: it carries " in nic
    assert "default route" in nic


def pools(look: Look) -> dict[tuple[int, int | None], int]:
    """(page size, NUMA node) -> pages."""
    return {(pool["page_size"], pool["numa_node"]): pool["total"] for pool in look.area("hugepages")["pools"]}


def watchdog(look: Look) -> dict[str, object]:
    """The i6300esb as it is kept."""
    (found,) = [device for device in look.area("watchdog")["devices"] if device["driver"] == "i6300esb"]
    return {name: found[name] for name in ("state", "timeout", "held_by")}


def prepared(guest: Guest, before: dict[str, str | None], wanted: set[str], files: str) -> None:
    """`check` is clean, what was asked for is so, everything else is as it was."""
    look = Look(guest)
    found = findings(guest, status=0)
    assert codes(found, "BLOCKER") == set()
    now = drivers(look)
    assert {address for address, driver in now.items() if driver == "vfio-pci"} == wanted
    assert {address: now[address] for address in now.keys() - wanted} == {
        address: before[address] for address in before.keys() - wanted
    }
    groups = {str(look.function(address)["iommu_group"]) for address in wanted}
    assert kernel_groups(guest) == dict.fromkeys(groups, True)
    there = pools(look)
    assert (there[GIB, None], there[2 * MIB, 0], there[2 * MIB, 1]) == (1, 48, 80)
    assert watchdog(look) == {"state": "active", "timeout": 30, "held_by": ["systemd"]}
    assert rendered_again(guest) == files


Start = Callable[..., Guest]


def prepare(start: Start, disk: Path, machine: Machine, *, profile: str, blockers: set[str], wanted: set[str]) -> None:
    """Unprepared, then prepared."""
    guest = start(machine, disk=disk)
    guest.write(PROFILE, profile)
    before = drivers(Look(guest))
    assert "vfio-pci" not in before.values()
    assert codes(findings(guest, status=1), "BLOCKER") == blockers
    live(guest)
    never(guest)
    arguments = install(guest)
    files = rendered(guest, RENDERED)
    guest.power_off()
    again = Machine(
        iommu=machine.iommu, cpu=machine.cpu, megabytes=machine.megabytes, init="systemd", arguments=arguments
    )
    guest = start(again, disk=disk)
    live(guest)
    prepared(guest, before, wanted, files)


def test_prepare_intel(start: Start, tmp_path: Path) -> None:
    """Off by argument: every device of two IDs, one of them in the other's group; one of two NICs; pools; the watchdog."""
    machine = Machine(
        iommu="intel", cpu="Skylake-Server", megabytes=MEMORY, init="systemd", arguments="intel_iommu=off"
    )
    profile = f"""\
{DEBIAN}devices:
  - {{id: '10ec:8139', resourceName: realtek.com/RTL8139}}
  - {{id: '1234:11e8', resourceName: qemu.org/edu}}
  - {{address: '{NIC1}', resourceName: intel.com/82574L}}
{REST}"""
    blockers = UNPREPARED | {"iommu-off-by-argument"}
    prepare(start, tmp_path / "disk", machine, profile=profile, blockers=blockers, wanted={RTL, EDU0, EDU1, NIC1})


def test_prepare_amd(start: Start, tmp_path: Path) -> None:
    """On, with nothing prepared: a shared group is taken whole for one device of it, whose companion's twin stays."""
    # The emulated IOMMU of AMD does not translate for NVMe drives: theirs is the identity, before and after.
    machine = Machine(iommu="amd", cpu="EPYC", megabytes=MEMORY, init="systemd", arguments="iommu=pt")
    profile = f"""\
{DEBIAN}devices:
  - {{id: '10ec:8139', resourceName: realtek.com/RTL8139}}
  - {{address: '{NIC1}', resourceName: intel.com/82574L}}
  - {{address: '{NVME0}'}}
iommu: {{mode: pt}}
{REST}"""
    prepare(start, tmp_path / "disk", machine, profile=profile, blockers=UNPREPARED, wanted={RTL, EDU0, NIC1, NVME0})
