"""What the kernel was asked for and did not do: each case, and what is no such case."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.advice.hugepages import _BY_WHY
from hostagent.assess import Assessment, assess
from hostagent.host import Host
from hostagent.report import survey
from hostagent.values.hugepages import REASONS
from tests.plant import plant

POOL = "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
GIANT = "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
BASE = {"proc/meminfo": "MemTotal: 99999999 kB\nHugepagesize: 2048 kB\n", POOL: "4\n", GIANT: "0\n"}


def _judged(tmp_path: Path, files: dict[str, str]) -> Assessment:
    return assess(survey(Host(str(plant(tmp_path, {**BASE, **files})))))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hugepages=4", []),
        ("hugepages=9", ["the command line asks for 9 pages of 2 MiB; there are 4"]),
        ("hugepagesz=1G hugepages=1", ["the command line asks for 1 page of 1 GiB; there are 0"]),
        (
            "hugepagesz=3M hugepages=1",
            ["the command line asks for 1 page of 3 MiB; the kernel did not follow: unsupported size"],
        ),
        (
            "hugepages=3 hugepages=4",
            ["the command line asks for 4 pages of 2 MiB; the kernel did not follow: repeated count"],
        ),
        (
            "hugepages=3 hugepagesz=2M hugepages=4",
            ["the command line asks for 4 pages of 2 MiB; the kernel did not follow: superseded"],
        ),
    ],
)
def test_pages(tmp_path: Path, words: str, expected: list[str]) -> None:
    assert [one.text for one in _judged(tmp_path, {"proc/cmdline": f"{words}\n"}).unmet_pages] == expected


def test_nothing_is_said_against_a_count_that_could_not_be_read(tmp_path: Path) -> None:
    assert _judged(tmp_path, {"proc/cmdline": "hugepages=9\n", POOL: "many\n"}).unmet_pages == ()


def test_every_reason_of_the_kernel_is_a_finding() -> None:
    assert set(_BY_WHY) == set(REASONS)


LATER, EARLIER = "etc/modprobe.d/b.conf", "etc/modprobe.d/a.conf"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({EARLIER: "options vfio-pci ids=10de:1eb8\n"}, []),
        (
            {EARLIER: "options vfio-pci ids=10de:1eb8\n", LATER: "options vfio-pci ids=8086:10d3\n"},
            [f"vfio-pci is not told of 10de:1eb8: the ids in {LATER} replace those in {EARLIER}"],
        ),
        ({EARLIER: "options vfio-pci ids=10de:1eb8\n", LATER: "options vfio-pci ids=8086:10d3,10de:1eb8\n"}, []),
    ],
)
def test_ids(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    judged = _judged(tmp_path, files)
    assert [one.text for one in judged.unmet_ids] == expected
    assert [judged.unheard(one.request) for one in judged.unmet_ids] == [True] * len(expected)
