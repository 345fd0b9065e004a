"""Laws of planning, over generated machines.

What a plan does is worked out here anew, from its ids and units and the rules of the kernel, and compared with what it says it
does: on every node exactly the bindings are taken, and never anything the machine lives on.
"""

from __future__ import annotations

from functools import cache
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hostagent.plan import Plan, plan, ready
from hostagent.plan.model import UNIT
from hostagent.profile import Profile
from hostagent.report import NodeReport
from hostagent.values.record import replaced
from hostagent.values.vfio import takes
from tests.plan.machines import Machine
from tests.plan.profiles import DEBIAN, devices

# What a slot holds: (id, class, driver, subsystem), and what the host does with it. Few of each, so that equal ones meet.
_CARDS = (
    ("10de:1eb8", "030200", None, "10de:12a2"),
    ("10de:1eb8", "030200", "nouveau", "10de:12a3"),
    ("8086:10d3", "020000", "e1000e", "8086:0001"),
    ("8086:10d3", "020000", "e1000e", "8086:0002"),
    ("1b36:0010", "010802", "nvme", "1af4:1100"),
    ("10de:10f8", "040300", "snd_hda_intel", "10de:12a2"),
    ("8086:244e", "060401", "pcieport", "0000:0000"),
    ("8086:2930", "0c0500", None, "8086:0001"),
)
_USES = ("free", "free", "free", "root", "swap", "route", "bond", "console", "vfs")
# What may be done with a card of a class: a NIC holds no root.
_FITTING = {"root": "01", "swap": "01", "route": "02", "bond": "02", "console": "03", "vfs": "02"}

Slot = tuple[int, str, int | None]
slots = st.lists(
    st.tuples(st.integers(0, len(_CARDS) - 1), st.sampled_from(_USES), st.one_of(st.none(), st.integers(0, 3))),
    min_size=1,
    max_size=6,
).map(tuple)
entries = st.lists(
    st.sampled_from(
        (
            "id: 10de:1eb8", "id: 10de:1eb8, subsystem: 10de:12a2", "id: 10de:1eb8, count: 1", "id: 8086:10d3",
            "id: 8086:10d3, count: 1", "id: 8086:10d3, nodes: [a]", "class: 03", "class: 0108", "class: 06",
            "address: 0000:00:01.0", "address: [0000:00:02.0, 0000:00:03.0]", "address: 0000:00:01.0, nodes: [b]",
            "class: 04, companions: false", "class: 0c",
        )
    ),
    max_size=3,
    unique=True,
)  # fmt: skip
platforms = st.sampled_from((DEBIAN, "{name: openshift, version: 4.20}"))
translation = st.sampled_from(("translated", "no IOMMU yet"))
fleets = st.lists(slots, min_size=1, max_size=3)


def address(number: int) -> str:
    return f"0000:00:{number + 1:02x}.0"


def used(slot: Slot) -> bool:
    kind, use, _ = slot
    return use != "free" and _CARDS[kind][1].startswith(_FITTING[use])


@cache
def machine(found: tuple[Slot, ...], *, translated: bool, applied: Plan | None = None) -> NodeReport:
    """A machine of these slots, booted with what a plan says if one was `applied`."""
    built = Machine().link("bond0")
    moved = {} if applied is None else {str(one.address): one.method for one in applied.bindings}
    if applied is not None:
        lines = [f"softdep {one.module} pre: vfio-pci\n" for one in applied.vfio.softdeps]
        built.put({"etc/modprobe.d/vfio.conf": "".join(lines)})
    for number, (kind, use, group) in enumerate(found):
        identity, cls, driver, subsystem = _CARDS[kind]
        at, mine = address(number), use if used((kind, use, group)) else "free"
        vfs = {"sriov_totalvfs": "4", "sriov_numvfs": "2"} if mine == "vfs" else {}
        shown = {"boot_vga": "1" if mine == "console" else "0"} if cls.startswith("03") else {}
        driver = "vfio-pci" if at in moved else driver
        shown |= {"driver_override": "vfio-pci"} if moved.get(at) == UNIT else {}
        number_of_group = (group if group is not None else 10 + number) if translated else None
        built.function(at, identity, cls, driver=driver, group=number_of_group, subsystem=subsystem, **vfs, **shown)
        if mine in ("root", "swap"):
            built.disk(f"nvme{number}n1", at, on=f"/mnt/{number}" if mine == "root" else None, swap=mine == "swap")
        if mine in ("route", "bond"):
            built.nic(f"eth{number}", at, route=mine == "route", master="bond0" if mine == "bond" else None)
    return built.report()


def reports(fleet: list[tuple[Slot, ...]], *, translated: bool) -> tuple[tuple[str, NodeReport], ...]:
    return tuple((chr(ord("a") + number), machine(found, translated=translated)) for number, found in enumerate(fleet))


def forbidden(found: tuple[Slot, ...], *, translated: bool) -> set[str]:
    """What may not be taken, by the machine's own design: what is used, what is machinery, and who shares a group with it."""
    never = {number for number, slot in enumerate(found) if used(slot) or _CARDS[slot[0]][1].startswith(("06", "0c05"))}
    keepers = {found[number][2] for number in never if not _CARDS[found[number][0]][1].startswith("06")}
    shared = {number for number, slot in enumerate(found) if translated and slot[2] is not None and slot[2] in keepers}
    return {address(number) for number in never | shared}


def effect(found: Plan, name: str, report: NodeReport) -> set[str]:
    """What the ids and units of a plan would take on a node, whether they were meant for it or not."""
    assert report.pci is not None
    assert report.pci.data is not None
    taken = set()
    for function in report.pci.data.functions:
        ids = {
            "vendor_id": function.vendor_id,
            "device_id": function.device_id,
            "subsystem_vendor_id": function.subsystem_vendor_id,
            "subsystem_device_id": function.subsystem_device_id,
        }
        # The driver refuses bridges itself; a plan must not rely on it.
        by_id = any(takes(text, class_id=function.class_id, **ids) for text in found.vfio.ids)  # type: ignore[arg-type]
        by_unit = any(
            unit.address == function.address
            and any(
                (one.vendor_id, one.device_id) == (function.vendor_id, function.device_id) for one in unit.identities
            )
            and any(one.subsystem_device_id == function.subsystem_device_id for one in unit.identities)
            for unit in found.vfio.units
        )
        if by_id or by_unit:
            taken.add(str(function.address))
    return taken


@settings(max_examples=150, deadline=None)
@given(fleets, entries, platforms, translation)
def test_what_is_taken_is_what_was_said_and_never_what_the_machine_lives_on(
    fleet: list[tuple[Slot, ...]], asked: list[str], platform: str, how: str
) -> None:
    translated = how == "translated"
    given_reports = reports(fleet, translated=translated)
    found = plan(given_reports, devices(*asked, platform=platform))
    refused_here = {(one.node, one.address) for one in found.refused if one.reason.code == "stays-here"}
    for (name, report), design in zip(given_reports, fleet, strict=True):
        bound = {str(one.address) for one in found.bindings if one.node == name}
        never = forbidden(design, translated=translated)
        assert not bound & never
        # A unit that would take a stranger is refused, with that node's name, or the stranger was refused itself.
        excess = effect(found, name, report) - bound
        assert excess <= {str(place) for node, place in refused_here if node == name} | {
            str(one.address) for one in found.refused if one.node == name
        }
        if not found.refused:
            assert effect(found, name, report) == bound
        assert not {one for one in found.vfio.ids if any(_takes_one_of(one, report, never))}


def _takes_one_of(text: str, report: NodeReport, never: set[str]) -> list[bool]:
    assert report.pci is not None
    assert report.pci.data is not None
    return [
        takes(
            text,
            vendor_id=function.vendor_id,
            device_id=function.device_id,
            subsystem_vendor_id=function.subsystem_vendor_id,
            subsystem_device_id=function.subsystem_device_id,
            class_id=function.class_id,
        )
        for function in report.pci.data.functions
        if function.address in never
    ]


@settings(max_examples=60, deadline=None)
@given(fleets, entries, platforms, st.randoms(use_true_random=False))
def test_order_does_not_matter(fleet: list[tuple[Slot, ...]], asked: list[str], platform: str, random: Random) -> None:
    given_reports = list(reports(fleet, translated=True))
    wishes = devices(*asked, platform=platform)
    expected = plan(tuple(given_reports), wishes)
    random.shuffle(given_reports)
    mixed = tuple((name, _shuffled(report, random)) for name, report in given_reports)
    assert plan(mixed, wishes) == expected


def _shuffled(report: NodeReport, random: Random) -> NodeReport:
    """The same facts with their lists turned around."""
    assert report.iommu is not None
    assert report.iommu.data is not None
    groups = list(report.iommu.data.groups)
    random.shuffle(groups)
    return replaced(report, iommu=replaced(report.iommu, data=replaced(report.iommu.data, groups=tuple(groups))))


@settings(max_examples=60, deadline=None)
@given(slots, entries, platforms)
def test_the_plan_after_the_reboot_is_the_plan_before_it(
    found: tuple[Slot, ...], asked: list[str], platform: str
) -> None:
    wishes: Profile = devices(*asked, platform=platform)
    before = plan((("a", machine(found, translated=True)),), wishes)
    assume(ready(before))
    after = plan((("a", machine(found, translated=True, applied=before)),), wishes)
    for name in ("kernel_arguments", "vfio", "modules_load", "module_options", "initramfs", "permitted", "refused"):
        assert getattr(after, name) == getattr(before, name), name
    assert [replaced(one, driver=None) for one in after.bindings] == [
        replaced(one, driver=None) for one in before.bindings
    ]
