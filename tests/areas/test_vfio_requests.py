"""What vfio-pci was asked to take, and configuration that bears on it."""

from __future__ import annotations

from pathlib import Path

from hostagent.areas.vfio import IdRequest, probe
from hostagent.host import Problem
from hostagent.host.modprobe import Directive
from tests.plant import plant, reader

REQUESTS = {
    "etc/modprobe.d/vfio.conf": "options vfio-pci ids=10DE:1EB8,10de:10f8,oops\n",
    "etc/modprobe.d/vfio2.conf": "# twice\noptions vfio_pci disable_vga=1 ids=8086:1521\n",
}


def _requests(tmp_path: Path, files: dict[str, str]) -> list[tuple[str, int | None, tuple[str, ...], bool]]:
    found = probe(reader(plant(tmp_path, REQUESTS | files))).id_requests
    return [(request.source, request.line, request.ids, request.effective) for request in found]


def test_of_ids_given_twice_the_last_counts(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, REQUESTS))
    assert probe(look).id_requests == (
        IdRequest(source="etc/modprobe.d/vfio.conf", line=1, ids=("10de:1eb8", "10de:10f8"), effective=False),
        IdRequest(source="etc/modprobe.d/vfio2.conf", line=2, ids=("8086:1521",), effective=True),
    )
    detail = "expected ids= of the form vendor:device, saw 'oops'"
    assert look.problems == [Problem(path="etc/modprobe.d/vfio.conf", kind="malformed", detail=detail)]


def test_the_command_line_comes_last(tmp_path: Path) -> None:
    assert _requests(tmp_path, {"proc/cmdline": "vfio-pci.ids=1234:5678\n"}) == [
        ("etc/modprobe.d/vfio.conf", 1, ("10de:1eb8", "10de:10f8"), False),
        ("etc/modprobe.d/vfio2.conf", 2, ("8086:1521",), False),
        ("proc/cmdline", None, ("1234:5678",), True),
    ]


def test_a_built_in_module_hears_no_files(tmp_path: Path) -> None:
    assert [effective for *_, effective in _requests(tmp_path, {"sys/module/vfio_pci/uevent": ""})] == [False, False]


def test_directives_that_matter(tmp_path: Path) -> None:
    files = {
        "etc/modprobe.d/vfio.conf": "softdep nouveau pre: vfio-pci\nsoftdep ext4 pre: crc32c\noptions vfio_iommu_type1 a=1\n",
        "etc/modprobe.d/gpu.conf": "blacklist nouveau\noptions nouveau modeset=0\n",
        "usr/lib/modprobe.d/fbdev.conf": "blacklist vesafb\nblacklist iommufd\nalias vfio-x y\n",
        "etc/modules-load.d/vfio.conf": "vfio-pci\nloop\n",
        "proc/cmdline": "rd.driver.pre=vfio-pci modprobe.blacklist=nvme\n",
    }
    assert probe(reader(plant(tmp_path, files))).directives == tuple(
        Directive(source=source, line=line, command=command, module=module, arguments=arguments)
        for source, line, command, module, arguments in (
            ("usr/lib/modprobe.d/fbdev.conf", 2, "blacklist", "iommufd", ""),
            ("etc/modprobe.d/gpu.conf", 1, "blacklist", "nouveau", ""),
            ("etc/modprobe.d/vfio.conf", 1, "softdep", "nouveau", "pre: vfio-pci"),
            ("etc/modprobe.d/vfio.conf", 3, "options", "vfio_iommu_type1", "a=1"),
            ("proc/cmdline", None, "blacklist", "nvme", ""),
            ("etc/modules-load.d/vfio.conf", 1, "load", "vfio_pci", ""),
            ("proc/cmdline", None, "load", "vfio_pci", ""),
        )
    )
