"""Watchdogs: which there are, who feeds them, and whether one of them caused the last boot."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from hostagent.cli.table.words import BAD, CARE, GOOD, QUIET, Columns, found, heading, text
from hostagent.host.watchdogs import WatchdogDevice
from hostagent.report import NodeReport
from hostagent.values.words import counted


def section(report: NodeReport) -> Iterator[RenderableType]:
    """One line for each device, then what systemd is told."""
    watchdog = found(report.watchdog)
    if watchdog is None:
        return
    if not watchdog.devices:
        yield heading("Watchdogs", Text("none", style=CARE))
    else:
        yield heading("Watchdogs", counted(len(watchdog.devices), "device"))
        heads = ("device", "driver", "identity", "state", "timeout", "remarks")
        yield Columns(heads, (_row(device) for device in watchdog.devices))
    for setting in watchdog.systemd:
        yield Text.assemble(text(f"systemd {setting.name}={setting.value}"), " ", text(setting.source, QUIET))


def _row(device: WatchdogDevice) -> tuple[Text | str, ...]:
    causes = f"last boot: {', '.join(device.boot_causes)}" if device.boot_causes else None
    remarks = (
        ("software only", CARE) if device.hardware is False else None,
        (causes, BAD) if causes else None,
        ("held by " + ", ".join(device.held_by), "") if device.held_by else None,
        ("nowayout", QUIET) if device.nowayout else None,
    )
    said = [text(words, style) for words, style in (remark for remark in remarks if remark is not None)]
    return (
        device.name,
        device.driver or "",
        device.identity or "",
        text(device.state or "", GOOD if device.state == "active" else ""),
        "" if device.timeout is None else f"{device.timeout} s",
        Text(", ").join(said),
    )
