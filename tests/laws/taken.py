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
_UNIT = re.compile(r"hostagent-vfio-([0-9a-f]{4,8})-([0-9a-f]{2})-([0-9a-f]{2}\.[0-7])\.service")


def taken(path: str, text: str, machine: Machine) -> set[str]:
    """Addresses of the machine's functions that a file gives to vfio-pci, by ID or by the unit's own name."""
    found = set()
    for name, content in _contents(path, text):
        spoken = "\n".join(line for line in content.splitlines() if not line.lstrip().startswith("#"))
        for listed in _IDS.findall(spoken):
            found |= {address for identity in listed.split(",") for address in _with(machine, identity)}
        for unit in _UNIT.findall(f"{name}\n{spoken}"):
            found |= {address for address in [":".join(unit)] if f"sys/bus/pci/devices/{address}" in machine.links}
    return found


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


def _with(machine: Machine, identity: str) -> Iterator[str]:
    wanted = identity.split(":")
    for path, text in machine.files.items():
        if path.endswith("/uevent") and "PCI_ID=" in text:
            said = dict(line.split("=", 1) for line in text.splitlines())
            own = f"{said['PCI_ID']}:{said['PCI_SUBSYS_ID']}".lower().split(":")
            if own[: len(wanted)] == wanted:
                yield path.split("/")[3]


def _contents(path: str, text: str) -> Iterator[tuple[str, str]]:
    """A file itself, and the files and units inside a Butane file or MachineConfig."""
    yield path, text
    if path.endswith((".bu", ".yaml")):
        for _, value in _pairs(yaml.safe_load(text)):
            yield path, _decoded(value)


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
