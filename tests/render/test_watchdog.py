"""Who keeps the watchdog."""

from __future__ import annotations

import configparser

import pytest

from hostagent.render.files import File
from hostagent.render.watchdog import watchdog
from tests.plan.machines import worker
from tests.plan.profiles import DEBIAN, planned, profile

HEAD = "# Written by hostagent from a profile: change that and render again.\n# watchdog\n"
WISHES = "watchdog: {module: softdog, runtimeTimeout: 20s, rebootTimeout: 5min}\n"


def test_systemd_keeps_it() -> None:
    text = "[Manager]\nRuntimeWatchdogSec=20s\nRebootWatchdogSec=300s\nWatchdogDevice=/dev/watchdog0\n"
    path = "/etc/systemd/system.conf.d/50-hostagent-watchdog.conf"
    assert watchdog(planned(profile(WISHES), worker())) == (File(path=path, mode=0o644, text=HEAD + text),)


@pytest.mark.parametrize(
    ("platform", "old"),
    [
        ("{name: openshift, version: 4.12}", True),
        ("{name: openshift, version: 4.13}", False),
        ("{name: rhel, version: 8.10}", True),
        ("{name: rhel}", False),
        ("{name: suse, version: 15}", True),
    ],
)
def test_an_old_systemd_is_told_in_its_words_too(*, platform: str, old: bool) -> None:
    (file,) = watchdog(planned(profile(WISHES, platform), worker()))
    read = configparser.ConfigParser()
    read.read_string(file.text)
    assert read["Manager"]["RebootWatchdogSec"] == "300s"
    assert read["Manager"].get("ShutdownWatchdogSec") == ("300s" if old else None)


def test_the_daemon_keeps_it_and_systemd_only_reboots() -> None:
    wishes = profile("watchdog: {module: softdog, keeper: watchdog, runtimeTimeout: 60s}\n", DEBIAN)
    systemd, daemon = watchdog(planned(wishes, worker()))
    assert (
        systemd.text
        == HEAD + "[Manager]\nRuntimeWatchdogSec=0\nRebootWatchdogSec=600s\nWatchdogDevice=/dev/watchdog0\n"
    )
    assert daemon == File(
        path="/etc/watchdog.conf",
        mode=0o644,
        text=HEAD
        + """\
watchdog-device = /dev/watchdog0
watchdog-timeout = 60
interval = 10
realtime = yes
priority = 1
""",
    )


@pytest.mark.parametrize(("seconds", "interval"), [(1, 1), (5, 1), (9, 3), (600, 10)])
def test_the_daemon_pings_often_enough(seconds: int, interval: int) -> None:
    wishes = profile(f"watchdog: {{module: softdog, keeper: watchdog, runtimeTimeout: {seconds}s}}\n", DEBIAN)
    assert f"\ninterval = {interval}\n" in watchdog(planned(wishes, worker()))[1].text


def test_none_asked_for() -> None:
    assert watchdog(planned(profile(), worker())) == ()
