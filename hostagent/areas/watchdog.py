"""Watchdogs: timers that restart the machine when nobody feeds them.

Files, for each sys/class/watchdog/watchdogN (Documentation/ABI/testing/sysfs-class-watchdog, CONFIG_WATCHDOG_SYSFS; without it
the directory has none of them, and is a watchdog still):

    identity iTCO_wdt     state inactive      timeout 30 (seconds)     bootstatus 32 (decimal, WDIOF_ bits)
    status 0x8000         options 0x8180      nowayout 0               min_timeout, max_timeout (0: no limit)

`timeleft` changes by the second and is not read. `state` says whether user space armed it; one armed by firmware and fed
by the kernel says inactive. ipmi_watchdog has no entry in the class, only /dev/watchdog (misc 10:130), and is listed
under that name. /dev/watchdog* is never opened: opening arms it.
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen, truth
from hostagent.host import Reader
from hostagent.host.systemd import SystemdSetting, watchdog_settings
from hostagent.host.watchdogs import WatchdogDevice, watchdogs
from hostagent.values.labels import fitted
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@record
class Watchdog:
    """Watchdogs, and what systemd of this host is told to do with them."""

    devices: tuple[WatchdogDevice, ...]
    """Every watchdog in order of number, ipmi_watchdog last; sys/class/watchdog."""
    systemd: tuple[SystemdSetting, ...]
    """Settings about watchdogs that are given, of system.conf(5), its drop-ins and proc/cmdline, the one in force of
    each."""


def probe(reader: Reader) -> Watchdog:
    """Every watchdog of the host."""
    return Watchdog(devices=watchdogs(reader), systemd=watchdog_settings(reader))


def labels(watchdog: Watchdog, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """Whether there is one, whether it is hardware, and what the first one calls itself."""
    yield "watchdog.present", truth(bool(watchdog.devices))
    known = [device.hardware for device in watchdog.devices if device.hardware is not None]
    if known or not watchdog.devices:
        yield "watchdog.hardware", truth(any(known))
    first = sorted(watchdog.devices, key=lambda device: device.hardware is not True)[:1]
    for device in first:
        identity = fitted(device.identity or "")
        if identity:
            yield "watchdog.identity", identity


_LABELS = (
    LabelDoc(
        key="watchdog.present", values="true, false", meaning="Whether the node has a watchdog, software ones counted"
    ),
    LabelDoc(
        key="watchdog.hardware",
        values="true, false",
        meaning="Whether one of them is hardware; softdog is not, and cannot restart a kernel that hangs",
    ),
    LabelDoc(
        key="watchdog.identity",
        values="text",
        meaning="What the first hardware watchdog calls itself; the first watchdog where none is hardware",
    ),
)

_INFO = Metric(
    name="hostagent_watchdog_info",
    help="A watchdog: name, identity and driver. Always 1.",
    labels=("name", "identity", "driver"),
)
_ACTIVE = Metric(
    name="hostagent_watchdog_active",
    help="Whether user space has armed the watchdog.",
    labels=("name",),
)
_HARDWARE = Metric(
    name="hostagent_watchdog_hardware",
    help="Whether the watchdog works when the kernel hangs.",
    labels=("name",),
)
_TIMEOUT = Metric(
    name="hostagent_watchdog_timeout_seconds",
    help="Time without feeding after which the watchdog restarts the machine.",
    labels=("name",),
)
_PRETIMEOUT = Metric(
    name="hostagent_watchdog_pretimeout_seconds",
    help="Time before the timeout at which the pretimeout governor acts; 0: never.",
    labels=("name",),
)
_NOWAYOUT = Metric(
    name="hostagent_watchdog_nowayout",
    help="Whether the watchdog cannot be stopped once armed.",
    labels=("name",),
)
_BOOTSTATUS = Metric(
    name="hostagent_watchdog_bootstatus",
    help="WDIOF_ bits the driver gave for the last restart; 32: the watchdog did it.",
    labels=("name",),
)
_RUNTIME = Metric(
    name="hostagent_watchdog_systemd_runtime_seconds",
    help="RuntimeWatchdogSec as configured for systemd; 0: off.",
    labels=(),
)


def samples(watchdog: Watchdog) -> Iterator[Sample]:
    """One info series a device, and a series for each number it tells."""
    for device in watchdog.devices:
        yield Sample(metric=_INFO, labels=(device.name, device.identity or "", device.driver or ""), value=1)
        numbers = (
            (_ACTIVE, None if device.state is None else device.state == "active"),
            (_HARDWARE, device.hardware),
            (_TIMEOUT, device.timeout),
            (_PRETIMEOUT, device.pretimeout),
            (_NOWAYOUT, device.nowayout),
            (_BOOTSTATUS, device.bootstatus),
        )
        for metric, value in numbers:
            if value is not None:
                yield Sample(metric=metric, labels=(device.name,), value=int(value))
    for setting in watchdog.systemd:
        if setting.name == "RuntimeWatchdogSec" and setting.seconds is not None:
            yield Sample(metric=_RUNTIME, labels=(), value=setting.seconds)


AREA = Area(
    name="watchdog",
    about="Watchdog timers, and what systemd does with them",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_INFO, _ACTIVE, _HARDWARE, _TIMEOUT, _PRETIMEOUT, _NOWAYOUT, _BOOTSTATUS, _RUNTIME),
    guard=Guard(
        unknown="whether it is a watchdog, made to reset a hung host",
        classes=("05", "07", "08", "0c05", "0c07", "11", "ff"),
        driven=True,
        sources=(),
    ),
    unseen=nothing_unseen,
)
