"""On the live machine psutil agrees on memory, swap and CPU counts."""

from __future__ import annotations

import psutil

from hostagent.areas.cpu import probe as probe_cpu
from hostagent.areas.memory import probe as probe_memory
from hostagent.host import Host


def test_memory_and_swap() -> None:
    memory = probe_memory(Host("/").reader())
    swap = psutil.swap_memory()
    assert memory.total == psutil.virtual_memory().total
    assert (memory.swap_total, memory.swap_in_use) == (swap.total, swap.used > 0)


def test_cpus() -> None:
    topology = probe_cpu(Host("/").reader()).topology
    assert topology.threads == psutil.cpu_count(logical=True)
    assert topology.cores == psutil.cpu_count(logical=False)
