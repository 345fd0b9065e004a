"""What may be written where a kernel module is named."""

from __future__ import annotations

import pytest

from hostagent.host.pci import PciFunction
from hostagent.plan.drivers import bound_module
from hostagent.profile import ProfileError, read_profile
from hostagent.values.module import is_module_name
from hostagent.values.pci import PciAddress

NOT = (
    "",
    "-",
    "_",
    "-rf",
    "--",
    "a b",
    "a/b",
    "../a",
    "a.ko",
    "a\n",
    "a\nb",
    "\u00fc",
    "\u0661",
    "a;b",
    "a" * 56,
    "a" * 300,
    "$(x)",
)


@pytest.mark.parametrize("name", ["i6300esb", "iTCO_wdt", "vfio-pci", "8250", "a", "a" * 55, "_a", "a-"])
def test_a_module_is_called_so(name: str) -> None:
    assert is_module_name(name)


@pytest.mark.parametrize("name", NOT)
def test_no_module_is_called_so(name: str) -> None:
    assert not is_module_name(name)


@pytest.mark.parametrize("name", ["-rf", "a" * 300])
def test_a_profile_that_names_none_is_refused_with_its_line(name: str) -> None:
    text = f"platform: {{name: debian}}\nwatchdog:\n  module: '{name}'\n"
    with pytest.raises(ProfileError, match=r"profile\.yaml:3: watchdog\.module: expected the name of a kernel module"):
        read_profile(text.encode(), "profile.yaml")


@pytest.mark.parametrize("name", ["-rf", "a" * 300, "a b"])
def test_a_driver_of_a_machine_that_is_none_is_written_nowhere(name: str) -> None:
    assert bound_module(_bound_to(name)) is None
    assert bound_module(_bound_to("e1000e")) == "e1000e"


def _bound_to(driver: str) -> PciFunction:
    address = PciAddress.parse("0000:01:00.0")
    assert address is not None
    return PciFunction(
        address=address, vendor_id="8086", device_id="10d3", subsystem_vendor_id=None, subsystem_device_id=None,
        class_id="020000", driver=driver, iommu_group=None, numa_node=None, detail=None,
    )  # fmt: skip
