"""What rendered files take of a machine, read back from their text: no part of hostagent helps."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import yaml

from tests.plan.machines import Machine

_IDS = re.compile(r"\bids=([0-9a-f:,]+)")
# A unit takes one address, if who is there is one of the identities it compares.
_ADDRESS = re.compile(r"^ConditionPathExists=/sys/bus/pci/devices/([0-9a-f:.]+)/driver_override$", re.MULTILINE)
_IDENTITY = re.compile(r"(?<![0-9a-f:])0x([0-9a-f]{4}):0x([0-9a-f]{4}):(0x[0-9a-f]{4}|\*):(0x[0-9a-f]{4}|\*)")


def taken(path: str, text: str, machine: Machine) -> set[str]:
    """Addresses of the machine's functions that a file gives to vfio-pci, by ID or by address and identity."""
    found = set()
    for content in _contents(path, text):
        spoken = "\n".join(line for line in content.splitlines() if not line.lstrip().startswith("#"))
        for listed in _IDS.findall(spoken):
            found |= {address for identity in listed.split(",") for address in _with(machine, identity)}
        for address in _ADDRESS.findall(spoken):
            identities = _IDENTITY.findall(spoken)
            assert identities, spoken
            found |= {address for parts in identities if address in _with(machine, _spelled(parts))}
    return found


def _spelled(parts: tuple[str, ...]) -> str:
    """`8086:10d3:15d9:0001`, cut before the first part that matches anything."""
    known = [part.removeprefix("0x") for part in parts]
    return ":".join(known[: known.index("*")] if "*" in known else known)


def offered(text: str) -> set[str]:
    """IDs that a HyperConverged or KubeVirt resource offers."""
    return {
        value.lower()
        for key, value in _pairs(yaml.safe_load(text))
        if key in ("pciDeviceSelector", "pciVendorSelector")
    }


def functions_of(machine: Machine, identity: str) -> set[str]:
    """Addresses of functions with an ID."""
    return set(_with(machine, identity))


def bound(machine: Machine) -> set[str]:
    """Addresses of functions on vfio-pci."""
    return {
        path.split("/")[3]
        for path, text in machine.files.items()
        if path.endswith("/uevent") and "DRIVER=vfio-pci\n" in text
    }


def _with(machine: Machine, identity: str) -> Iterator[str]:
    wanted = identity.split(":")
    for path, text in machine.files.items():
        if path.endswith("/uevent") and "PCI_ID=" in text:
            said = dict(line.split("=", 1) for line in text.splitlines())
            own = f"{said['PCI_ID']}:{said['PCI_SUBSYS_ID']}".lower().split(":")
            if own[: len(wanted)] == wanted:
                yield path.split("/")[3]


def _contents(path: str, text: str) -> Iterator[str]:
    """A file itself, and the files and units inside a Butane file or MachineConfig."""
    yield text
    if path.endswith((".bu", ".yaml")):
        for _, value in _pairs(yaml.safe_load(text)):
            yield _decoded(value)


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, below in value.items():
            if isinstance(below, str):
                yield str(key), below
            else:
                yield from _pairs(below)
    elif isinstance(value, list):
        for below in value:
            if isinstance(below, str):
                yield "", below
            else:
                yield from _pairs(below)


def _decoded(value: str) -> str:
    if not value.startswith("data:"):
        return value
    head, _, body = value.partition(",")
    data = base64.b64decode(body) if head.endswith(";base64") else unquote_to_bytes(body)
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
