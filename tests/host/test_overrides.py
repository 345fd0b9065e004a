from __future__ import annotations

from pathlib import Path

from hostagent.host.modprobe import Directive
from hostagent.host.overrides import overrides
from hostagent.host.problem import UNREADABLE
from tests.plant import plant, reader, unreadable

UNIT = """[Service]
ExecCondition=/bin/grep -qx 0x10de /sys/bus/pci/devices/0000:05:00.0/vendor
ExecStart=/bin/sh -c 'echo vfio-pci >/sys/bus/pci/devices/0000:05:00.0/driver_override'
ExecStart=/bin/sh -c 'd=/sys/bus/pci/devices/0000:05:00.0; echo 0000:05:00.0 >$$d/driver/unbind'
"""
FILES = {
    "etc/driverctl.d/pci-0000:03:00.0": "vfio-pci\n",
    "etc/driverctl.d/pci-0000:03:00.1": "nvme\n",
    "etc/driverctl.d/README": "vfio-pci\n",
    "etc/udev/rules.d/10-vfio.rules": (
        '# KERNEL=="0000:09:00.0", ATTR{driver_override}="vfio-pci"\n'
        'ACTION=="add", SUBSYSTEM=="pci", KERNEL=="0000:04:00.0", ATTR{driver_override}="vfio-pci"\n'
        'KERNEL=="0000:0a:00.0", ATTR{driver_override}="nvme"\n'
    ),
    "etc/udev/rules.d/70-net.rules": 'KERNEL=="0000:08:00.0", ATTR{driver_override}="vfio-pci"\n',
    "etc/systemd/system/vfio-a.service": UNIT,
    "etc/systemd/system/vfio-disabled.service": UNIT.replace("05:00.0", "06:00.0"),
    "etc/systemd/system/vfio-other.service": "[Service]\nExecStart=/bin/true 0000:07:00.0\n",
}
LINKS = {
    "etc/systemd/system/basic.target.wants/vfio-a.service": "../vfio-a.service",
    "etc/systemd/system/basic.target.wants/vfio-other.service": "../vfio-other.service",
}


def directive(source: str, address: str) -> Directive:
    return Directive(source=source, line=None, command="override", module="vfio_pci", arguments=address)


def test_what_binds_addresses_at_boot(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, FILES, LINKS))
    assert overrides(look) == (
        directive("etc/driverctl.d/pci-0000:03:00.0", "0000:03:00.0"),
        directive("etc/udev/rules.d/10-vfio.rules", "0000:04:00.0"),
        directive("etc/systemd/system/vfio-a.service", "0000:05:00.0"),
    )
    assert look.problems == []


def test_a_host_without_any(tmp_path: Path) -> None:
    assert overrides(reader(plant(tmp_path, {}))) == ()


def test_an_unreadable_file_is_a_problem_and_the_others_count(tmp_path: Path) -> None:
    plant(tmp_path, FILES, LINKS)
    unreadable(tmp_path, "etc/systemd/system/vfio-a.service")
    look = reader(tmp_path)
    assert [found.arguments for found in overrides(look)] == ["0000:03:00.0", "0000:04:00.0"]
    assert [(problem.path, problem.kind) for problem in look.problems] == [
        ("etc/systemd/system/vfio-a.service", UNREADABLE)
    ]
