from __future__ import annotations

from pathlib import Path

from hostagent.area import LabelOptions
from hostagent.areas.memory import Ksm, Memory, labels, probe, samples
from hostagent.values.record import replaced
from tests.plant import plant, reader

OPTIONS = LabelOptions(pci_classes=(), cpu_features=())
KSM = "sys/kernel/mm/ksm"
HEADER = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

NOTHING = Memory(
    total=None,
    swap_total=None,
    swap_in_use=None,
    swap_devices=None,
    ksm=None,
    overcommit_memory=None,
    overcommit_ratio=None,
    overcommit_bytes=None,
)

HOST = {
    "proc/meminfo": "MemTotal: 1024 kB\nMemFree: 12 kB\nSwapTotal: 512 kB\nSwapFree: 500 kB\n",
    "proc/swaps": f"{HEADER}/dev/dm-2 partition\t131068\t176\t-2\n/swap\\040file file\t380\t0\t-3\n",
    "proc/sys/vm/overcommit_memory": "2\n",
    "proc/sys/vm/overcommit_ratio": "0\n",
    "proc/sys/vm/overcommit_kbytes": "8\n",
    f"{KSM}/run": "1\n",
    f"{KSM}/pages_shared": "3\n",
    f"{KSM}/merge_across_nodes": "0\n",
    f"{KSM}/use_zero_pages": "1\n",
    f"{KSM}/smart_scan": "1\n",
    f"{KSM}/max_page_sharing": "256\n",
    f"{KSM}/advisor_mode": "[none] scan-time\n",
}
MERGING = Ksm(
    run=1,
    merged=True,
    merge_across_nodes=False,
    use_zero_pages=True,
    smart_scan=True,
    max_page_sharing=256,
    advisor_mode="none",
)


def test_everything(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, HOST))
    found = probe(look)
    assert found == Memory(
        total=1 << 20,
        swap_total=512 << 10,
        swap_in_use=True,
        swap_devices=2,
        ksm=MERGING,
        overcommit_memory=2,
        overcommit_ratio=0,
        overcommit_bytes=8 << 10,
    )
    assert look.problems == []
    assert list(labels(found, OPTIONS)) == [("ksm.enabled", "true"), ("swap.enabled", "true")]
    assert [(s.metric.name, s.value) for s in samples(found)] == [
        ("hostagent_memory_bytes", 1 << 20),
        ("hostagent_swap_bytes", 512 << 10),
        ("hostagent_swap_devices", 2),
        ("hostagent_ksm_run", 1),
        ("hostagent_ksm_merged", True),
    ]


def test_a_machine_that_says_nothing(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {}))
    assert probe(look) == NOTHING
    assert look.problems == []
    assert list(labels(NOTHING, OPTIONS)) == []
    assert list(samples(NOTHING)) == []


def test_free_memory_does_not_change_the_report(tmp_path: Path) -> None:
    before = probe(reader(plant(tmp_path, HOST)))
    meminfo = HOST["proc/meminfo"].replace("MemFree: 12", "MemFree: 99").replace("SwapFree: 500", "SwapFree: 400")
    after = plant(tmp_path, {"proc/meminfo": meminfo, f"{KSM}/pages_shared": "4\n"})
    assert probe(reader(after)) == before


def test_swap_that_nothing_is_in(tmp_path: Path) -> None:
    files = {"proc/meminfo": "MemTotal: 4 kB\nSwapTotal: 8 kB\nSwapFree: 8 kB\n", "proc/swaps": HEADER}
    found = probe(reader(plant(tmp_path, files)))
    assert (found.swap_total, found.swap_in_use, found.swap_devices) == (8192, False, 0)


def test_no_swap_and_ksm_stopped_with_pages_merged() -> None:
    found = replaced(NOTHING, swap_total=0, ksm=replaced(MERGING, run=0))
    assert list(labels(found, OPTIONS)) == [("ksm.enabled", "false"), ("swap.enabled", "false")]
    assert list(labels(replaced(NOTHING, ksm=replaced(MERGING, run=2)), OPTIONS)) == [("ksm.enabled", "false")]


def test_ksm_of_an_old_kernel(tmp_path: Path) -> None:
    found = probe(reader(plant(tmp_path, {f"{KSM}/run": "2\n"})))
    assert found.ksm == Ksm(
        run=2,
        merged=None,
        merge_across_nodes=None,
        use_zero_pages=None,
        smart_scan=None,
        max_page_sharing=None,
        advisor_mode=None,
    )


def test_files_that_do_not_parse(tmp_path: Path) -> None:
    files = {"proc/meminfo": "MemTotal: none\n", "proc/swaps": "/dev/sda1\n", f"{KSM}/run": "maybe\n"}
    look = reader(plant(tmp_path, files))
    assert probe(look) == NOTHING
    assert [(problem.path, problem.detail) for problem in look.problems] == [
        ("proc/meminfo", "expected a line `MemTotal: <number> kB`, saw 'MemTotal: none'"),
        ("proc/swaps", "expected a header line, saw '/dev/sda1'"),
        (f"{KSM}/run", "expected a whole number, saw 'maybe'"),
    ]
