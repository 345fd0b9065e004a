"""Watchdogs: whether one would reset the host when it hangs, and who keeps it from doing so meanwhile."""

from __future__ import annotations

from hostagent.advice.model import (
    BLOCKER,
    MODULES_LOAD,
    NONE,
    NOTE,
    PROFILE,
    REBOOT,
    SYSTEMD,
    WARNING,
    Code,
    Finding,
    finding,
    other,
    render,
    said,
)
from hostagent.advice.view import View
from hostagent.areas.watchdog import Watchdog
from hostagent.assess.node import data
from hostagent.assess.reasons import Evidence, Why
from hostagent.host.watchdogs import CLASS
from hostagent.plan.model import WatchdogPlan
from hostagent.values.words import capital

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ABSENT = Code(
    name="watchdog-missing",
    title="No watchdog",
    cause=(
        "A host that hangs stays so until somebody comes, and its guests with it. The hardware has none, it "
        "is off in the firmware's setup, or the driver is not loaded (distributions blacklist some)."
    ),
    proof="/sys/class/watchdog is empty, and there is no ipmi_watchdog.",
    remedy=render(
        MODULES_LOAD,
        (
            "Name its driver in the profile (watchdog.module: iTCO_wdt, sp5100_tco, ipmi_watchdog, i6300esb "
            "...), render, and reboot."
        ),
    ),
)
SOFTWARE = Code(
    name="watchdog-only-software",
    title="The only watchdog is software",
    cause="softdog is a timer of the kernel: it resets a host whose programs hang, and not one whose kernel does.",
    proof="Every device in /sys/class/watchdog has the identity Software Watchdog.",
    remedy=render(
        MODULES_LOAD,
        "Load the driver of the hardware's watchdog instead (watchdog.module in the profile), render, and reboot.",
    ),
)
OWNED = Code(
    name="watchdog-owned",
    title="Another program has the watchdog",
    cause=(
        "A watchdog has one owner. systemd, watchdogd, sbd, sanlock's wdmd and Self Node Remediation each "
        "take the first they find, and the second fails or goes without."
    ),
    proof="The evidence names the process that has /dev/watchdog open; `fuser -v /dev/watchdog*` shows it.",
    remedy=other(
        PROFILE,
        "Decide who keeps it: leave watchdog out of the profile, name another device, or stop the other program.",
    ),
)
LAST_RESET = Code(
    name="last-reset-by-watchdog",
    title="The watchdog reset this host",
    cause=(
        "The last start was a watchdog's doing: the host hung, or whoever feeds the watchdog did not get to it in time."
    ),
    proof="bootstatus of the device has the bit WDIOF_CARDRESET (32).",
    remedy=other(
        NONE,
        (
            "Look for the reason in the logs before the last start, the BMC's event log and kdump; a longer "
            "timeout if there is none."
        ),
    ),
)
NOT_KEPT = Code(
    name="watchdog-not-kept",
    title="The watchdog is not kept as asked for",
    cause=(
        "The profile wants systemd (or the watchdog daemon) to keep it; the configuration is not there, or "
        "not in force."
    ),
    proof="system.conf.d has no such RuntimeWatchdogSec= and RebootWatchdogSec=, or the device's state is inactive.",
    remedy=render(SYSTEMD, "Put the rendered configuration in place, and reboot."),
)
DIFFERS = Code(
    name="watchdog-differs",
    title="Another watchdog than on the other nodes",
    cause=(
        "All nodes of a role get the same files, and these name one device node. Here it is another, or "
        "another driver's."
    ),
    proof="The identity and number of the device in /sys/class/watchdog differ from node to node.",
    remedy=other(PROFILE, "Give the nodes roles of their own, or name a device that all of them have."),
)
TIMEOUT = Code(
    name="watchdog-timeout-out-of-range",
    title="The watchdog cannot count that long",
    cause="The hardware has a shortest and a longest timeout; what is asked for is outside.",
    proof=(
        "min_timeout and max_timeout of the device in /sys/class/watchdog (0: no limit), or the driver's documentation."
    ),
    remedy=other(PROFILE, "Ask for a timeout within the limits, or leave it out."),
)
CODES = (ABSENT, SOFTWARE, OWNED, LAST_RESET, NOT_KEPT, DIFFERS, TIMEOUT)

_KEEPERS = {"systemd": ("systemd",), "watchdog": ("watchdog", "wd_keepalive")}


def look(view: View) -> Iterator[Finding]:
    """Findings about watchdogs."""
    missing = any(one.reason.code in (Why.NO_WATCHDOG, Why.OTHER_WATCHDOG) for one in view.refused)
    found = data(view.report.watchdog)
    if found is None:
        return
    plan = view.plan.watchdog if view.plan is not None else None
    if view.plan is None or plan is not None:
        yield from _present(found, plan, missing=missing)
        yield from _owned(found, plan)
    for device in found.devices:
        if "card-reset" in device.boot_causes:
            text = f"{device.name} reset this host: the last start was its doing."
            yield finding(
                LAST_RESET,
                WARNING,
                device.name,
                text,
                [said(f"{CLASS}/{device.name}/bootstatus", str(device.bootstatus))],
            )
    if plan is not None and not missing:
        yield from _kept(found, plan)


def _present(found: Watchdog, plan: WatchdogPlan | None, *, missing: bool) -> Iterator[Finding]:
    if not found.devices and not missing:
        text = "This host has no watchdog: nothing resets it when it hangs."
        keeper = [
            said(one.source, f"{one.name}={one.value}") for one in found.systemd if one.name == "RuntimeWatchdogSec"
        ]
        yield finding(ABSENT, WARNING if plan is None else BLOCKER, "watchdog", text, [said(CLASS, "empty"), *keeper])
    elif found.devices and all(device.hardware is False for device in found.devices):
        asked = plan is not None and plan.module == "softdog"
        text = "The only watchdog is softdog, which does nothing when the kernel itself hangs."
        evidence = [said(f"{CLASS}/{device.name}/identity", device.identity or "") for device in found.devices]
        yield finding(SOFTWARE, NOTE if asked else WARNING, "watchdog", text, evidence)


def _owned(found: Watchdog, plan: WatchdogPlan | None) -> Iterator[Finding]:
    mine = _KEEPERS[plan.keeper] if plan is not None else ()
    for device in found.devices:
        if plan is not None and plan.device not in (f"/dev/{device.name}", "/dev/watchdog"):
            continue
        holders = [holder for holder in device.held_by or () if holder not in mine]
        # Nobody looked who has it, and systemd has not been told to.
        unknown = device.held_by is None and device.state == "active" and not _armed(found)
        if plan is None:
            holders = [holder for holder in holders if holder != "systemd" or not _armed(found)]
        if holders or unknown:
            who = ", ".join(holders) or "a program"
            evidence = [said(f"{CLASS}/{device.name}/state", device.state or "not said")]
            evidence += [said(f"dev/{device.name}", f"open in {holder}") for holder in holders]
            text = f"{capital(who)} has {device.name}: nobody else can keep it."
            severity = NOTE if plan is None else BLOCKER if holders else WARNING
            yield finding(OWNED, severity, device.name, text, evidence)


def _armed(found: Watchdog) -> bool:
    return any(one.name == "RuntimeWatchdogSec" and one.seconds != 0 for one in found.systemd)


def _kept(found: Watchdog, plan: WatchdogPlan) -> Iterator[Finding]:
    device = next((one for one in found.devices if f"/dev/{one.name}" == plan.device), None)
    if plan.keeper == "systemd":
        lacking = list(_settings(found, plan))
        if lacking:
            text = f"systemd is not told to keep {plan.device} as the profile asks for."
            yield finding(NOT_KEPT, BLOCKER, plan.device, text, lacking)
            return
    if device is not None and device.state == "inactive":
        text = f"Nobody keeps {plan.device}, which the profile gives to {plan.keeper}."
        remedy = (
            other(REBOOT, "Reboot, or have systemd look again: systemctl daemon-reexec.")
            if plan.keeper == "systemd"
            else None
        )
        yield finding(
            NOT_KEPT, BLOCKER, plan.device, text, [said(f"{CLASS}/{device.name}/state", "inactive")], remedy=remedy
        )


def _settings(found: Watchdog, plan: WatchdogPlan) -> Iterator[Evidence]:
    given = {one.name: one for one in found.systemd}
    for name, seconds in (("RuntimeWatchdogSec", plan.runtime_timeout), ("RebootWatchdogSec", plan.reboot_timeout)):
        one = given.get(name)
        if one is None or one.seconds != seconds:
            where = "etc/systemd/system.conf" if one is None else one.source
            yield said(where, f"{name}={'not set' if one is None else one.value}, expected {seconds}s")
