"""What firmware is called: once, and so in the table and on the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.assess.firmware import firmware_name
from hostagent.cli.table.system import firmware_line
from hostagent.host import Host
from hostagent.publish.page import page
from hostagent.report import survey
from tests.plant import plant

_DMI = {"sys/class/dmi/id/sys_vendor": "Dell Inc.\n", "sys/class/dmi/id/bios_version": "2.19.0\n"}
# Linux puts an empty directory there on machines without ACPI, EFI and device tree too.
_BARE = {"sys/firmware/memmap/0/type": "System RAM\n"}
_MODEL = {"proc/device-tree/model": "linux,dummy-virt\0"}


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({}, None),
        (_BARE, "not UEFI"),
        (_BARE | {"sys/firmware/acpi/tables/FACP": ""}, "not UEFI"),  # Firecracker since 1.8: ACPI, no SMBIOS
        (_BARE | _DMI, "BIOS"),
        (_BARE | _MODEL, "device tree"),
        (_BARE | _DMI | {"sys/firmware/efi/fw_platform_size": "64\n"}, "UEFI"),
        (_MODEL | {"sys/firmware/efi/fw_platform_size": "64\n"}, "UEFI"),
    ],
)
def test_the_name(files: dict[str, str], name: str | None, tmp_path: Path) -> None:
    report = survey(Host(str(plant(tmp_path, files))))
    assert report.firmware is not None
    assert report.firmware.data is not None
    assert firmware_name(report.firmware.data) == name
    words = firmware_line(report.firmware.data).plain.split(" · ")
    drawn = page(report).decode()
    names = {"UEFI", "BIOS", "device tree", "not UEFI"}
    assert names & set(words) == ({name} if name else set())
    assert {one for one in names if f"<dt>Firmware</dt><dd>{one}</dd>" in drawn} == ({name} if name else set())
