"""Advice over whole machines: it never fails, says only what is declared, and says it in one order."""

from __future__ import annotations

import pytest

from hostagent.advice import CODES, SEVERITIES, TOPICS, Finding, Remedy, advise
from hostagent.advice.model import REMEDIES, RENDER
from hostagent.assess.reasons import Evidence
from hostagent.host import Host
from hostagent.plan import plan
from hostagent.render.targets import TARGETS
from hostagent.report import AREAS, survey
from hostagent.values.record import replaced
from tests.advice.cases import CASES, off
from tests.advice.hosts import host, of, told
from tests.plan.machines import NIC, NVME, T4, worker
from tests.plan.profiles import devices, planned, profile
from tests.roots import roots

EVERYTHING = profile(
    f"""\
devices: [{{id: '{T4}', resourceName: nvidia.com/T4}}, {{class: '03'}}, {{id: '{NIC}', count: 1}}, {{id: '{NVME}'}}]
iommu: {{mode: pt, documentedArguments: true}}
hugepages: {{pools: [{{size: 1G, count: 4}}, {{size: 2M, count: 64, node: 0}}]}}
watchdog: {{}}
nestedVirtualization: true
"""
)


def sound(findings: tuple[Finding, ...]) -> bool:
    """What holds of every list of findings."""
    ranks = [SEVERITIES.index(one.severity) for one in findings]
    return ranks == sorted(ranks) and all(_sound(one) for one in findings)


def _sound(one: Finding) -> bool:
    known = one.code in CODES and one.remedy.kind in REMEDIES
    rendered = (one.remedy.target in TARGETS) if one.remedy.kind == RENDER else one.remedy.target is None
    paths = bool(one.evidence) and all(said.path and said.said and said.path[0] != "/" for said in one.evidence)
    words = one.subject and one.sentence.endswith(".") and "\n" not in one.sentence and one.remedy.text
    return bool(known and rendered and paths and words)


@pytest.mark.parametrize("root", roots())
def test_every_machine_at_hand(root: str) -> None:
    report = survey(Host(root, thorough=True))
    assert sound(advise(report))
    assert sound(advise(report, plan((("a", report),), EVERYTHING)))


def test_every_case() -> None:
    assert all(sound(case.findings()) for case in CASES)


@pytest.mark.parametrize("area", AREAS)
def test_a_report_without_an_area(area: str) -> None:
    report = replaced(worker().report(), **{area: None})
    assert sound(advise(report))
    made = plan((("a", report),), EVERYTHING)
    assert sound(advise(report, made))
    # A plan made while the area could be read.
    assert sound(advise(report, planned(EVERYTHING, worker())))


def test_a_device_that_went_away_after_the_plan_was_made() -> None:
    wishes = devices(f"id: '{T4}'")
    made = planned(wishes, worker())
    found = told(advise(worker().without("sys/bus/pci/devices/0000:05:00.0").report(), made))
    assert ("BLOCKER", "device-not-found", "0000:05:00.0") in found


def test_the_device_the_machine_lives_on_is_refused_with_the_way_down_to_it() -> None:
    found = of(worker().put({"proc/cmdline": "intel_iommu=on\n"}), devices(f"id: '{NVME}'"))
    assert next(one for one in found if one.code == "protected-device") == Finding(
        code="protected-device",
        severity="BLOCKER",
        subject="0000:03:00.0",
        sentence="0000:03:00.0 (devices[0]): it carries /, nvme0n1.",
        evidence=(Evidence(path="proc/1/mountinfo", said="/ on nvme0n1 on 0000:03:00.0"),),
        remedy=CODES["protected-device"].remedy,
    )


def test_the_nic_with_the_default_route_is_refused_with_the_route() -> None:
    found = of(worker(), devices("address: '0000:01:00.0'"))
    (one,) = [one for one in found if one.code == "protected-device"]
    assert one.sentence == "0000:01:00.0 (devices[0]): it carries eno1: default route."
    assert one.evidence == (Evidence(path="proc/net/route", said="default route through eno1"),)


def test_each_cause_of_no_iommu_has_its_proof() -> None:
    (one,) = of(off(proc__cmdline="quiet intel_iommu=off\n"))
    assert one == Finding(
        code="iommu-off-by-argument",
        severity="BLOCKER",
        subject="iommu",
        sentence="No IOMMU: intel_iommu=off on the kernel command line switches it off.",
        evidence=(
            Evidence(path="sys/class/iommu", said="empty"),
            Evidence(path="sys/firmware/acpi/tables/DMAR", said="is there"),
            Evidence(path="proc/cmdline", said="intel_iommu=off"),
        ),
        remedy=Remedy(
            kind="render",
            target="kargs",
            text="Take the argument away, give those that `hostagent render kargs` prints, and reboot.",
        ),
    )


def test_of_nothing_nothing_is_said() -> None:
    nothing = survey(Host("/"), frozenset())
    assert advise(nothing) == ()


def test_the_order_of_reports_does_not_matter() -> None:
    reports = (("b", worker().report()), ("a", worker().function("0000:09:00.0", T4, "030200").report()))
    one, two = plan(reports, EVERYTHING), plan(reports[::-1], EVERYTHING)
    for name, report in reports:
        assert advise(report, one, node=name) == advise(report, two, node=name)


def test_the_gravest_comes_first_and_addresses_in_order() -> None:
    found = told(of(worker(), EVERYTHING))
    assert [severity for severity, _, _ in found] == sorted(
        (severity for severity, _, _ in found), key=SEVERITIES.index
    )
    addresses = [subject for _, code, subject in found if code == "binding-not-configured"]
    assert addresses == sorted(addresses)
    assert len(addresses) > 1


def test_codes_are_words_and_declared_once() -> None:
    declared = [code for topic in TOPICS for code in topic.codes]
    assert len(declared) == len(CODES)
    for code in declared:
        assert code.name == code.name.lower()
        assert set(code.name) <= set("abcdefghijklmnopqrstuvwxyz-")
        assert all(text.endswith(".") for text in (code.cause, code.proof, code.remedy.text))
        assert not code.title.endswith(".")
        assert (code.remedy.target in TARGETS) == (code.remedy.kind == RENDER)


@pytest.mark.parametrize(
    ("unsafe", "sentence"),
    [
        ("N", "The IOMMU is on, and interrupts are not remapped: VFIO gives no device away."),
        ("Y", "The IOMMU is on, and interrupts are not remapped, which VFIO is told to do without."),
    ],
)
def test_vfio_that_was_told_to_do_without_remapping_does(unsafe: str, sentence: str) -> None:
    machine = host().put({"proc/interrupts": " 24:  0  PCI-MSI-0000:04:00.0  0-edge  eno1\n"})
    machine.put({"sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts": f"{unsafe}\n"})
    found = [one.sentence for one in of(machine) if one.code == "no-interrupt-remapping"]
    assert found == [sentence]
