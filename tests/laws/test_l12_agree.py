"""L12: table, page, allocatable, metrics and check call each function and group the same, and each unmet request."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostagent.advice import advise
from hostagent.assess import WORDS, Assessment, GroupAssessment, assess
from hostagent.assess.iommu import why_off
from hostagent.assess.node import Node
from hostagent.cli.table.page import page as table
from hostagent.cli.table.paper import Paper
from hostagent.fit.allocatable import allocatable
from hostagent.fit.permitted import PermittedEntry
from hostagent.host.pci import PciFunction
from hostagent.publish.page import page
from hostagent.publish.prometheus import text
from hostagent.report import NodeReport
from hostagent.values.words import capital
from tests.laws.machines import machines, of
from tests.plan.machines import Machine

_WIDE = Paper(width=4000, colour=False, encoding="utf-8")
_SIGN = re.compile(r'<b class="sign [a-z-]+"><i aria-hidden="true">.</i> ([^<]+)</b>')
_KINDS = (("10de:1eb8", "030200"), ("8086:10d3", "020000"), ("8086:2934", "0c0300"), ("1b36:000c", "060400"))
_DRIVERS = (None, "vfio-pci", "e1000e", "pcieport", "xhci_hcd", "nvidia", "mlx5_vfio_pci")
_FUNCTION = st.tuples(
    st.sampled_from(_KINDS), st.sampled_from(_DRIVERS), st.integers(1, 4), st.booleans(), st.sampled_from(("0", "557"))
)
_DIRECT = "0x00000000e8000000 0x00000000e8ffffff direct\n"


def on_page(report: NodeReport) -> dict[int, str]:
    """Group to the word of its box; those folded behind one have its word."""
    found = {}
    for box in page(report).decode().split('<li class="box ')[1:]:
        number, sign = re.search(r"<h3>Group (\d+)</h3>", box), _SIGN.search(box)
        if number is not None:
            assert sign is not None
            found[int(number[1])] = sign[1]
            for other in re.findall(r"<li>(\d+) <code>", box.partition("</details>")[0]):
                found[int(other)] = sign[1]
    return found


def in_table(report: NodeReport, judged: Assessment) -> dict[int, str]:
    """Group to its word; those folded under one have its word."""
    words = sorted((word for word, _ in WORDS.values()), key=len, reverse=True)
    line = re.compile(rf"^ *(?:(\d+) ({'|'.join(words)})(?: |$)|⋮ (\d+) to (\d+):)")
    found: dict[int, str] = {}
    _, _, below = table(report, _WIDE).partition("IOMMU groups  ")
    word = ""
    for matched in filter(None, map(line.match, below.partition("\n\n")[0].splitlines())):
        if matched[1] is not None:
            word = matched[2]
            found[int(matched[1])] = word
        else:
            first, last = int(matched[3]), int(matched[4])
            found |= {one.group.number: word for one in judged.groups if first <= one.group.number <= last}
    return found


def agree(report: NodeReport) -> None:
    """All that is said of the groups of one report."""
    judged = assess(report)
    words = {one.group.number: WORDS[one.state][0] for one in judged.groups}
    assert on_page(report) == words
    assert in_table(report, judged) == words
    metrics = text(report).decode()
    for one in judged.groups:
        assert not (one.assignable and one.obstacle), one
        viable = f'hostagent_iommu_group_viable{{group="{one.group.number}"}} 0.0' not in metrics
        assert viable or one.blockers or _vgpu(one), one
    for part in judged.functions:
        offered(report, judged, part.function)
    asked_in_vain(report, judged)
    off = why_off(Node("node", report))
    assert judged.iommu_off == off
    if off is not None:
        assert f"off: {off}" in table(report, _WIDE)
        assert off in page(report).decode()


def asked_in_vain(report: NodeReport, judged: Assessment) -> None:
    """Each unmet request stands in table, page and check, in the same words; pages that nobody missed stand in none."""
    said = {one.sentence for one in advise(report)}
    for unmet in judged.unmet_pages:
        assert unmet.text in table(report, _WIDE)
        assert capital(unmet.text) in page(report).decode()
        assert f"{capital(unmet.text)}." in said
    assert {f"{capital(one.text)}." for one in judged.unmet_ids} <= said
    assert table(report, _WIDE).count("the command line asks for") == len(judged.unmet_pages)
    assert (" not heard" in table(report, _WIDE)) == bool(judged.unmet_ids)
    assert (", not heard" in page(report).decode()) == bool(judged.unmet_ids)


def _vgpu(group: GroupAssessment) -> bool:
    return any(part.function.driver == "nvidia" for part in group.functions)


def offered(report: NodeReport, judged: Assessment, function: PciFunction) -> None:
    """What KubeVirt would offer is usable where nothing is known against its group, and is called so."""
    selector = f"{function.vendor_id}:{function.device_id}"
    (resource,) = allocatable(report, (PermittedEntry(selector=selector, resource="example.com/a", external=False),))
    for device in resource.devices:
        group = judged.by_number.get(device.iommu_group)
        if group is not None:
            assert device.usable == (group.obstacle is None)
            assert group.obstacle is None or group.obstacle in resource.why
            assert WORDS[group.state][0] in ("vfio-bound", "blocked", "no IOMMU", "unknown"), group


@pytest.mark.parametrize("name", sorted(machines()))
def test_of_every_machine_at_hand(name: str) -> None:
    agree(of(machines()[name]))


@settings(max_examples=40)
@given(
    st.lists(_FUNCTION, max_size=7),
    st.sets(st.integers(1, 4)),
    st.sets(st.integers(1, 4), max_size=1),
    st.sampled_from((None, " 24:  0  PCI-MSI-0000:04:00.0  0-edge  vfio\n")),
    st.booleans(),
)
def test_of_machines_nobody_has(
    functions: list[tuple[tuple[str, str], str | None, int, bool, str]],
    direct: set[int],
    unsafe: set[int],
    interrupts: str | None,
    console: bool,  # noqa: FBT001 - drawn
) -> None:
    machine = Machine()
    for place, ((identity, cls), driver, group, routed, kind) in enumerate(functions):
        address = f"0000:{place + 1:02x}:00.0"
        shown = {"boot_vga": "1"} if console and cls == "030200" else {}
        machine.function(address, identity, cls, driver=driver, group=group, **shown)
        if driver == "e1000e":
            machine.nic(f"eno{place}", address, route=routed)
        if driver == "nvidia":
            machine.put({f"sys/devices/pci0000:00/{address}/nvidia/current_vgpu_type": f"{kind}\n"})
    made = {group for _, _, group, _, _ in functions}
    machine.put({f"sys/kernel/iommu_groups/{one}/reserved_regions": _DIRECT for one in direct & made})
    machine.put({f"sys/kernel/iommu_groups/{one}/name": "vfio-noiommu\n" for one in unsafe & made})
    machine.put({} if interrupts is None else {"proc/interrupts": interrupts})
    agree(machine.report())


_ARGUMENTS = st.sampled_from(
    ("hugepages=4", "hugepages=9", "hugepagesz=1G", "hugepagesz=2M", "hugepages=0:2,1:2", "hugepages=x",
     "default_hugepagesz=1G", "hugepagesz=3M", "vfio-pci.ids=10de:1eb8", "vfio-pci.ids=8086:10d3,10de:1eb8")
)  # fmt: skip
_OPTIONS = st.sampled_from(("options vfio-pci ids=10de:1eb8\n", "options vfio-pci ids=8086:10d3\n", ""))


@settings(max_examples=40)
@given(st.lists(_ARGUMENTS, max_size=6), _OPTIONS, st.sampled_from(("0", "4", "odd")), st.booleans())
def test_of_what_was_asked_of_the_kernel(words: list[str], options: str, there: str, built_in: bool) -> None:  # noqa: FBT001 - drawn
    machine = Machine()
    machine.put({"proc/cmdline": f"{' '.join(words)}\n", "etc/modprobe.d/vfio.conf": options})
    pools = ("sys/kernel/mm/hugepages/hugepages-2048kB", "sys/kernel/mm/hugepages/hugepages-1048576kB")
    machine.put({f"{pool}/nr_hugepages": f"{there}\n" for pool in pools})
    if built_in:
        machine.built_in("vfio-pci")
    agree(machine.report())


def test_many_groups_that_are_folded() -> None:
    machine = Machine()
    for number in range(1, 25):
        machine.function(f"0000:{number:02x}:00.0", "10de:1eb8", "030200", driver="vfio-pci", group=number)
    report = machine.report()
    agree(report)
    assert all(a < b for a, b in pairwise(sorted(on_page(report))))
    assert len(on_page(report)) == 24
