"""Huge pages at boot and at run time, on two NUMA nodes; what carries the root and a mounted file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.agree import hugepages, none
from tests.lab.boot import Guest
from tests.lab.everywhere import everywhere
from tests.lab.look import Look
from tests.lab.machine import NVME1, ROOT_DISK, Machine

pytestmark = pytest.mark.lab

GIB, MIB = 1 << 30, 1 << 20
# q35 puts 2 GiB below 4 GiB: a 1 GiB page of node 0 needs memory above.
MACHINE = Machine(
    iommu=None,
    cpu="EPYC",
    megabytes=(3584, 2560),
    arguments="default_hugepagesz=1G hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=64",
)


def pools(look: Look) -> dict[tuple[int, int | None], tuple[int, int]]:
    """(page size, node) -> total, free."""
    return {
        (pool["page_size"], pool["numa_node"]): (pool["total"], pool["free"])
        for pool in look.area("hugepages")["pools"]
    }


def carriers(look: Look) -> set[tuple[str, str]]:
    """(mount point, PCI function that carries it)."""
    uses = look.area("storage")["uses"]
    return {(use["what"], address) for use in uses for address in use["carriers"]["functions"]}


@pytest.mark.machine(MACHINE)
def test_memory_and_disks(guest: Guest, tmp_path: Path) -> None:
    disk = guest.sh(f"ls /sys/bus/pci/devices/{NVME1}/nvme/*/ | grep -m1 -o 'nvme[0-9]*n1'").strip()
    guest.sh(f"mkdir -p /srv/data && mount /dev/{disk} /srv/data")
    look = everywhere(guest, tmp_path)
    assert pools(look) == {
        (GIB, None): (1, 1),
        (GIB, 0): (1, 1),
        (GIB, 1): (0, 0),
        (2 * MIB, None): (64, 64),
        (2 * MIB, 0): (32, 32),
        (2 * MIB, 1): (32, 32),
    }
    carried = carriers(look)
    assert ("/", ROOT_DISK) in carried
    assert ("/srv/data", NVME1) in carried

    guest.sh("echo 100 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages")
    guest.sh(
        "head -c 4194304 /dev/zero >/dev/null; mkdir -p /mnt/huge && mount -t hugetlbfs -o pagesize=2M,size=4M none /mnt/huge"
    )
    guest.sh("fallocate -l 4M /mnt/huge/taken")
    now = Look(guest)
    assert pools(now)[2 * MIB, 1][0] == 100
    assert pools(now)[2 * MIB, None] == (132, 130)
    none(list(hugepages(now)))
