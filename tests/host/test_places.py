"""The walk over the bus: what one odd entry costs the others, and the root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hostagent.host import Host
from hostagent.host.pci import DEVICES, functions
from hostagent.host.tree import BoundTree, LiveTree
from hostagent.report import survey, surveyed
from tests.plant import plant, unreadable

UEVENT = "DRIVER=e1000e\nPCI_CLASS=20000\nPCI_ID=8086:10D3\nPCI_SUBSYS_ID=8086:0000\n"


def _machine(root: Path, *addresses: str) -> Path:
    files = {f"sys/devices/pci0000:00/{address}/uevent": UEVENT for address in addresses}
    nodes = {f"sys/devices/pci0000:00/{address}/numa_node": "0\n" for address in addresses}
    links = {f"{DEVICES}/{address}": f"../../../devices/pci0000:00/{address}" for address in addresses}
    return plant(root, files | nodes, links)


def test_one_entry_that_leads_nowhere_costs_no_other_and_leads_nobody_out(tmp_path: Path) -> None:
    outside = plant(tmp_path / "outside", {"uevent": UEVENT, "numa_node": "0\n"})
    root = _machine(tmp_path / "root", "0000:00:01.0", "0000:00:04.0")
    unreadable(root, f"{DEVICES}/0000:00:02.0")
    os.symlink(outside, root / DEVICES / "0000:00:03.0")
    look = Host(str(root)).reader()
    assert [function.address for function in functions(look)] == ["0000:00:01.0", "0000:00:04.0"]
    assert {problem.path.split("/")[4] for problem in look.problems} == {"0000:00:02.0", "0000:00:03.0"}


@pytest.mark.parametrize("tree", [LiveTree, BoundTree])
def test_places_are_where_the_links_lead(tmp_path: Path, tree: type[LiveTree]) -> None:
    root = _machine(tmp_path, "0000:00:01.0", "0000:00:02.0")
    plant(root, {f"{DEVICES}/0000:00:03.0/uevent": UEVENT})
    looked = tree(str(root))
    found = []
    for place in looked.places(DEVICES, ("0000:00:01.0", "0000:00:02.0", "0000:00:03.0", "0000:00:04.0")):
        try:
            found.append(place and looked.attribute(place, "uevent", 448).decode())
        except OSError as error:
            found.append(error.strerror)
    # A directory where sysfs has a link is for slower eyes, where those may not be led out.
    third = UEVENT if tree is LiveTree else None
    assert found == [UEVENT, UEVENT, third, "No such file or directory" if tree is LiveTree else None]
    looked.close()


def test_what_cannot_be_read_keeps_no_descriptor(tmp_path: Path) -> None:
    root = _machine(tmp_path, "0000:00:01.0", "0000:00:02.0")
    (root / "sys/devices/pci0000:00/0000:00:01.0/uevent").unlink()
    (root / "sys/devices/pci0000:00/0000:00:01.0/uevent").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    host = Host(str(root))
    assert [function.address for function in functions(host.reader())] == ["0000:00:02.0"]
    host.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_link_longer_than_any_path_is_one_problem(tmp_path: Path) -> None:
    root = _machine(tmp_path, "0000:00:01.0")
    os.symlink("a/" * 2000 + "b", root / DEVICES / "0000:00:02.0")
    os.symlink("a/" * 2040 + "b", root / "sys/class")
    report = survey(Host(str(root)))
    assert all(probed.data is not None for _, probed in surveyed(report))
    assert report.pci is not None
    assert report.pci.data is not None
    assert [function.address for function in report.pci.data.functions] == ["0000:00:01.0"]


def test_a_directory_that_may_not_be_listed_leads_nobody_out(tmp_path: Path) -> None:
    outside = plant(tmp_path / "outside", {"net/eth0/mtu": "1500\n"})
    root = plant(tmp_path / "root", {"proc/version": "x", "sys/inside": "x"})
    os.symlink(outside, root / "sys/class")
    (root / "sys").chmod(0o111)
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_uid == os.geteuid() and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o011)
    child = os.fork()
    if child == 0:
        try:
            os.setuid(65534)
        finally:
            seen = Host(str(root)).reader()
            os._exit(int(seen.text("sys/class/net/eth0/mtu") is not None) + 2 * int(seen.text("sys/inside") != "x"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    (root / "sys").chmod(0o755)
