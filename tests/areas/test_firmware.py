from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.area import LabelOptions
from hostagent.areas.firmware import Dmi, Firmware, labels, probe, samples
from hostagent.host import Problem
from hostagent.host.console import Console, Display
from hostagent.host.problem import MALFORMED
from hostagent.host.serial import SerialConsole
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.plant import pci_function, plant, reader

OPTIONS = LabelOptions(pci_classes=(), cpu_features=())
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SETUP_MODE = "sys/firmware/efi/efivars/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c"
NO_DMI = Dmi(
    sys_vendor=None,
    product_name=None,
    product_version=None,
    board_vendor=None,
    board_name=None,
    bios_vendor=None,
    bios_version=None,
    bios_date=None,
    chassis_type=None,
)
NOTHING = Firmware(
    uefi=None,
    secure_boot=None,
    setup_mode=None,
    dmi=None,
    model=None,
    virtual=None,
    hypervisor=None,
    console=Console(displays=(), active=None, boot_vga=None, functions=(), serial=()),
    bmc=False,
    bmc_functions=(),
)


def look(root: Path, files: dict[str, str], links: dict[str, str] | None = None) -> Firmware:
    seen = reader(plant(root, files, links))
    firmware = probe(seen)
    assert seen.problems == []
    return firmware


def test_a_root_that_says_nothing(tmp_path: Path) -> None:
    firmware = look(tmp_path, {})
    assert firmware == NOTHING
    assert (list(labels(firmware, OPTIONS)), list(samples(firmware))) == ([], [])


def server() -> tuple[dict[str, str], dict[str, str]]:
    """A UEFI server: the boot display is the BMC's, and a GPU has a driver and a framebuffer of its own."""
    files = {
        SECURE_BOOT: "\x06\0\0\0\x01",
        SETUP_MODE: "\x06\0\0\0\0",
        "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
        "sys/class/dmi/id/product_name": "PowerEdge  R760\n",
        "sys/class/dmi/id/bios_version": "1.2\r3\n",
        "sys/class/dmi/id/bios_vendor": " \n",
        "sys/class/dmi/id/product_serial": "SECRET\n",
        "sys/class/tty/console/active": "tty0 ttyS0\n",
        "sys/class/graphics/fb0/name": "astdrmfb\n",
        "sys/class/graphics/fb1/name": "nouveaudrmfb\n",
        "sys/class/graphics/fbcon/cursor_blink": "1\n",
        "sys/class/drm/card0-VGA-1/status": "connected\n",
        "sys/class/ipmi/ipmi0/dev": "240:0\n",
        "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu vmx\n",
    }
    files |= pci_function("0000:03:00.0", id="1A03:2000", cls="30000", driver="ast", boot_vga="1")
    files |= pci_function("0000:3b:00.0", id="10DE:1EB8", cls="30200", driver="nouveau", boot_vga="0")
    files |= pci_function("0000:00:16.2", id="8086:A1BC", cls="C0701")
    links = {
        "sys/class/graphics/fb0/device": "../../../devices/pci0000:00/0000:00:1c.5/0000:03:00.0",
        "sys/class/graphics/fb1/device": "../../../devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0",
        "sys/class/drm/card0": "../../devices/pci0000:00/0000:00:1c.5/0000:03:00.0/drm/card0",
        "sys/devices/pci0000:00/0000:00:1c.5/0000:03:00.0/drm/card0/device": "../..",
        "sys/devices/pci0000:00/0000:00:1c.5/0000:03:00.0/driver": "../../../../bus/pci/drivers/ast",
    }
    return files, links


def test_a_server(tmp_path: Path) -> None:
    firmware = look(tmp_path, *server())
    bmc, gpu = PciAddress("0000:03:00.0"), PciAddress("0000:3b:00.0")
    assert firmware == Firmware(
        uefi=True,
        secure_boot=True,
        setup_mode=False,
        dmi=replaced(NO_DMI, sys_vendor="Dell Inc.", product_name="PowerEdge R760", bios_version="1.2 3"),
        model=None,
        virtual=False,
        hypervisor=None,
        console=Console(
            displays=(
                Display(name="fb0", driver="astdrmfb", function=bmc, firmware=False),
                Display(name="fb1", driver="nouveaudrmfb", function=gpu, firmware=False),
                Display(name="card0", driver="ast", function=bmc, firmware=False),
            ),
            active=("tty0", "ttyS0"),
            boot_vga=bmc,
            functions=(bmc,),
            serial=(SerialConsole(name="ttyS0", functions=(), resolved=False),),
        ),
        bmc=True,
        bmc_functions=(PciAddress("0000:00:16.2"), bmc),
    )
    assert list(labels(firmware, OPTIONS)) == [("firmware.uefi", "true"), ("firmware.secure-boot", "true")]
    assert [(sample.metric.name, sample.labels, sample.value) for sample in samples(firmware)] == [
        ("hostagent_firmware_uefi", (), 1),
        ("hostagent_firmware_secure_boot", (), 1),
        ("hostagent_firmware_info", ("Dell Inc.", "PowerEdge R760", "", "1.2 3"), 1),
    ]


@pytest.mark.parametrize("name", ["EFI VGA", "simpledrmdrmfb", "VESA VGA"])
def test_a_framebuffer_of_firmware_is_on_the_boot_display(tmp_path: Path, name: str) -> None:
    files = pci_function("0000:01:00.0", cls="30000", boot_vga="1")
    files |= {"sys/class/graphics/fb0/name": f"{name}\n"}
    links = {"sys/class/graphics/fb0/device": "../../../devices/platform/simple-framebuffer.0"}
    boot = PciAddress("0000:01:00.0")
    assert look(tmp_path, files, links).console == Console(
        displays=(Display(name="fb0", driver=name, function=None, firmware=True),),
        active=None,
        boot_vga=boot,
        functions=(boot,),
        serial=(),
    )


def test_bios_has_no_secure_boot(tmp_path: Path) -> None:
    firmware = look(tmp_path, {"sys/firmware/memmap/0/type": "System RAM\n"})
    assert firmware == replaced(NOTHING, uefi=False)
    assert list(labels(firmware, OPTIONS)) == [("firmware.uefi", "false"), ("firmware.secure-boot", "false")]
    assert [(sample.metric.name, sample.value) for sample in samples(firmware)] == [
        ("hostagent_firmware_uefi", 0),
        ("hostagent_firmware_secure_boot", 0),
    ]


def test_variables_that_cannot_be_seen_are_unknown(tmp_path: Path) -> None:
    firmware = look(tmp_path, {"sys/firmware/efi/fw_platform_size": "64\n"})
    assert firmware == replaced(NOTHING, uefi=True)
    assert list(labels(firmware, OPTIONS)) == [("firmware.uefi", "true")]


@pytest.mark.parametrize("data", ["\x06\0\0\0", "\x06\0\0\0\x02", "\x06\0\0\0\x01\0", ""])
def test_a_variable_of_another_size(tmp_path: Path, data: str) -> None:
    seen = reader(plant(tmp_path, {SECURE_BOOT: data}))
    assert probe(seen).secure_boot is None
    shown = data.encode().hex()
    assert seen.problems == [
        Problem(
            path=SECURE_BOOT, kind=MALFORMED, detail=f"expected 4 bytes of attributes and a byte 0 or 1, saw {shown!r}"
        )
    ]


@pytest.mark.parametrize(
    ("files", "virtual", "hypervisor"),
    [
        ({"sys/class/dmi/id/sys_vendor": "QEMU"}, True, "kvm"),
        ({"sys/class/dmi/id/product_name": "KubeVirt", "sys/class/dmi/id/sys_vendor": "Red Hat"}, True, "kvm"),
        ({"sys/class/dmi/id/sys_vendor": "VMware, Inc."}, True, "vmware"),
        (
            {
                "sys/class/dmi/id/sys_vendor": "Microsoft Corporation",
                "sys/class/dmi/id/product_name": "Virtual Machine",
            },
            True,
            "hyper-v",
        ),
        (
            {"sys/class/dmi/id/sys_vendor": "Microsoft Corporation", "sys/class/dmi/id/product_name": "Surface"},
            None,
            None,
        ),
        ({"sys/hypervisor/type": "xen"}, True, "xen"),
        ({"proc/cpuinfo": "flags : fpu hypervisor"}, True, None),
        ({"proc/cpuinfo": "flags : fpu hypervisor_not"}, False, None),
        ({"proc/cpuinfo": "Features : fp asimd"}, None, None),
    ],
)
def test_virtual_machines(
    tmp_path: Path,
    files: dict[str, str],
    virtual: bool | None,  # noqa: FBT001
    hypervisor: str | None,
) -> None:
    firmware = look(tmp_path, files)
    assert (firmware.virtual, firmware.hypervisor) == (virtual, hypervisor)


def test_machines_with_a_device_tree_say_their_model(tmp_path: Path) -> None:
    assert look(tmp_path, {"proc/device-tree/model": "Raspberry Pi 4\0"}) == replaced(NOTHING, model="Raspberry Pi 4")


@pytest.mark.parametrize(
    ("device", "cls", "bmc"),
    [("102B:0536", "30000", True), ("102B:0519", "30000", False), ("1A03:1150", "60400", False)],
)
def test_displays_of_bmcs(tmp_path: Path, device: str, cls: str, bmc: bool) -> None:  # noqa: FBT001
    found = look(tmp_path, pci_function("0000:03:00.0", id=device, cls=cls))
    assert (found.bmc, found.bmc_functions) == (bmc, (PciAddress("0000:03:00.0"),) if bmc else ())


def test_a_bmc_without_driver_is_in_acpi(tmp_path: Path) -> None:
    assert look(tmp_path, {"sys/bus/acpi/devices/IPI0001:00/hid": "IPI0001\n"}).bmc is True
