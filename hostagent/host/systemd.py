r"""What the system manager of the host is told about watchdogs: systemd-system.conf(5).

    # /etc/systemd/system.conf.d/50-watchdog.conf
    [Manager]
    RuntimeWatchdogSec=30s
    WatchdogDevice=/dev/watchdog0

The first system.conf of etc, run, usr/local/lib, usr/lib counts; drop-ins follow in order of their names, of one name the first
directory's; an empty assignment undoes what came before. The kernel command line (kernel-command-line(7)) comes last.
"""

from __future__ import annotations

from hostagent.host.cmdline import CMDLINE, parameters
from hostagent.host.reader import Reader
from hostagent.values.blanks import lines, stripped
from hostagent.values.cmdline import same_name
from hostagent.values.duration import parse_seconds
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PLACES = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd")
WATCHDOG_SETTINGS = (
    "RuntimeWatchdogSec",
    "RuntimeWatchdogPreSec",
    "RuntimeWatchdogPreGovernor",
    "RebootWatchdogSec",
    "KExecWatchdogSec",
    "WatchdogDevice",
)
_ARGUMENTS = {
    "systemd.watchdog_sec": "RuntimeWatchdogSec",
    "systemd.watchdog_pre_sec": "RuntimeWatchdogPreSec",
    "systemd.watchdog_pretimeout_governor": "RuntimeWatchdogPreGovernor",
    "systemd.watchdog_device": "WatchdogDevice",
}


@record
class SystemdSetting:
    """One setting that is in force."""

    name: str
    """RuntimeWatchdogSec, RuntimeWatchdogPreSec, RuntimeWatchdogPreGovernor, RebootWatchdogSec, KExecWatchdogSec or
    WatchdogDevice."""
    value: str
    """Its value as written."""
    seconds: int | None
    """Seconds that a time span comes to, 0 where it is off. Null for other settings, and for what is no span of whole
    seconds, as default and infinity."""
    source: str
    """The file that says so, relative to the root; proc/cmdline for an argument systemd.watchdog_*."""


def watchdog_settings(reader: Reader) -> tuple[SystemdSetting, ...]:
    """Settings of WATCHDOG_SETTINGS that are given, in that order."""
    found: dict[str, SystemdSetting] = {}
    for path in _files(reader):
        for name, value in _manager(reader.text(path) or ""):
            if name not in WATCHDOG_SETTINGS:
                continue
            if value:
                found[name] = _setting(name, value, path)
            else:
                found.pop(name, None)
    for key, given in parameters(reader) or ():
        told = next((name for argument, name in _ARGUMENTS.items() if same_name(key, argument)), None)
        if told is not None and given:
            found[told] = _setting(told, given, CMDLINE)
    return tuple(found[name] for name in WATCHDOG_SETTINGS if name in found)


def _setting(name: str, value: str, source: str) -> SystemdSetting:
    span = name.endswith("Sec")
    seconds = 0 if span and value in ("off", "no", "false") else parse_seconds(value) if span else None
    return SystemdSetting(name=name, value=value, seconds=seconds, source=source)


def _files(reader: Reader) -> list[str]:
    main = [f"{place}/system.conf" for place in PLACES if reader.exists(f"{place}/system.conf")][:1]
    chosen: dict[str, str] = {}
    for place in PLACES:
        for name in reader.names(f"{place}/system.conf.d"):
            if name.endswith(".conf"):
                chosen.setdefault(name, f"{place}/system.conf.d/{name}")
    return main + [chosen[name] for name in sorted(chosen)]


def _manager(text: str) -> list[tuple[str, str]]:
    """(name, value) of the lines of section [Manager]; quotes do not occur in these settings."""
    found, section = [], ""
    for line in lines(text):
        body = stripped(line)
        if body.startswith("[") and body.endswith("]"):
            section = body[1:-1]
        elif section == "Manager" and body[:1] not in ("#", ";") and "=" in body:
            name, _, value = body.partition("=")
            found.append((stripped(name), stripped(value)))
    return found


def whole_lines(lines: Iterable[str]) -> list[str]:
    """Lines of a unit, what goes on behind a backslash in the first of them; the others stay as empty ones."""
    found: list[str] = []
    begun = 0
    for line in lines:
        if begun:
            found[-begun] = f"{stripped(stripped(found[-begun])[:-1])} {stripped(line)}"
            found.append("")
        else:
            found.append(line)
        goes_on = stripped(line).endswith("\\")
        begun = begun + 1 if goes_on else 0
    return found


def kept_settings(text: str) -> str:
    """What a capture keeps of such a file: DefaultEnvironment= and its like may hold anything."""
    lines = [f"{name}={value}\n" for name, value in _manager(text) if name in WATCHDOG_SETTINGS]
    return "".join(["[Manager]\n", *lines])
