"""Devices that the profile asks for and cannot have, and IDs that take more than is meant."""

from __future__ import annotations

from hostagent.advice.model import (
    BLOCKER,
    KARGS,
    MODPROBE,
    MOVE,
    NONE,
    NOTE,
    PROFILE,
    Code,
    Finding,
    finding,
    other,
    render,
    said,
)
from hostagent.advice.view import View
from hostagent.assess.node import data, file_of, id_said, is_bridge, pci_id
from hostagent.assess.reasons import Evidence, Why
from hostagent.host.pci import DEVICES, PciFunction
from hostagent.plan.model import UNIT
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PROTECTED = Code(
    name="protected-device",
    title="The host lives on a device that was asked for",
    cause=(
        "It carries the root, boot or container storage, swap, the default route, the console, the BMC, "
        "virtual functions or a guest, or it is a part of the machine itself; or not enough can be read to "
        "exclude it. With the device in a guest the host, or that guest, is gone."
    ),
    proof="The evidence names the mount, the route or the link, and the way from there down to the device.",
    remedy=other(PROFILE, "Ask for another device, or move what the host keeps there and ask again."),
)
PROTECTED_COMPANION = Code(
    name="protected-companion",
    title="A device shares its IOMMU group with one the host lives on",
    cause=(
        "The kernel gives a group away whole or not at all, and a member of this one carries what the host "
        "cannot do without."
    ),
    proof="The evidence names the group, and the way from what the host uses down to its member.",
    remedy=other(
        MOVE, "Put one of the two cards into a slot of another root port, so that they are in different groups."
    ),
)
TOO_FEW = Code(
    name="too-few-devices",
    title="Fewer devices are free than the profile asks for",
    cause=(
        "An entry with `count` takes the first free devices that fit; there are not enough that are neither "
        "in use nor protected."
    ),
    proof="The evidence names what keeps each device that fits and is not free.",
    remedy=other(PROFILE, "Ask for fewer, or free one of those named."),
)
CONFLICT = Code(
    name="profile-conflict",
    title="Two entries of the profile claim one device",
    cause=(
        "A device has one resource name, and KubeVirt knows devices by vendor:device alone: it cannot offer "
        "two of one ID under two names."
    ),
    proof="The sentence names both entries of the profile.",
    remedy=other(PROFILE, "Give devices of one ID one resourceName, or narrow one of the entries."),
)
GROUPS_UNKNOWN = Code(
    name="groups-not-known-yet",
    title="Which devices share an IOMMU group is not known yet",
    cause=(
        "No IOMMU translates, so there are no groups to read. By its place on the bus the device is expected to share "
        "one with another that stays with the host; then the kernel would give away neither."
    ),
    proof="The device has no link iommu_group in /sys/bus/pci/devices; the evidence names the other one.",
    remedy=render(KARGS, "Switch the IOMMU on with the rendered kernel arguments, reboot, and look again."),
)
NOT_TOLD_APART = Code(
    name="device-not-told-apart",
    title="Nothing tells the device from an equal one that stays",
    cause=(
        "A unit binds an address, and addresses move when cards are added. It looks at IDs and at the bridges above "
        "before it binds; another device that is to stay has the same."
    ),
    proof="Both have one PCI_ID in /sys/bus/pci/devices/*/uevent, and the bridges above them are equal or not known.",
    remedy=other(PROFILE, "Ask for both, for neither, or give the nodes roles of their own."),
)
ELSEWHERE = Code(
    name="taken-by-a-unit-for-another-node",
    title="A unit meant for other nodes would take a device here",
    cause=(
        "All nodes of a role get the same files. A unit that binds an address looks whose device it is, not "
        "on which node: here the same device at the same address has to stay."
    ),
    proof="The device has the same ID at the same address as the one wanted on the other node.",
    remedy=other(PROFILE, "Give the nodes roles of their own (`hostagent check` with all reports proposes them)."),
)
NOT_FOUND = Code(
    name="device-not-found",
    title="The profile names a device that is not there",
    cause="The ID or address was mistyped, the card is gone or in another slot, or it has failed.",
    proof="No function in /sys/bus/pci/devices of any node given fits the entry: `hostagent probe --only pci`.",
    remedy=other(
        PROFILE, "Compare the entry with `hostagent probe`; addresses move when cards or firmware settings change."
    ),
)
TWINS = Code(
    name="identical-devices-partly-wanted",
    title="Only some of several identical devices are wanted",
    cause=(
        "vfio-pci's ids take every device that has the ID. Where one of them has to stay, devices are bound "
        "one by one, by address."
    ),
    proof="The functions have one PCI_ID in /sys/bus/pci/devices/*/uevent.",
    remedy=render(
        MODPROBE, "Render and reboot: the ID leaves vfio-pci's ids, and units bind the addresses that are wanted."
    ),
)
IDS_TAKE = Code(
    name="ids-take-protected-device",
    title="vfio-pci's ids take a device the host lives on",
    cause=(
        "The ID given to vfio-pci is also that of a device the host needs. It keeps its own driver only as "
        "long as that driver wins the race."
    ),
    proof=(
        "The ID in modprobe.d or on the command line is that of the function; the evidence names what the "
        "host keeps there."
    ),
    remedy=render(
        MODPROBE, "Write a profile that asks for what is meant, and replace the configuration by what it renders."
    ),
)
FRAMEBUFFER = Code(
    name="framebuffer-holds-console-gpu",
    title="The boot framebuffer holds the graphics card",
    cause=(
        "efifb, vesafb or simpledrm draws into the memory that firmware set up on the card, and keeps its "
        "BAR: vfio-pci says `can't reserve [mem ...]` and the guest does not start."
    ),
    proof=(
        "/sys/class/graphics/fb0 or /sys/class/drm/card0 belongs to a firmware framebuffer, and boot_vga of "
        "the card is 1."
    ),
    remedy=other(
        NONE,
        (
            "Let firmware show its console on another card or the BMC; else give initcall_blacklist=sysfb_init "
            "and lose the console."
        ),
    ),
)
CODES = (
    PROTECTED, PROTECTED_COMPANION, GROUPS_UNKNOWN, TOO_FEW, CONFLICT, ELSEWHERE, NOT_TOLD_APART, NOT_FOUND, TWINS,
    IDS_TAKE, FRAMEBUFFER,
)  # fmt: skip

# Why an ID that takes it does no harm that this topic has to tell of: others do, with more to say about it.
_ELSEWHERE = (Why.DENYLIST, Why.RESERVED, Why.GUEST, Why.GROUP)


def look(view: View) -> Iterator[Finding]:
    """What is asked for and not there, and what the present configuration takes."""
    for unmatched in view.plan.unmatched if view.plan is not None else ():
        text = f"The profile's {unmatched.entry} expects {unmatched.expected}."
        yield finding(NOT_FOUND, BLOCKER, unmatched.entry, text, [said("sys/bus/pci/devices", "none that fits")])
    yield from _gone(view)
    yield from _twins(view)
    yield from _protected_ids(view)
    yield from _framebuffer(view)


def _gone(view: View) -> Iterator[Finding]:
    """A plan may be older than the report."""
    for address, binding in view.bindings.items():
        if address not in view.node.at:
            text = f"The plan binds {address} ({binding.vendor_id}:{binding.device_id}), and it is not there any more."
            yield finding(NOT_FOUND, BLOCKER, address, text, [said(f"{DEVICES}/{address}", "no such directory")])


def _twins(view: View) -> Iterator[Finding]:
    if view.plan is None:
        return
    for address, binding in view.bindings.items():
        if not binding.twins or address not in view.node.at:
            continue
        identity = f"{binding.vendor_id}:{binding.device_id}"
        caught = [twin for twin in binding.twins if twin in view.configured and view.configured[twin].by_id]
        kept = ", ".join(caught or binding.twins)
        evidence = [id_said(view.node.at[one]) for one in (address, *binding.twins) if one in view.node.at]
        if caught:
            evidence += [view.configured[one].evidence for one in caught]
            text = f"{address} is wanted and {kept} with the same ID {identity} is not, but vfio-pci's ids take both."
            yield finding(TWINS, BLOCKER, address, text, evidence)
        else:
            how = "a unit binds it by its address" if binding.method == UNIT else binding.why
            text = f"{address} is wanted and {kept} with the same ID {identity} stays: {how}."
            remedy = other(NONE, "Nothing: the plan tells them apart.")
            yield finding(TWINS, NOTE, address, text, evidence, remedy=remedy)


def _protected_ids(view: View) -> Iterator[Finding]:
    by_id = {address: configured for address, configured in view.configured.items() if configured.by_id}
    stays = {part.function.address: part.reasons for part in view.assessed.functions} if by_id else {}
    for address, configured in by_id.items():
        function = view.node.at[address]
        reasons = [one for one in stays.get(address, ()) if one.code not in _ELSEWHERE]
        # What vfio-pci holds already is not what the host lives on.
        if not reasons or address in view.bound or is_bridge(function):
            continue
        text = f"vfio-pci's ids take {address} ({pci_id(function)}) at the next boot, and {reasons[0].text}."
        evidence = (id_said(function), configured.evidence, *reasons[0].evidence)
        on_line = configured.evidence.path == "proc/cmdline"
        remedy = render(KARGS, IDS_TAKE.remedy.text) if on_line else None
        yield finding(IDS_TAKE, BLOCKER, address, text, evidence, remedy=remedy)


def _framebuffer(view: View) -> Iterator[Finding]:
    firmware = data(view.report.firmware)
    if firmware is None:
        return
    asked = {refusal.address for refusal in view.refused} | {function.address for function in view.wanted}
    for display in firmware.console.displays:
        holder: PciAddress | None = display.function or firmware.console.boot_vga
        function = view.node.at.get(holder) if holder is not None and display.firmware else None
        if function is not None and function.address in asked:
            text = f"{display.name} ({display.driver}) draws on {function.address} and keeps its memory from vfio-pci."
            yield finding(FRAMEBUFFER, BLOCKER, function.address, text, _drawn(display.name, display.driver, function))
            return


def _drawn(name: str, driver: str | None, function: PciFunction) -> Iterator[Evidence]:
    base = "graphics" if name.startswith("fb") else "drm"
    yield said(
        f"sys/class/{base}/{name}/{'name' if base == 'graphics' else 'device/driver'}", driver or "a framebuffer"
    )
    if function.detail is not None and function.detail.boot_vga:
        yield said(file_of(function.address, "boot_vga"), "1")
