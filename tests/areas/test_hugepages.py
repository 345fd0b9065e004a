from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.area import LabelOptions
from hostagent.areas.hugepages import Hugepages, Pool, TransparentHugepages, labels, probe, samples
from hostagent.host import Problem
from hostagent.host.problem import MALFORMED, UNREADABLE
from hostagent.values.hugepages import HugepageRequest
from tests.plant import plant, reader, unreadable

KB, M2, G1 = 1024, 2 << 20, 1 << 30
OPTIONS = LabelOptions(pci_classes=(), cpu_features=())
GLOBAL = "sys/kernel/mm/hugepages"
NODE = "sys/devices/system/node"
NO_THP = TransparentHugepages(enabled=None, defrag=None, shmem=None, pmd_size=None)
X86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu pse lm"


def pool_files(kilobytes: int, total: int, *, free: int | None = None, node: int | None = None) -> dict[str, str]:
    """The files of a pool of which nothing is reserved."""
    base = f"{GLOBAL if node is None else f'{NODE}/node{node}/hugepages'}/hugepages-{kilobytes}kB"
    files = {"nr_hugepages": total, "free_hugepages": total if free is None else free, "surplus_hugepages": 0}
    if node is None:
        files |= {"resv_hugepages": 0, "nr_overcommit_hugepages": 0}
    return {f"{base}/{name}": f"{value}\n" for name, value in files.items()}


def pool(page_size: int, node: int | None, total: int, free: int | None = None) -> Pool:
    return Pool(
        page_size=page_size,
        numa_node=node,
        total=total,
        free=total if free is None else free,
        reserved=0 if node is None else None,
        surplus=0,
        overcommit=0 if node is None else None,
    )


def empty(**facts: object) -> Hugepages:
    nothing: dict[str, object] = {
        "pools": (),
        "requested": None,
        "requested_default": None,
        "default_size": None,
        "supported_sizes": None,
        "total_bytes": None,
        "transparent": NO_THP,
    }
    return Hugepages(**(nothing | facts))  # type: ignore[arg-type]


def uneven(root: Path) -> Path:
    """Two nodes, one of which got all the 1 GiB pages; one fewer than asked for."""
    return plant(
        root,
        {
            "proc/cmdline": "ro default_hugepagesz=1G hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=0:8,1:8\n",
            "proc/cpuinfo": f"{X86} pdpe1gb\n",
            "proc/meminfo": "MemTotal: 9000000 kB\nHugepagesize: 1048576 kB\nHugetlb: 3178496 kB\n",
            f"{NODE}/online": "0-1\n",
            **pool_files(1048576, 3, free=1),
            **pool_files(2048, 16),
            **pool_files(1048576, 3, free=1, node=0),
            **pool_files(1048576, 0, node=1),
            **pool_files(2048, 8, node=0),
            **pool_files(2048, 8, node=1),
            "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
            "sys/kernel/mm/transparent_hugepage/defrag": "always defer defer+madvise [madvise] never\n",
            "sys/kernel/mm/transparent_hugepage/shmem_enabled": "always within_size advise [never] deny force\n",
            "sys/kernel/mm/transparent_hugepage/hpage_pmd_size": "2097152\n",
        },
    )


def test_pools_and_requests(tmp_path: Path) -> None:
    look = reader(uneven(tmp_path))
    assert probe(look) == Hugepages(
        pools=(
            pool(M2, None, 16),
            pool(G1, None, 3, 1),
            pool(M2, 0, 8),
            pool(G1, 0, 3, 1),
            pool(M2, 1, 8),
            pool(G1, 1, 0),
        ),
        requested=(
            HugepageRequest(page_size=G1, numa_node=None, pages=4, effective=True, why=None),
            HugepageRequest(page_size=M2, numa_node=0, pages=8, effective=True, why=None),
            HugepageRequest(page_size=M2, numa_node=1, pages=8, effective=True, why=None),
        ),
        requested_default=G1,
        default_size=G1,
        supported_sizes=(M2, G1),
        total_bytes=3178496 * KB,
        transparent=TransparentHugepages(enabled="madvise", defrag="madvise", shmem="never", pmd_size=M2),
    )
    assert look.problems == []


def test_a_machine_that_says_nothing(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {}))
    assert probe(look) == empty()
    assert look.problems == []
    assert list(labels(empty(), OPTIONS)) == []
    assert list(samples(empty())) == []


@pytest.mark.parametrize(
    ("flags", "files", "sizes"),
    [
        ("pse", {}, (M2,)),
        ("pse lm pdpe1gb", {}, (M2, G1)),
        # A 32-bit CPU has no 1 GiB pages whatever it says; a kernel without PAE has pages of 4 MiB.
        ("pse pdpe1gb", pool_files(4096, 0), (4 << 20,)),
        ("fpu", {}, None),
        # The size exists although no flag says so: a foreign tree, seen in hwloc's test data.
        ("pse", pool_files(16777216, 1), (M2, 16 << 30)),
    ],
)
def test_sizes_of_x86(flags: str, files: dict[str, str], sizes: tuple[int, ...] | None, tmp_path: Path) -> None:
    cpuinfo = f"processor: 0\nvendor_id: GenuineIntel\nflags: {flags}\n"
    found = probe(reader(plant(tmp_path, {"proc/cpuinfo": cpuinfo, **files})))
    assert found.supported_sizes == sizes


def test_sizes_elsewhere_are_the_pools(tmp_path: Path) -> None:
    files = {"proc/cpuinfo": "processor: 0\nFeatures: fp asimd\nCPU implementer: 0x41\n"}
    for kilobytes in (64, 2048, 32768, 1048576):
        files |= pool_files(kilobytes, 0, node=0)
    found = probe(reader(plant(tmp_path, files)))
    assert found.supported_sizes == (64 * KB, M2, 32 << 20, G1)
    assert [item.numa_node for item in found.pools] == [0, 0, 0, 0]


def test_a_size_without_a_pool_was_not_accepted(tmp_path: Path) -> None:
    files = {"proc/cmdline": "hugepagesz=1G hugepages=2", "proc/cpuinfo": X86, **pool_files(2048, 0)}
    found = probe(reader(plant(tmp_path, files)))
    assert found.requested == (
        HugepageRequest(page_size=G1, numa_node=None, pages=2, effective=False, why="unsupported-size"),
    )


def test_ppc64_takes_no_counts_of_nodes(tmp_path: Path) -> None:
    cpuinfo = "processor: 0\ncpu: POWER9\n\ntimebase: 512000000\nplatform: PowerNV\n"
    found = probe(reader(plant(tmp_path, {"proc/cmdline": "hugepages=0:2", "proc/cpuinfo": cpuinfo})))
    assert found.requested == (
        HugepageRequest(page_size=None, numa_node=0, pages=2, effective=False, why="nodes-unsupported"),
    )


def test_a_pool_has_one_name(tmp_path: Path) -> None:
    base = "sys/kernel/mm/hugepages"
    names = ("hugepages-02048kB", "hugepages-2048kB", "hugepages-2M", "hugepages-0kB")
    look = reader(plant(tmp_path, {f"{base}/{name}/nr_hugepages": "1" for name in names}))
    assert [pool.page_size for pool in probe(look).pools] == [2 << 20]
    assert sorted(problem.path for problem in look.problems if problem.path.startswith(base)) == sorted(
        f"{base}/{name}" for name in names if name != "hugepages-2048kB"
    )


def test_an_odd_pool_costs_only_itself(tmp_path: Path) -> None:
    files = {**pool_files(2048, 4), f"{GLOBAL}/hugepages-many/nr_hugepages": "1\n", f"{GLOBAL}/README": "1\n"}
    files[f"{GLOBAL}/hugepages-2048kB/resv_hugepages"] = "none\n"
    plant(tmp_path, files)
    unreadable(tmp_path, f"{GLOBAL}/hugepages-2048kB/free_hugepages")
    look = reader(tmp_path)
    (found,) = probe(look).pools
    assert found == Pool(page_size=M2, numa_node=None, total=4, free=None, reserved=None, surplus=0, overcommit=0)
    odd = "expected a name like hugepages-2048kB, saw"
    base = f"{GLOBAL}/hugepages-2048kB"
    assert look.problems == [
        Problem(path=f"{GLOBAL}/README", kind=MALFORMED, detail=f"{odd} 'README'"),
        Problem(path=f"{base}/free_hugepages", kind=UNREADABLE, detail="ELOOP: Too many levels of symbolic links"),
        Problem(path=f"{base}/resv_hugepages", kind=MALFORMED, detail="expected a whole number, saw 'none'"),
        Problem(path=f"{GLOBAL}/hugepages-many", kind=MALFORMED, detail=f"{odd} 'hugepages-many'"),
    ]


def test_transparent_switches_that_do_not_parse(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {"sys/kernel/mm/transparent_hugepage/enabled": "always\n"}))
    assert probe(look) == empty()
    assert [problem.detail for problem in look.problems] == ["expected one word in brackets, saw 'always'"]


def test_labels(tmp_path: Path) -> None:
    found = probe(reader(uneven(tmp_path)))
    assert dict(labels(found, OPTIONS)) == {
        "hugepages-2Mi.supported": "true",
        "hugepages-2Mi.total": "16",
        "hugepages-2Mi.min-per-node": "8",
        "hugepages-1Gi.supported": "true",
        "hugepages-1Gi.total": "3",
        "hugepages-1Gi.min-per-node": "0",
    }


def test_labels_name_what_is_not_supported() -> None:
    assert dict(labels(empty(supported_sizes=(M2, 64 * KB)), OPTIONS)) == {
        "hugepages-64Ki.supported": "true",
        "hugepages-2Mi.supported": "true",
        "hugepages-1Gi.supported": "false",
    }


def test_labels_of_pools_that_could_not_be_read() -> None:
    unread = Pool(page_size=M2, numa_node=1, total=None, free=0, reserved=None, surplus=0, overcommit=None)
    assert list(labels(empty(pools=(pool(M2, 0, 3), unread)), OPTIONS)) == []


def test_samples(tmp_path: Path) -> None:
    found = [(s.metric.name, s.labels, s.value) for s in samples(probe(reader(uneven(tmp_path))))]
    large, small = str(G1), str(M2)
    assert [(labels, value) for name, labels, value in found if name == "hostagent_hugepages_pages"] == [
        ((small, ""), 16),
        ((large, ""), 3),
        ((small, "0"), 8),
        ((large, "0"), 3),
        ((small, "1"), 8),
        ((large, "1"), 0),
    ]
    assert [(labels, value) for name, labels, value in found if name == "hostagent_hugepages_free_pages"][1] == (
        (large, ""),
        1,
    )
    assert [(labels, value) for name, labels, value in found if name == "hostagent_hugepages_requested_pages"] == [
        ((large, ""), 4),
        ((small, "0"), 8),
        ((small, "1"), 8),
    ]
    assert found[-2:] == [
        ("hostagent_hugepages_default_page_size_bytes", (), G1),
        ("hostagent_transparent_hugepages_info", ("madvise", "madvise", "never"), 1),
    ]
    # Of a node the kernel does not say what is reserved or may be overcommitted.
    assert {labels for name, labels, _ in found if name.endswith(("reserved_pages", "overcommit_pages"))} == {
        (small, ""),
        (large, ""),
    }


def test_a_request_the_kernel_dropped_is_a_request_still() -> None:
    def asked(pages: int, why: str | None) -> HugepageRequest:
        return HugepageRequest(page_size=G1, numa_node=None, pages=pages, effective=why is None, why=why)

    def requested(*requests: HugepageRequest) -> list[float]:
        return [sample.value for sample in samples(empty(requested=requests))]

    assert requested(asked(2, "unsupported-size")) == [2]
    assert requested(asked(2, None), asked(5, "repeated-size")) == [2]
    sizeless = HugepageRequest(page_size=None, numa_node=None, pages=1, effective=True, why=None)
    assert requested(sizeless) == []
