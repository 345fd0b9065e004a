"""Words a profile is made of, as pydantic types: each parses its text, or says what it expected.

Scalars arrive as text (see `source`), because YAML 1.1 would read `0000:00:02.0` as 120 seconds, `0302` as 194 and
`4.20` as 4.2. Numbers are taken as well, for profiles that come from JSON.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from hostagent.values.duration import parse_seconds
from hostagent.values.kubevirt import resource_name_fault
from hostagent.values.labels import is_prefix
from hostagent.values.module import LONGEST, is_module_name
from hostagent.values.pci import hex_id
from hostagent.values.size import parse_size


def _fault(expected: str, seen: object) -> ValueError:
    return ValueError(f"expected {expected}, saw {seen!r}")


def _pair(value: Any) -> str:
    vendor, colon, device = str(value).partition(":")
    ids = hex_id(vendor, 4), hex_id(device, 4)
    if not colon or None in ids:
        raise _fault("two times four hex digits, as in 10de:1eb8", value)
    return f"{ids[0]}:{ids[1]}"


def _class(value: Any) -> str:
    text = str(value).lower().removeprefix("0x")
    if len(text) not in (2, 4, 6) or hex_id(text, len(text)) is None:
        raise _fault("two, four or six hex digits of a PCI class, as in 0302", value)
    return text


def _whole(value: Any) -> int:
    text = str(value)
    if isinstance(value, (bool, float)) or not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise _fault("a whole number", value)
    return int(text)


def _truth(value: Any) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise _fault("true or false", value)


def _page_size(value: Any) -> int:
    size = parse_size(str(value))
    if size is None or size < 4096 or size & (size - 1):
        raise _fault("the size of a huge page, as in 2M or 1G", value)
    return size


def _seconds(value: Any) -> int:
    seconds = parse_seconds(str(value))
    if seconds is None:
        raise _fault("a time span, as in 30s or 10min", value)
    return seconds


def _resource(value: Any) -> str:
    fault = resource_name_fault(str(value))
    if fault is not None:
        raise ValueError(f"{fault}; saw {value!r}")
    return str(value)


def _device_node(value: Any) -> str:
    name = str(value).removeprefix("/dev/")
    number = name.removeprefix("watchdog")
    if not name.startswith("watchdog") or not number.isascii() or (number and not number.isdigit()):
        raise _fault("a watchdog's device node, as in /dev/watchdog0", value)
    return f"/dev/{name}"


def _module(value: Any) -> str:
    text = str(value)
    if not is_module_name(text):
        raise _fault("the name of a kernel module, as in i6300esb", value)
    return text.replace("-", "_")


def _role(value: Any) -> str:
    text = str(value)
    # It becomes part of object names and of file names.
    if "." in text or not is_prefix(text):
        raise _fault("the name of a machine config pool: lower-case letters, digits and -", value)
    return text


def _text(schema: dict[str, Any], parse: Any) -> Any:
    return BeforeValidator(parse, json_schema_input_type=str), WithJsonSchema({"type": "string", **schema})


_parse, _schema = _text({"pattern": "^(0x)?[0-9a-fA-F]{4}:(0x)?[0-9a-fA-F]{4}$"}, _pair)
PciIdPair = Annotated[str, _parse, _schema]
_parse, _schema = _text({"pattern": "^(0x)?([0-9a-fA-F]{2}){1,3}$"}, _class)
PciClass = Annotated[str, _parse, _schema]
_parse, _schema = _text({"pattern": "^[0-9]+ *[kKmMgGtT]?(i?[bB])?$"}, _page_size)
PageSize = Annotated[int, _parse, _schema]
_parse, _schema = _text({"pattern": "^[0-9]"}, _seconds)
Seconds = Annotated[int, _parse, _schema]
_parse, _schema = _text({"pattern": "^[^/]+/[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"}, _resource)
ResourceName = Annotated[str, _parse, _schema]
_parse, _schema = _text({"pattern": "^(/dev/)?watchdog[0-9]*$"}, _device_node)
WatchdogNode = Annotated[str, _parse, _schema]
_parse, _schema = _text({"pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]*$", "maxLength": LONGEST}, _module)
ModuleName = Annotated[str, _parse, _schema]
_parse, _schema = _text({"pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}, _role)
RoleName = Annotated[str, _parse, _schema]
Whole = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Truth = Annotated[bool, BeforeValidator(_truth)]

__all__ = [
    "ModuleName", "PageSize", "PciClass", "PciIdPair", "ResourceName", "RoleName", "Seconds", "Truth", "WatchdogNode",
    "Whole",
]  # fmt: skip
