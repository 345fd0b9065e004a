"""PCI words: addresses and IDs as the kernel prints them (Documentation/PCI/sysfs-pci.rst)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Lower-case hex digits become x, and an x something else.
_SHAPE = {ord("x"): "X"} | dict.fromkeys(map(ord, "0123456789abcdef"), "x")
_HEX = frozenset("0123456789abcdefABCDEF")


def hex_id(text: str, digits: int) -> str | None:
    """`"0x10DE"` or `"10de"` as `digits` lower-case hex digits, or None if it is not that many."""
    if text[:2] in ("0x", "0X"):
        text = text[2:]
    if len(text) != digits or not _HEX.issuperset(text):
        return None
    return text.lower()


class PciAddress(str):
    """`domain:bus:device.function`, canonical text: lower-case hex, domain of 4 to 8 digits.

    Domains have more than four digits behind Intel VMD (`10000:00:04.0`) and on Hyper-V.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> PciAddress | None:
        """The address in `text` in the kernel's spelling (case is forgiven), or None."""
        if text.translate(_SHAPE) == "xxxx:xx:xx.x" and text[8] < "2" and text[11] < "8":
            # Nearly all of them, without the general case's cost.
            return cls(text)
        head, dot, function = text.rpartition(".")
        parts = head.split(":")
        if not dot or len(parts) != 3 or len(function) != 1 or function not in "01234567":
            return None
        domain, bus, device = parts
        # "00010:..." would be a second spelling of 0010: only canonical domains are parsed.
        if not 4 <= len(domain) <= 8 or (len(domain) > 4 and domain[0] == "0"):
            return None
        if len(bus) != 2 or len(device) != 2 or not _HEX.issuperset(domain + bus + device):
            return None
        if int(device, 16) > 31:
            return None
        return cls(text.lower())

    @property
    def order(self) -> tuple[int, str]:
        """Sort key: numeric order, wider domains last."""
        return (len(self), self)

    @property
    def slot(self) -> str:
        """The address without its function: what the functions of one card share."""
        return self[:-2]

    @property
    def bus(self) -> str:
        """Domain and bus: what all that is on one bus shares."""
        return self[:-5]

    @property
    def place(self) -> str:
        """Device and function, the part of the address that stays when buses get other numbers."""
        return self[-4:]

    @property
    def function(self) -> int:
        """Function number, 0 to 7."""
        return int(self[-1])

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """Validate as text that parses; imported only where a schema is built."""
        from pydantic_core import core_schema

        def validate(text: str) -> PciAddress:
            address = cls.parse(text)
            if address is None:
                msg = "a PCI address looks like 0000:3b:00.0"
                raise ValueError(msg)
            return address

        return core_schema.no_info_after_validator_function(
            validate,
            core_schema.str_schema(pattern=r"^[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]$"),
            serialization=core_schema.to_string_ser_schema(),
        )


def in_classes(class_id: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a 6-digit class ID falls under one of the prefixes (`"03"`, `"0c03"`)."""
    return class_id.startswith(prefixes)
