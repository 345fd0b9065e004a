"""The displays of BMCs, against the device tables of the kernel's drivers for them."""

from __future__ import annotations

import pytest

from hostagent.values.displays import BMC_DISPLAYS, is_bmc_display

# MODULE_DEVICE_TABLE of Linux 6.12: drivers/gpu/drm/mgag200/mgag200_drv.c, ast/ast_drv.c, hisilicon/hibmc/hibmc_drm_drv.c,
# as depmod writes them into modules.alias.
ALIASES = """\
alias pci:v0000102Bd00000520sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000521sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000522sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000524sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000530sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000532sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000533sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000534sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000536sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd00000538sv*sd*bc*sc*i* mgag200
alias pci:v0000102Bd0000053Asv*sd*bc*sc*i* mgag200
alias pci:v00001A03d00002000sv*sd*bc03sc*i* ast
alias pci:v00001A03d00002010sv*sd*bc03sc*i* ast
alias pci:v000019E5d00001711sv*sd*bc*sc*i* hibmc_drm
"""
# G200 on a card of its own, PCI and AGP: no BMC.
DESKTOP = {"102b:0520", "102b:0521"}
WITNESSED = {f"{line[15:19]}:{line[24:28]}".lower() for line in ALIASES.splitlines()}


def test_the_drivers_know_no_other() -> None:
    assert BMC_DISPLAYS == WITNESSED - DESKTOP


@pytest.mark.parametrize("identity", sorted(WITNESSED))
def test_each(identity: str) -> None:
    vendor_id, _, device_id = identity.partition(":")
    bmc = identity not in DESKTOP
    assert is_bmc_display(vendor_id=vendor_id, device_id=device_id, class_id="030000") is bmc
    assert is_bmc_display(vendor_id=vendor_id, device_id=device_id, class_id="038000") is bmc
    assert not is_bmc_display(vendor_id=vendor_id, device_id=device_id, class_id="060400")
