from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.area import LabelOptions
from hostagent.areas.watchdog import Watchdog, labels, probe, samples
from hostagent.host import Host
from hostagent.host.problem import MALFORMED
from hostagent.host.systemd import SystemdSetting
from hostagent.host.watchdogs import BITS, WatchdogDevice, words
from hostagent.values.pci import PciAddress
from hostagent.values.record import record_fields, replaced
from tests.plant import pci_function, plant, reader

OPTIONS = LabelOptions(pci_classes=(), cpu_features=())
NOTHING = WatchdogDevice(
    **dict.fromkeys(record_fields(WatchdogDevice))
    | {"name": "watchdog0", "pretimeout_governors": (), "boot_causes": (), "features": ()}  # type: ignore[arg-type]
)
ITCO = "sys/devices/pci0000:00/0000:00:1f.0/iTCO_wdt.1.auto/watchdog/watchdog1"


def attributes(path: str, **values: object) -> dict[str, str]:
    return {f"{path}/{name}": f"{value}\n" for name, value in values.items()}


def two_of_a_q35(root: Path) -> Path:
    """i6300esb, which gives its watchdog no parent, and iTCO_wdt below the LPC bridge."""
    files = pci_function("0000:00:05.0", id="8086:25AB", cls="88000", driver="i6300ESB timer")
    files |= attributes(
        "sys/devices/virtual/watchdog/watchdog0",
        identity="i6300ESB timer", state="inactive", timeout=30, bootstatus=0, status="0x200", options="0x8180", nowayout=0,
        min_timeout=1, max_timeout=2046, fw_version=0, dev="245:0", pretimeout=0, pretimeout_governor="",
    )  # fmt: skip
    files |= attributes(
        ITCO,
        identity="iTCO_wdt", state="active", timeout=60, bootstatus=0x21, status="0x8100", options="0x8380", nowayout=1,
        min_timeout=0, max_timeout=0, fw_version=6, dev="245:1", pretimeout=10, pretimeout_governor="panic",
        pretimeout_available_governors="noop panic", timeleft=47,
    )  # fmt: skip
    links = {
        "sys/class/watchdog/watchdog0": "../../devices/virtual/watchdog/watchdog0",
        "sys/class/watchdog/watchdog1": f"../../{ITCO.removeprefix('sys/')}",
        f"{ITCO}/device": "../../../iTCO_wdt.1.auto",
        "sys/devices/pci0000:00/0000:00:1f.0/iTCO_wdt.1.auto/driver": "../../../../bus/platform/drivers/iTCO_wdt",
    }
    return plant(root, files, links)


def test_every_attribute(tmp_path: Path) -> None:
    seen = reader(two_of_a_q35(tmp_path))
    i6300esb = WatchdogDevice(
        name="watchdog0",
        identity="i6300ESB timer",
        state="inactive",
        timeout=30,
        driver="i6300esb",
        device="245:0",
        hardware=True,
        function=PciAddress("0000:00:05.0"),
        min_timeout=1,
        max_timeout=2046,
        pretimeout=0,
        pretimeout_governor=None,
        pretimeout_governors=(),
        nowayout=False,
        status=0x200,
        bootstatus=0,
        boot_causes=(),
        options=0x8180,
        features=("set-timeout", "magic-close", "keepalive-ping"),
        fw_version=0,
        access_cs0=None,
        held_by=None,
    )
    itco = replaced(
        i6300esb,
        name="watchdog1",
        identity="iTCO_wdt",
        state="active",
        timeout=60,
        driver="iTCO_wdt",
        device="245:1",
        function=PciAddress("0000:00:1f.0"),
        min_timeout=0,
        max_timeout=0,
        pretimeout=10,
        pretimeout_governor="panic",
        pretimeout_governors=("noop", "panic"),
        nowayout=True,
        status=0x100,  # without 0x8000: a ping since the last look
        bootstatus=0x21,
        boot_causes=("overheat", "card-reset"),
        options=0x8380,
        features=("set-timeout", "magic-close", "pretimeout", "keepalive-ping"),
        fw_version=6,
    )
    assert probe(seen) == Watchdog(devices=(i6300esb, itco), systemd=())
    assert seen.problems == []


def test_the_time_left_is_not_read(tmp_path: Path) -> None:
    host = Host(str(two_of_a_q35(tmp_path)))
    probe(host.reader())
    assert [path for _, path in host.memory if "timeleft" in path or path.startswith("dev/")] == []


def test_a_watchdog_without_attributes_is_one(tmp_path: Path) -> None:
    seen = reader(plant(tmp_path, {}, directories=("sys/class/watchdog/watchdog0",)))
    watchdog = probe(seen)
    assert (watchdog, seen.problems) == (Watchdog(devices=(NOTHING,), systemd=()), [])
    assert list(labels(watchdog, OPTIONS)) == [("watchdog.present", "true")]
    assert [(sample.metric.name, sample.labels) for sample in samples(watchdog)] == [
        ("hostagent_watchdog_info", ("watchdog0", "", ""))
    ]


def test_numbers_order_watchdogs(tmp_path: Path) -> None:
    names = [f"watchdog{number}" for number in range(12)]
    root = plant(tmp_path, {}, directories=tuple(f"sys/class/watchdog/{name}" for name in names))
    assert [device.name for device in probe(reader(root)).devices] == names


def test_softdog_is_no_hardware_and_aspeed_has_a_second_flash(tmp_path: Path) -> None:
    files = attributes("sys/class/watchdog/watchdog0", identity="Software Watchdog", access_cs0=1, bootstatus=0)
    watchdog = probe(reader(plant(tmp_path, files)))
    softdog = replaced(
        NOTHING, identity="Software Watchdog", driver="softdog", hardware=False, access_cs0=True, bootstatus=0
    )
    assert watchdog.devices == (softdog,)
    assert list(labels(watchdog, OPTIONS)) == [
        ("watchdog.present", "true"),
        ("watchdog.hardware", "false"),
        ("watchdog.identity", "Software_Watchdog"),
    ]


def test_ipmi_watchdog_has_no_class_entry(tmp_path: Path) -> None:
    files = attributes("sys/module/ipmi_watchdog/parameters", timeout=10, pretimeout=0, nowayout="N", action="reset")
    files |= attributes("sys/class/misc/watchdog", dev="10:130")
    seen = reader(plant(tmp_path, files))
    ipmi = replaced(
        NOTHING,
        name="watchdog",
        identity="IPMI",
        driver="ipmi_watchdog",
        device="10:130",
        hardware=True,
        timeout=10,
        pretimeout=0,
        nowayout=False,
    )
    assert (probe(seen).devices, seen.problems) == ((ipmi,), [])


@pytest.mark.parametrize("missing", ["sys/module/ipmi_watchdog/parameters/timeout", "sys/class/misc/watchdog/dev"])
def test_ipmi_watchdog_needs_its_module_and_its_node(tmp_path: Path, missing: str) -> None:
    files = {"sys/module/ipmi_watchdog/parameters/timeout": "10\n", "sys/class/misc/watchdog/dev": "10:130\n"}
    del files[missing]
    assert probe(reader(plant(tmp_path, files))).devices == ()


def test_the_old_node_is_that_of_the_first_of_the_class(tmp_path: Path) -> None:
    files = {"sys/module/ipmi_watchdog/parameters/timeout": "10\n", "sys/class/misc/watchdog/dev": "10:130\n"}
    (device,) = probe(reader(plant(tmp_path, files | attributes("sys/class/watchdog/watchdog0", identity="x")))).devices
    assert device.name == "watchdog0"


def test_several_functions_of_a_driver_name_none(tmp_path: Path) -> None:
    files = attributes("sys/class/watchdog/watchdog0", identity="i6300ESB timer")
    for address in ("0000:00:05.0", "0000:00:06.0"):
        files |= pci_function(address, driver="i6300esb")
    (device,) = probe(reader(plant(tmp_path, files))).devices
    assert (device.driver, device.function) == ("i6300esb", None)


def test_no_watchdog_is_a_fact(tmp_path: Path) -> None:
    watchdog = probe(reader(plant(tmp_path, {}, directories=("sys/class/watchdog",))))
    assert watchdog == Watchdog(devices=(), systemd=())
    assert list(labels(watchdog, OPTIONS)) == [("watchdog.present", "false"), ("watchdog.hardware", "false")]
    assert list(samples(watchdog)) == []


def test_numbers_that_are_none(tmp_path: Path) -> None:
    files = attributes("sys/class/watchdog/watchdog0", timeout="soon", options="0xzz", nowayout="maybe", identity="X")
    seen = reader(plant(tmp_path, files))
    assert probe(seen).devices == (replaced(NOTHING, identity="X"),)
    assert {problem.path.rpartition("/")[2]: (problem.kind, problem.detail) for problem in seen.problems} == {
        "timeout": (MALFORMED, "expected a whole number, saw 'soon'"),
        "nowayout": (MALFORMED, "expected Y, N, 1 or 0, saw 'maybe'"),
        "options": (MALFORMED, "expected a number, saw '0xzz'"),
    }


def test_a_capture_says_who_holds_them(tmp_path: Path) -> None:
    root = two_of_a_q35(tmp_path)
    plant(root, {"holders.json": '[["/dev/watchdog", "systemd"], ["/dev/watchdog1", "sbd"], ["/dev/vfio/3", "qemu"]]'})
    assert [device.held_by for device in probe(reader(root)).devices] == [("systemd",), ("sbd",)]


def test_samples(tmp_path: Path) -> None:
    root = two_of_a_q35(tmp_path)
    plant(root, {"etc/systemd/system.conf": "[Manager]\nRuntimeWatchdogSec=2min\n"})
    watchdog = probe(reader(root))
    assert [(sample.metric.name, sample.labels, sample.value) for sample in samples(watchdog)] == [
        ("hostagent_watchdog_info", ("watchdog0", "i6300ESB timer", "i6300esb"), 1),
        ("hostagent_watchdog_active", ("watchdog0",), 0),
        ("hostagent_watchdog_hardware", ("watchdog0",), 1),
        ("hostagent_watchdog_timeout_seconds", ("watchdog0",), 30),
        ("hostagent_watchdog_pretimeout_seconds", ("watchdog0",), 0),
        ("hostagent_watchdog_nowayout", ("watchdog0",), 0),
        ("hostagent_watchdog_bootstatus", ("watchdog0",), 0),
        ("hostagent_watchdog_info", ("watchdog1", "iTCO_wdt", "iTCO_wdt"), 1),
        ("hostagent_watchdog_active", ("watchdog1",), 1),
        ("hostagent_watchdog_hardware", ("watchdog1",), 1),
        ("hostagent_watchdog_timeout_seconds", ("watchdog1",), 60),
        ("hostagent_watchdog_pretimeout_seconds", ("watchdog1",), 10),
        ("hostagent_watchdog_nowayout", ("watchdog1",), 1),
        ("hostagent_watchdog_bootstatus", ("watchdog1",), 0x21),
        ("hostagent_watchdog_systemd_runtime_seconds", (), 120),
    ]
    assert list(labels(watchdog, OPTIONS)) == [
        ("watchdog.present", "true"),
        ("watchdog.hardware", "true"),
        ("watchdog.identity", "i6300ESB_timer"),
    ]


def test_what_systemd_is_told(tmp_path: Path) -> None:
    files = {
        "etc/systemd/system.conf": "[X]\nWatchdogDevice=x\n[Manager]\n# RuntimeWatchdogSec=1\nRuntimeWatchdogSec = 30s\n",
        "usr/lib/systemd/system.conf": "[Manager]\nRuntimeWatchdogSec=99\n",
        "usr/lib/systemd/system.conf.d/10-a.conf": "[Manager]\nRebootWatchdogSec=10min\nKExecWatchdogSec=5\nLogLevel=info\n",
        "etc/systemd/system.conf.d/10-a.conf": "[Manager]\nRebootWatchdogSec=off\nRuntimeWatchdogPreSec=infinity\n",
        "etc/systemd/system.conf.d/20-b.conf": "[Manager]\nRuntimeWatchdogPreGovernor=panic\nWatchdogDevice=/dev/watchdog1\n",
        "etc/systemd/system.conf.d/30-c.conf": "[Manager]\nRuntimeWatchdogPreGovernor=\n",
        "etc/systemd/system.conf.d/readme": "[Manager]\nRuntimeWatchdogSec=1\n",
        "proc/cmdline": "quiet systemd.watchdog-device=/dev/watchdog0 systemd.watchdog_sec\n",
    }
    (main, drop_in) = "etc/systemd/system.conf", "etc/systemd/system.conf.d/10-a.conf"
    assert probe(reader(plant(tmp_path, files))).systemd == (
        SystemdSetting(name="RuntimeWatchdogSec", value="30s", seconds=30, source=main),
        SystemdSetting(name="RuntimeWatchdogPreSec", value="infinity", seconds=None, source=drop_in),
        SystemdSetting(name="RebootWatchdogSec", value="off", seconds=0, source=drop_in),
        SystemdSetting(name="WatchdogDevice", value="/dev/watchdog0", seconds=None, source="proc/cmdline"),
    )


@given(st.integers(min_value=0, max_value=1 << 40))
def test_bits_and_words_say_the_same(bits: int) -> None:
    known = {name: bit for bit, name in BITS}
    assert sum(known[word] if word in known else int(word, 16) for word in words(bits)) == bits


def test_the_live_machine_has_the_watchdogs_sysfs_lists() -> None:
    names = [device.name for device in probe(Host().reader()).devices if device.driver != "ipmi_watchdog"]
    there = os.listdir("/sys/class/watchdog") if os.path.isdir("/sys/class/watchdog") else []
    assert sorted(names) == sorted(there)
