from __future__ import annotations

import pytest

from hostagent.assess.reasons import Evidence
from hostagent.plan import Plan
from hostagent.plan.model import Initramfs, Note, WatchdogPlan
from tests.plan.machines import Machine
from tests.plan.profiles import DEBIAN, planned, profile


def plan_of(body: str, *machines: Machine, platform: str = DEBIAN) -> Plan:
    return planned(profile(f"watchdog: {{{body}}}", platform), *machines)


def dog(machine: Machine, name: str, identity: str, driver: str | None, **attributes: str) -> Machine:
    base = f"sys/devices/platform/{name}.dev/watchdog/{name}"
    machine.put(
        {f"{base}/identity": f"{identity}\n"} | {f"{base}/{key}": f"{value}\n" for key, value in attributes.items()}
    )
    machine.links[f"sys/class/watchdog/{name}"] = f"../../{base.removeprefix('sys/')}"
    if driver is not None:
        machine.links[f"{base}/device"] = f"../../../{name}.dev"
        machine.links[f"sys/devices/platform/{name}.dev/driver"] = f"../../../bus/platform/drivers/{driver}"
    return machine


def itco(machine: Machine | None = None, name: str = "watchdog0") -> Machine:
    return dog(machine or Machine(), name, "iTCO_wdt", "iTCO_wdt", min_timeout="2", max_timeout="614")


def soft(machine: Machine | None = None, name: str = "watchdog0") -> Machine:
    return dog(machine or Machine(), name, "Software Watchdog", None, min_timeout="1", max_timeout="65535")


def with_card(driver: str | None = None) -> Machine:
    return Machine().function("0000:00:05.0", "8086:25ab", "088000", driver=driver)


def watch(device: str, runtime: int, reboot: int, module: str | None, keeper: str = "systemd") -> WatchdogPlan:
    return WatchdogPlan(device=device, runtime_timeout=runtime, reboot_timeout=reboot, module=module, keeper=keeper)


def test_not_asked_for() -> None:
    assert planned(profile(), itco()).watchdog is None
    assert planned(profile("watchdog: {}")).watchdog is None


def test_the_first_that_is_hardware() -> None:
    found = plan_of("", itco(soft(), "watchdog1"))
    assert found.watchdog == watch("/dev/watchdog1", 30, 600, None)
    assert (found.refused, found.notes, found.modules_load) == ((), (), ())


def test_what_was_asked() -> None:
    body = "device: /dev/watchdog0, runtimeTimeout: 1min, rebootTimeout: 5min, module: softdog, keeper: watchdog"
    found = plan_of(body, itco(soft(), "watchdog1"))
    assert found.watchdog == watch("/dev/watchdog0", 60, 300, "softdog", "watchdog")
    assert found.modules_load == ("softdog",)
    assert found.initramfs == Initramfs(kind="initramfs-tools", modules=("softdog",))


def test_a_card_whose_driver_is_not_loaded_and_the_same_loaded() -> None:
    before = plan_of("", with_card())
    assert before.watchdog == watch("/dev/watchdog0", 30, 600, "i6300esb")
    text = "/dev/watchdog0 is a guess while i6300esb is not loaded"
    assert before.notes == (Note(code="watchdog-number", node="a", subject="/dev/watchdog0", text=text),)
    after = plan_of(
        "", dog(with_card("i6300esb"), "watchdog0", "i6300ESB timer", "i6300esb", min_timeout="1", max_timeout="2046")
    )
    assert after.watchdog == before.watchdog
    assert after.notes == ()


def test_a_card_whose_driver_is_built_in() -> None:
    machine = dog(with_card("i6300esb"), "watchdog0", "i6300ESB timer", "i6300esb").built_in("i6300esb")
    assert plan_of("", machine).watchdog == watch("/dev/watchdog0", 30, 600, None)


def test_a_card_that_another_driver_has() -> None:
    notes = plan_of("", with_card("vfio-pci")).notes
    assert [note.code for note in notes] == ["watchdog-driver", "watchdog-number"]
    assert notes[0].text == "vfio-pci has 0000:00:05.0, see sys/bus/pci/devices/0000:00:05.0/driver"


@pytest.mark.parametrize(
    ("body", "machine", "expected", "there"),
    [
        ("", Machine(), "expected watchdog.module to name a driver", "none"),
        ("", soft(), "expected watchdog.module to name a driver", "watchdog0"),
        ("device: /dev/watchdog7", itco(), "expected /dev/watchdog7", "watchdog0"),
        ("module: i6300esb", itco(), "expected i6300esb", "watchdog0"),
    ],
)
def test_none_such(body: str, machine: Machine, expected: str, there: str) -> None:
    (refusal,) = plan_of(body, machine).refused
    assert (refusal.entry, refusal.reason.code) == ("watchdog", "no-watchdog")
    assert refusal.reason.text == f"it has no such hardware watchdog: {expected}"
    assert refusal.reason.evidence == (Evidence(path="sys/class/watchdog", said=there),)


@pytest.mark.parametrize(
    ("body", "entry", "text", "name", "limit"),
    [
        (
            "runtimeTimeout: 1",
            "runtimeTimeout",
            "1s is not among the 2s to 614s this watchdog can count",
            "min_timeout",
            "2",
        ),
        (
            "rebootTimeout: 1h",
            "rebootTimeout",
            "3600s is not among the 2s to 614s this watchdog can count",
            "max_timeout",
            "614",
        ),
    ],
)
def test_timeouts_it_cannot_count(body: str, entry: str, text: str, name: str, limit: str) -> None:
    (refusal,) = plan_of(body, itco()).refused
    assert (refusal.entry, refusal.reason.text) == (f"watchdog.{entry}", text)
    assert refusal.reason.evidence == (Evidence(path=f"sys/class/watchdog/watchdog0/{name}", said=limit),)


def test_no_limit_is_none() -> None:
    machine = dog(Machine(), "watchdog0", "hpwdt", "hpwdt", min_timeout="40", max_timeout="0")
    (refusal,) = plan_of("runtimeTimeout: 39, rebootTimeout: 500h", machine).refused
    assert refusal.reason.text == "39s is not among the 40s to any time this watchdog can count"


def test_defaults_give_way_to_the_hardware() -> None:
    short = dog(Machine(), "watchdog0", "short", "short_wdt", min_timeout="1", max_timeout="300")
    assert plan_of("", short, itco()).watchdog == watch("/dev/watchdog0", 30, 300, None)
    slow = dog(Machine(), "watchdog0", "slow", "slow_wdt", min_timeout="60", max_timeout="0")
    assert plan_of("", slow).watchdog == watch("/dev/watchdog0", 60, 600, None)


def test_nodes_whose_watchdog_has_another_number() -> None:
    found = plan_of("", itco(), itco(), itco(soft(), "watchdog1"))
    assert found.watchdog == watch("/dev/watchdog0", 30, 600, None)
    (refusal,) = found.refused
    assert (refusal.node, refusal.entry) == ("c", "watchdog.device")
    assert refusal.reason.text == "its watchdog is /dev/watchdog1, that of other nodes /dev/watchdog0"
    said = Evidence(path="sys/class/watchdog/watchdog1/identity", said="iTCO_wdt")
    assert refusal.reason.evidence == (said,)


def test_somebody_else_has_it_open() -> None:
    held = itco().put({"holders.json": '[["/dev/watchdog0", "sbd"]]'})
    text = "sbd has it open; only one can: it has to give way to systemd"
    assert plan_of("", held).notes == (Note(code="watchdog-held", node="a", subject="/dev/watchdog0", text=text),)
    assert plan_of("", itco().put({"holders.json": '[["/dev/watchdog0", "systemd"]]'})).notes == ()
