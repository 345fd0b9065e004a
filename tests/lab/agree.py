"""hostagent against the witnesses: each function lists the disagreements, and what is expected is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.lab.look import Json, Look

# Disagreements printed of one machine.
SHOWN = 40


def _id(text: str | None) -> str | None:
    """`82574L Gigabit Network Connection [10d3]` -> 10d3."""
    return None if text is None else text[text.rindex("[") + 1 : -1]


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _expected(record: dict[str, str]) -> Json:
    """What lspci's record of a function says, in our words."""
    return {
        "vendor_id": _id(record["Vendor"]),
        "device_id": _id(record["Device"]),
        # lspci leaves out an ID that is zero, as it is in bridges without that capability.
        "subsystem_vendor_id": _id(record.get("SVendor")) or "0000",
        "subsystem_device_id": _id(record.get("SDevice")) or "0000",
        "class_id": f"{_id(record['Class'])}{record.get('ProgIf', '00')}",
        "driver": record.get("Driver"),
        "iommu_group": _number(record.get("IOMMUGroup")),
        "numa_node": _number(record.get("NUMANode")),
    }


def pci(look: Look) -> Iterator[str]:
    """Every function, in every fact lspci knows."""
    ours = {function["address"]: function for function in look.area("pci")["functions"]}
    theirs = {record["Slot"]: _expected(record) for record in look.lspci}
    if ours.keys() != theirs.keys():
        yield f"pci: addresses differ: {sorted(ours.keys() ^ theirs.keys())}"
    for address in sorted(ours.keys() & theirs.keys()):
        for name, value in theirs[address].items():
            if ours[address][name] != value:
                yield f"pci: {address} {name}: hostagent {ours[address][name]!r}, lspci {value!r}"


def iommu(look: Look) -> Iterator[str]:
    """Groups and members as a shell lists them."""
    data = look.area("iommu")
    ours = {group["number"]: tuple(sorted(group["members"])) for group in data["groups"]}
    if ours != look.groups:
        yield f"iommu: groups: hostagent {ours}, the kernel {look.groups}"
    if data["enabled"] != bool(look.groups):
        yield f"iommu: enabled is {data['enabled']}, and the kernel has {len(look.groups)} groups"


def verdicts(groups: list[Json], kernel: dict[str, bool], *, when: str) -> Iterator[str]:
    """Our verdict on every group the kernel has a device node for, against the kernel's own."""
    ours = {str(group["number"]): group for group in groups}
    for number, viable in kernel.items():
        said, blockers = ours[number]["viable"], ours[number]["blockers"]
        if said != viable:
            yield f"vfio: {when}: group {number} viable: hostagent {said}, the kernel {viable}"
        if viable == bool(blockers):
            yield f"vfio: {when}: group {number} viable is {viable}, and the blockers are {blockers}"


def cpu(look: Look) -> Iterator[str]:
    """The flags lscpu prints."""
    ours = set(look.area("cpu")["flags"])
    theirs = set(look.lscpu["Flags"].split())
    if ours != theirs:
        yield f"cpu: flags differ: {sorted(ours ^ theirs)}"


def hugepages(look: Look) -> Iterator[str]:
    """The pool of the default size, and the memory of all pools, as /proc/meminfo counts them."""
    pools = look.area("hugepages")["pools"]
    meminfo = look.meminfo
    size = meminfo["Hugepagesize"] * 1024
    (ours,) = [pool for pool in pools if pool["page_size"] == size and pool["numa_node"] is None]
    for name, field in (("total", "Total"), ("free", "Free"), ("reserved", "Rsvd"), ("surplus", "Surp")):
        if ours[name] != meminfo[f"HugePages_{field}"]:
            yield f"hugepages: {name}: hostagent {ours[name]}, meminfo {meminfo[f'HugePages_{field}']}"
    total = sum(pool["total"] * pool["page_size"] for pool in pools if pool["numa_node"] is None) // 1024
    if total != meminfo["Hugetlb"]:
        yield f"hugepages: all pools {total} kB, meminfo Hugetlb {meminfo['Hugetlb']} kB"
    for page_size in {pool["page_size"] for pool in pools}:
        nodes = sum(pool["total"] for pool in pools if pool["page_size"] == page_size and pool["numa_node"] is not None)
        (whole,) = [pool["total"] for pool in pools if pool["page_size"] == page_size and pool["numa_node"] is None]
        if nodes != whole:
            yield f"hugepages: {page_size}: nodes {nodes}, global {whole}"


def watchdogs(look: Look) -> Iterator[str]:
    """wdctl opens the device, which counts as a ping: the last witness to be asked."""
    text = look.guest.sh("for d in /dev/watchdog[0-9]*; do wdctl -O $d; done")
    ours = look.area("watchdog")["devices"]
    for device in ours:
        found = re.search(rf"/dev/{device['name']}\b.*", text)
        line = found.group() if found else ""
        for fact in (device["identity"], f'TIMEOUT="{device["timeout"]}"'):
            if str(fact) not in line:
                yield f"watchdog: {device['name']}: {fact!r} is not in wdctl's {line!r}"
    if len(ours) != text.count("/dev/watchdog"):
        yield f"watchdog: hostagent has {len(ours)}, wdctl says {text!r}"


def none(disagreements: list[str]) -> None:
    """Fail with all of them, not with the first."""
    if disagreements:
        more = len(disagreements) - SHOWN
        rest = [f"... and {more} more"] if more > 0 else []
        raise AssertionError("\n".join(["disagreements:", *disagreements[:SHOWN], *rest]))


def everything(look: Look) -> list[str]:
    """All disagreements that can be found without touching the machine."""
    compared: list[Any] = [pci, iommu, cpu, hugepages, watchdogs]
    return [line for compare in compared for line in compare(look)]
