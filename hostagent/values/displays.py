"""Displays of board management controllers: the remote console of a server shows what they show.

Those that the kernel has a driver for, by the tables of the drivers: mgag200 (without the G200 on cards for desktops, 0520
and 0521), ast, hibmc-drm (pci.ids calls it iBMC).
"""

from __future__ import annotations

BMC_DISPLAYS = frozenset(
    (
        *(f"102b:{device}" for device in ("0522", "0524", "0530", "0532", "0533", "0534", "0536", "0538", "053a")),
        *(f"1a03:{device}" for device in ("2000", "2010")),
        "19e5:1711",
    )
)
_DISPLAY = "03"


def is_bmc_display(*, vendor_id: str, device_id: str, class_id: str) -> bool:
    """Whether a function is the display of a BMC."""
    return class_id.startswith(_DISPLAY) and f"{vendor_id}:{device_id}" in BMC_DISPLAYS
