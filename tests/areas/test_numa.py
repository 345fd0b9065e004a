from __future__ import annotations

from pathlib import Path

from hostagent.area import LabelOptions
from hostagent.areas.numa import Numa, NumaNode, labels, probe, samples
from hostagent.host import Problem
from hostagent.host.problem import MALFORMED
from hostagent.values.cpuset import CpuSet
from tests.plant import plant, reader

OPTIONS = LabelOptions(pci_classes=(), cpu_features=())
BASE = "sys/devices/system/node"


def node_files(number: int, cpus: str, kilobytes: int, distances: str) -> dict[str, str]:
    base = f"{BASE}/node{number}"
    return {
        f"{base}/cpulist": f"{cpus}\n",
        f"{base}/meminfo": f"Node {number} MemTotal:  {kilobytes} kB\nNode {number} MemFree:   7 kB\n",
        f"{base}/distance": f"{distances}\n",
    }


# POWER9 with GPUs: numbers far apart, nodes of GPU memory without CPUs.
SPARSE = {
    f"{BASE}/online": "0,8,255\n",
    f"{BASE}/possible": "0-255\n",
    f"{BASE}/has_cpu": "0,8\n",
    f"{BASE}/has_memory": "0,8,255\n",
    **node_files(0, "0-63", 131072, "10 40 80"),
    **node_files(8, "64-127", 131072, "40 10 80"),
    **node_files(255, "", 16384, "80 80 10"),
    f"{BASE}/power/control": "auto\n",
    f"{BASE}/node٣/cpulist": "0\n",
}


def test_sparse_nodes_and_memory_without_cpus(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, SPARSE))
    found = probe(look)
    assert found == Numa(
        nodes=(
            NumaNode(number=0, cpus=CpuSet(range(64)), memory_total=128 << 20, distances=(10, 40, 80)),
            NumaNode(number=8, cpus=CpuSet(range(64, 128)), memory_total=128 << 20, distances=(40, 10, 80)),
            NumaNode(number=255, cpus=CpuSet(()), memory_total=16 << 20, distances=(80, 80, 10)),
        ),
        online=CpuSet((0, 8, 255)),
        possible=CpuSet(range(256)),
        has_cpu=CpuSet((0, 8)),
        has_memory=CpuSet((0, 8, 255)),
    )
    assert look.problems == []
    assert list(labels(found, OPTIONS)) == [("numa.nodes", "3")]
    assert [(s.metric.name, s.labels, s.value) for s in samples(found)] == [
        ("hostagent_numa_nodes", (), 3),
        ("hostagent_numa_node_memory_bytes", ("0",), 128 << 20),
        ("hostagent_numa_node_cpus", ("0",), 64),
        ("hostagent_numa_node_memory_bytes", ("8",), 128 << 20),
        ("hostagent_numa_node_cpus", ("8",), 64),
        ("hostagent_numa_node_memory_bytes", ("255",), 16 << 20),
        ("hostagent_numa_node_cpus", ("255",), 0),
    ]


def test_a_kernel_without_numa(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {}))
    found = probe(look)
    assert found == Numa(nodes=(), online=None, possible=None, has_cpu=None, has_memory=None)
    assert look.problems == []
    assert list(labels(found, OPTIONS)) == []
    assert list(samples(found)) == []


def test_old_kernels_name_memory_otherwise(tmp_path: Path) -> None:
    found = probe(reader(plant(tmp_path, {f"{BASE}/has_normal_memory": "0-1\n"})))
    assert found.has_memory == CpuSet((0, 1))


def test_a_node_of_which_nothing_is_said(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {}, directories=(f"{BASE}/node2",)))
    found = probe(look)
    assert found.nodes == (NumaNode(number=2, cpus=None, memory_total=None, distances=()),)
    assert look.problems == []
    assert [sample.metric.name for sample in samples(found)] == ["hostagent_numa_nodes"]


def test_files_that_do_not_parse(tmp_path: Path) -> None:
    files = {
        f"{BASE}/online": "all\n",
        f"{BASE}/has_memory": "0-\n",
        f"{BASE}/node0/cpulist": "9" * 100_000,
        f"{BASE}/node0/meminfo": "Node 0 MemTotal: plenty kB\n",
        f"{BASE}/node0/distance": "10 20 30\n",
        f"{BASE}/node1/distance": "10 near\n",
    }
    look = reader(plant(tmp_path, files))
    found = probe(look)
    nothing = {"cpus": None, "memory_total": None, "distances": ()}
    assert found.nodes == (NumaNode(number=0, **nothing), NumaNode(number=1, **nothing))  # type: ignore[arg-type]

    assert [problem.path.removeprefix(f"{BASE}/") for problem in look.problems] == [
        "has_memory",
        "node0/distance",
        "node0/cpulist",
        "node0/meminfo",
        "node1/distance",
        "online",
    ]
    assert look.problems[1] == Problem(
        path=f"{BASE}/node0/distance", kind=MALFORMED, detail="expected 2 whole numbers, saw '10 20 30'"
    )
