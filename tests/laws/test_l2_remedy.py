"""Law L2: a remedy remedies. What is rendered is put into a copy of the machine, and its finding is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostagent.advice import BLOCKER, Finding, advise
from hostagent.advice.model import REBOOT, RENDER
from hostagent.plan import Plan, ready
from hostagent.profile import Profile
from hostagent.values.record import record
from tests.advice.cases import card, off, two_nics
from tests.advice.hosts import LOADED, RESET, host, vfio
from tests.laws.boot import booted, put
from tests.plan.machines import NIC, T4, T4_CLASS, Machine, worker
from tests.plan.profiles import DEBIAN, devices, planned, profile

EVERYTHING = ("modprobe", "modules-load", "systemd", "kargs")
T4S = devices(f"id: '{T4}', resourceName: nvidia.com/T4", platform=DEBIAN)
NIC_BY_ADDRESS = devices("address: '0000:02:00.0'", platform=DEBIAN)
POOLS = "hugepages: {pools: [{size: 1G, count: 2}, {size: 2M, count: 8, node: 0}]}"


@record
class Ill:
    """A machine, what is wanted of it, the finding it has, and whether that takes a boot to go."""

    code: str
    machine: Callable[[], Machine]
    wishes: Profile
    boot: bool


def built_in() -> Machine:
    return card(driver=None).put(vfio(T4)).built_in("vfio-pci")


def repeated() -> Machine:
    line = "intel_iommu=on hugepagesz=2M hugepages=4 hugepagesz=2M hugepages=8\n"
    return host().put({"proc/cmdline": line})


ILLS = (
    Ill(code="iommu-not-enabled", machine=lambda: off().function("0000:04:00.0", T4, T4_CLASS), wishes=T4S, boot=True),
    Ill(
        code="iommu-off-by-argument",
        machine=lambda: off(proc__cmdline="intel_iommu=off\n").function("0000:04:00.0", T4, T4_CLASS),
        wishes=T4S,
        boot=True,
    ),
    Ill(code="binding-not-configured", machine=lambda: card(driver="nouveau"), wishes=T4S, boot=False),
    Ill(code="binding-not-configured", machine=two_nics, wishes=NIC_BY_ADDRESS, boot=False),
    Ill(code="binding-not-configured", machine=lambda: card(driver=None).built_in("vfio-pci"), wishes=T4S, boot=False),
    Ill(code="bound-until-reboot", machine=card, wishes=T4S, boot=False),
    Ill(code="bound-until-reboot", machine=lambda: two_nics("vfio-pci"), wishes=NIC_BY_ADDRESS, boot=False),
    Ill(
        code="driver-wins-race",
        machine=lambda: card(driver="nouveau").put({**vfio(T4), "proc/modules": LOADED}),
        wishes=T4S,
        boot=False,
    ),
    Ill(
        code="vfio-pci-not-loaded-at-boot",
        machine=lambda: card().put({"etc/modprobe.d/vfio.conf": f"options vfio-pci ids={T4}\n"}),
        wishes=T4S,
        boot=False,
    ),
    Ill(code="ids-not-heard-by-built-in-vfio-pci", machine=built_in, wishes=T4S, boot=False),
    Ill(
        code="identical-devices-partly-wanted",
        machine=lambda: two_nics().put(vfio(f"{NIC},{T4}", "e1000e")).function("0000:04:00.0", T4, T4_CLASS),
        wishes=devices("address: '0000:02:00.0'", f"id: '{T4}'", platform=DEBIAN),
        boot=False,
    ),
    Ill(
        code="ids-take-protected-device",
        machine=lambda: two_nics().put(vfio(f"{NIC},{T4}", "e1000e")).function("0000:04:00.0", T4, T4_CLASS),
        wishes=devices("address: '0000:02:00.0'", f"id: '{T4}'", platform=DEBIAN),
        boot=False,
    ),
    Ill(
        code="bound-but-not-asked-for",
        machine=lambda: card(driver=None).put(vfio(f"{T4},8086:1234")).function("0000:05:00.0", "8086:1234", "120000"),
        wishes=T4S,
        boot=False,
    ),
    Ill(code="kernel-arguments-missing", machine=host, wishes=profile("iommu: {mode: pt}", DEBIAN), boot=False),
    Ill(
        code="kernel-arguments-contrary",
        machine=lambda: host().put({"proc/cmdline": "intel_iommu=on iommu=pt\n"}),
        wishes=profile("iommu: {mode: on}", DEBIAN),
        boot=False,
    ),
    Ill(code="hugepages-short", machine=host, wishes=profile(POOLS, DEBIAN), boot=True),
    Ill(
        code="hugepages-repeated",
        machine=repeated,
        wishes=profile("hugepages: {pools: [{size: 2M, count: 8}]}", DEBIAN),
        boot=False,
    ),
    Ill(
        code="nested-off",
        machine=lambda: host().put({"sys/module/kvm_intel/parameters/nested": "N\n"}),
        wishes=profile("nestedVirtualization: true", DEBIAN),
        boot=True,
    ),
    Ill(code="nested-on", machine=host, wishes=profile("nestedVirtualization: false", DEBIAN), boot=True),
    Ill(code="watchdog-not-kept", machine=host, wishes=profile("watchdog: {}", DEBIAN), boot=True),
)


def of(machine: Machine, made: Plan) -> tuple[Finding, ...]:
    return advise(machine.report(), made)


@pytest.mark.parametrize("ill", ILLS, ids=lambda ill: str(ill.code))
def test_the_rendered_file_named_makes_the_finding_go(ill: Ill) -> None:
    before = ill.machine()
    made = planned(ill.wishes, before)
    mine = [one for one in of(before, made) if one.code == ill.code and one.remedy.kind == RENDER]
    assert mine, "the machine has to have what is to be remedied"
    targets = sorted({one.remedy.target for one in mine if one.remedy.target is not None})
    after = put(before, made, *targets)
    after = booted(after) if ill.boot else after
    left = [one for one in of(after, made) if one.code == ill.code and one.remedy.kind in (RENDER, REBOOT)]
    assert left == []


@pytest.mark.parametrize("ill", ILLS, ids=lambda ill: str(ill.code))
def test_everything_rendered_and_a_boot_leave_no_blocker(ill: Ill) -> None:
    before = ill.machine()
    made = planned(ill.wishes, before)
    after = booted(put(before, made, *EVERYTHING))
    assert [one for one in of(after, made) if one.severity == BLOCKER] == []
    # And the plan made of the machine it led to asks for nothing else.
    assert [one for one in of(after, planned(ill.wishes, after)) if one.severity == BLOCKER] == []


def test_what_waits_for_a_boot_says_so() -> None:
    before = card(driver="nouveau")
    made = planned(T4S, before)
    after = put(before, made, *EVERYTHING)
    assert [(one.code, one.remedy.kind) for one in of(after, made)] == [
        ("configured-not-bound", REBOOT),
        ("reboot-needed", REBOOT),
    ]
    assert of(booted(after), made) == ()


def plain_worker() -> Machine:
    """The worker that plans are tested with, ready but for what is asked; a device more that has no driver."""
    machine = worker().put(host().files | {"proc/cmdline": "quiet\n"})
    machine.links |= {path: to for path, to in host().links.items() if path not in machine.links}
    return machine.function("0000:08:00.0", "8086:1234", "120000", group=17, **RESET)


@settings(max_examples=60)
@given(
    chosen=st.sets(st.sampled_from(range(4, 9)), min_size=1),
    by_id=st.booleans(),
    platform=st.sampled_from((DEBIAN, "{name: openshift, version: 4.20}", "{name: rhel, version: 9}")),
)
def test_generated_profiles_are_ready_after_a_boot(chosen: set[int], by_id: bool, platform: str) -> None:  # noqa: FBT001
    before = plain_worker()
    ids = {4: T4, 5: T4, 6: "1a03:2000", 7: "10de:1e84", 8: "8086:1234"}
    entries = {f"id: '{ids[one]}'" if by_id else f"address: '0000:0{one}:00.0'" for one in chosen}
    wishes = devices(*sorted(entries), platform=platform)
    made = planned(wishes, before)
    findings = of(before, made)
    if not ready(made):
        assert any(one.severity == BLOCKER and one.remedy.kind != RENDER for one in findings)
        return
    assert any(one.code == "binding-not-configured" for one in findings)
    after = booted(put(before, made, *EVERYTHING))
    assert [one for one in of(after, made) if one.severity == BLOCKER] == []
