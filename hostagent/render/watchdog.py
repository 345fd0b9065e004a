"""Who keeps the hardware watchdog alive: systemd-system.conf(5), or the daemon of the package watchdog (watchdog.conf(5)).

    # /etc/systemd/system.conf.d/50-hostagent-watchdog.conf
    [Manager]
    RuntimeWatchdogSec=30s
    RebootWatchdogSec=600s
    WatchdogDevice=/dev/watchdog0

A watchdog has one opener: where the daemon has it, systemd is told to leave it alone while the host runs. Systemd before 244
(RHEL 8, OpenShift up to 4.12, SLE 15's first) knows RebootWatchdogSec= as ShutdownWatchdogSec=, and later ones still do.
"""

from __future__ import annotations

from hostagent.plan.model import Plan, PlatformPlan, WatchdogPlan
from hostagent.platforms import PLATFORMS
from hostagent.render.files import File
from hostagent.render.origin import head

SYSTEMD_PATH = "/etc/systemd/system.conf.d/50-hostagent-watchdog.conf"
DAEMON_PATH = "/etc/watchdog.conf"


def watchdog(plan: Plan) -> tuple[File, ...]:
    """The files of whoever is to keep it."""
    if plan.watchdog is None:
        return ()
    mine = head(("watchdog",))
    files = [File(path=SYSTEMD_PATH, mode=0o644, text=mine + _systemd(plan.watchdog, plan.platform))]
    if plan.watchdog.keeper == "watchdog":
        files.append(File(path=DAEMON_PATH, mode=0o644, text=mine + _daemon(plan.watchdog)))
    return tuple(files)


def _systemd(wanted: WatchdogPlan, platform: PlatformPlan) -> str:
    runtime = f"{wanted.runtime_timeout}s" if wanted.keeper == "systemd" else "0"
    lines = ["[Manager]", f"RuntimeWatchdogSec={runtime}"]
    version = PLATFORMS[platform.name].version(platform.version)
    if version is not None and version.old_systemd:
        lines.append(f"ShutdownWatchdogSec={wanted.reboot_timeout}s")
    lines += [f"RebootWatchdogSec={wanted.reboot_timeout}s", f"WatchdogDevice={wanted.device}"]
    return "".join(f"{line}\n" for line in lines)


def _daemon(wanted: WatchdogPlan) -> str:
    """The daemon pings every `interval` seconds, three times at least within the timeout."""
    lines = (
        f"watchdog-device = {wanted.device}",
        f"watchdog-timeout = {wanted.runtime_timeout}",
        f"interval = {max(1, min(10, wanted.runtime_timeout // 3))}",
        "realtime = yes",
        "priority = 1",
    )
    return "".join(f"{line}\n" for line in lines)
