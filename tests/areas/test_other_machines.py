"""Links, disks, watchdogs and consoles of other people's machines, where their captures are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.areas import firmware, network, storage, watchdog
from hostagent.host import Reader
from hostagent.host.pci import functions
from tests.plant import reader
from tests.roots import CAPTURES, captures


def opened(name: str) -> Reader:
    path = CAPTURES / f"{name}.tar.gz"
    if not path.exists():
        pytest.skip(f"no {name} in {CAPTURES}: set HOSTAGENT_CAPTURES")
    return reader(path)


# procfs's tree is made of files of many machines: its NIC is on no bus of its own.
WHOLE = [path for path in captures() if "procfs" not in path.name]


@pytest.mark.parametrize("capture", WHOLE or [pytest.param(None, marks=pytest.mark.skip(reason=f"none in {CAPTURES}"))])
def test_carriers_are_functions_of_the_machine(capture: Path) -> None:
    seen = reader(capture)
    known = {one.address for one in functions(seen)}
    said = {address for link in network.probe(seen).links for address in link.functions}
    found = storage.probe(seen)
    said |= {address for disk in found.disks for address in (*disk.functions, *disk.bridges)}
    said |= {address for use in found.uses for address in (*use.carriers.functions, *use.carriers.bridges)}
    said |= {device.function for device in watchdog.probe(seen).devices if device.function is not None}
    shown = firmware.probe(seen)
    said |= {*shown.console.functions, *shown.bmc_functions}
    assert said <= known


def test_ghw_a_laptop_on_luks() -> None:
    found = storage.probe(opened("ghw__linux-amd64-8581cf3a529e5d8b97ea876eade2f60d"))
    assert {use.what: (use.kind, use.carriers.chain, use.carriers.functions) for use in found.uses} == {
        "/": ("root", (), ()),
        "/boot": ("boot", ("sda2", "sda"), ("0000:03:00.0",)),
        "/boot/efi": ("boot", ("sda1", "sda"), ("0000:03:00.0",)),
        "/home": ("system", (), ()),
        "/tmp": ("other", (), ()),
        "/var": ("system", (), ()),
    }
    # The capture has no dm devices: nobody knows that /home is not on the optical drive's controller.
    assert storage.protected(found) == {
        "0000:00:1f.2": ("perhaps /", "perhaps /home", "perhaps /tmp", "perhaps /var"),
        "0000:03:00.0": ("/boot", "/boot/efi", "sda", "perhaps /", "perhaps /home", "perhaps /tmp", "perhaps /var"),
    }


def test_checkbox_nics_of_a_dgx() -> None:
    found = network.probe(opened("checkbox__NVIDIA_DGXA100"))
    assert {link.name: link.function for link in found.links if link.kind == "physical"} == {
        "enp12s0np0": "0000:0c:00.0",
        "enp141s0np0": "0000:8d:00.0",
        "enp148s0np0": "0000:94:00.0",
        "enp18s0np0": "0000:12:00.0",
        "enp204s0np0": "0000:cc:00.0",
        "enp225s0f0np0": "0000:e1:00.0",
        "enp225s0f1np1": "0000:e1:00.1",
        "enp226s0": "0000:e2:00.0",
        "enp84s0np0": "0000:54:00.0",
    }


def test_lab_watchdogs_of_a_q35() -> None:
    seen = opened("lab-intel-q35")
    assert [
        (device.name, device.identity, device.driver, device.function, device.hardware)
        for device in watchdog.probe(seen).devices
    ] == [
        ("watchdog0", "i6300ESB timer", "i6300esb", "0000:00:05.0", True),
        ("watchdog1", "iTCO_wdt", "iTCO_wdt", "0000:00:1f.0", True),
    ]
    shown = firmware.probe(seen)
    assert (shown.uefi, shown.hypervisor, shown.console.boot_vga) == (False, "kvm", "0000:04:00.0")


def test_procfs_watchdogs_and_network_file_systems() -> None:
    seen = opened("prometheus__procfs")
    assert [
        (device.name, device.state, device.timeout, device.boot_causes) for device in watchdog.probe(seen).devices
    ] == [("watchdog0", "active", 60, ("overheat",)), ("watchdog1", None, None, ())]
    assert {use.what for use in storage.probe(seen).uses if use.carriers.network} == {"/mnt/nfs/test"}
