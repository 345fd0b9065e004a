"""Watchdogs, what the host stands on, and what could not be read."""

from __future__ import annotations

from hostagent.assess import Assessment, FunctionAssessment
from hostagent.assess.node import data
from hostagent.assess.reasons import Why
from hostagent.host.watchdogs import WatchdogDevice
from hostagent.publish.page.boxes import sentence
from hostagent.publish.page.html import NOTHING, Html, element, joined
from hostagent.publish.page.names import Names
from hostagent.report import NodeReport, problems
from hostagent.values.words import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# More of one area are one trouble: a whole directory that may not be read.
SHOWN = 8
_ARMED, _DISARMED = "active", "inactive"
_RESTARTS: dict[str | None, str] = {_ARMED: "restarts after", _DISARMED: "once armed, restarts after"}
# Of these the reason lies with another function, or there is nothing to lose.
_SECONDARY = (Why.GROUP, Why.RESERVED, Why.DENYLIST)


def watchdogs(report: NodeReport) -> Html:
    """A card for each, and what systemd is told."""
    found = data(report.watchdog)
    if found is None:
        return NOTHING
    cards = [_watchdog(device) for device in found.devices]
    title = element("h2", "Watchdogs ", element("small", len(cards) or "none"), id="watchdogs")
    settings = [
        element("li", element("code", f"{one.name}={one.value}"), " ", element("small", f"/{one.source}"))
        for one in found.systemd
    ]
    lacking = _lacking(found.devices)
    return element(
        "section",
        title,
        element("p", lacking, cls="unsure") if lacking else None,
        element("ul", *cards, cls="dogs") if cards else None,
        element("ul", *settings, cls="settings") if settings else None,
        aria_labelledby="watchdogs",
    )


def _lacking(devices: tuple[WatchdogDevice, ...]) -> str | None:
    """What is missing for a hang to end in a restart. A part of a machine and a machine without look the same here."""
    if not devices:
        return "No watchdog was found: nothing is known that restarts this machine when its kernel hangs."
    states = {device.state for device in devices}
    if _ARMED in states:
        return None
    if states == {_DISARMED}:
        # One that firmware armed and the kernel feeds says inactive too.
        return "No program has armed one: as far as is known, nothing restarts this machine when it hangs."
    return "Whether one is armed is not known."


def _watchdog(device: WatchdogDevice) -> Html:
    armed = device.state == _ARMED
    mark = element("i", "●" if armed else "○", aria_hidden="true")
    sign = element("b", mark, f" {device.state or 'state unknown'}", cls=f"sign {'viable' if armed else 'in-use'}")
    return element(
        "li",
        element("header", element("h3", device.identity or device.name), sign),
        element("p", *_remarks(device)),
        element("p", f"Caused the last boot: {', '.join(device.boot_causes)}", cls="why")
        if device.boot_causes
        else None,
        cls=f"dog {'viable' if armed else 'in-use'}",
    )


def _remarks(device: WatchdogDevice) -> Iterator[object]:
    yield element("code", device.name)
    said = (
        device.driver,
        None if device.timeout is None else f"{_RESTARTS.get(device.state, 'timeout')} {device.timeout} s",
        "software only: stops with the kernel" if device.hardware is False else None,
        "hardware" if device.hardware else None,
        f"held by {', '.join(device.held_by)}" if device.held_by else None,
        "cannot be stopped once armed" if device.nowayout else None,
    )
    for part in said:
        if part is not None:
            yield f" · {part}"


def stands(report: NodeReport, machine: Assessment) -> Html:
    """What the host would not survive the loss of: a card for each reason, with its functions and how it is known."""
    by_reason: dict[str, list[FunctionAssessment]] = {}
    for part in machine.functions:
        if part.reason is not None and part.reason.code not in _SECONDARY:
            by_reason.setdefault(part.reason.text, []).append(part)
    unknown = machine.unknown_uses
    if not by_reason and not unknown:
        return NOTHING
    names = Names(report)
    said = f"The {' and '.join(unknown)} of this host are not known, so no function is known to be unused."
    count = sum(map(len, by_reason.values()))
    # Of what nobody could read nothing is counted: more may be needed than is known, and 0 would be a claim.
    tally = f"{'at least ' if unknown else ''}{counted(count, 'function')}" if count else ""
    return element(
        "section",
        element("h2", "The host stands on ", element("small", tally), id="stands"),
        element("p", said, cls="unsure") if unknown else None,
        element("ul", *(_kept(text, parts, names) for text, parts in by_reason.items()), cls="kept") if count else None,
        aria_labelledby="stands",
    )


def _kept(text: str, parts: list[FunctionAssessment], names: Names) -> Html:
    functions = [
        element("li", element("code", part.function.address), " ", names.kind(part.function)) for part in parts
    ]
    ways = dict.fromkeys(one for part in parts if part.reason is not None for one in part.reason.evidence)
    rows = [element("li", one.said, " ", element("small", f"/{one.path}")) for one in ways]
    fold: object = NOTHING
    if rows:
        fold = element("details", element("summary", "How it is known"), element("ul", *rows, cls="evidence"))
    return element("li", element("h3", sentence(text)), element("ul", *functions), fold)


def trouble(report: NodeReport) -> Html:
    """What could not be read, by area: all above is true without it, but not all there is."""
    found = problems(report)
    if not found:
        return NOTHING
    blocks = []
    for area in dict.fromkeys(name for name, _ in found):
        here = [problem for name, problem in found if name == area]
        rows = [
            element("li", element("b", one.kind), " ", element("code", one.path), " ", element("span", one.detail))
            for one in here[:SHOWN]
        ]
        if len(here) > SHOWN:
            rows.append(element("li", f"and {len(here) - SHOWN} more, all of them in report.json"))
        blocks.append(joined((element("h3", area), element("ul", *rows, cls="problems"))))
    title = element("h2", "Could not be read ", element("small", counted(len(found), "problem")), id="problems")
    return element("section", title, *blocks, aria_labelledby="problems")
