"""Which watchdog is to be kept, by whom, with which timeouts, and which module has to be loaded for it.

A function that is a watchdog is known by its ID, loaded driver or not, so that the plan is the same before and after its module
is loaded. A watchdog on the chipset shows only once its driver runs: its module has to be named in the profile.
"""

from __future__ import annotations

from hostagent.assess.node import Node, data, file_of, pci_id
from hostagent.assess.reasons import Evidence, Reason, Why
from hostagent.host.watchdogs import WatchdogDevice
from hostagent.plan.model import Note, Refusal, WatchdogPlan
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.profile import Watchdog

_BY_ID = {"8086:25ab": "i6300esb", "103c:3306": "hpwdt"}
# Seconds these drivers take (Documentation/watchdog/watchdog-parameters.rst), for when they do not run yet.
_LIMITS = {"i6300esb": (2, 2046), "iTCO_wdt": (3, 613), "softdog": (1, 65535)}
_FIRST = "/dev/watchdog0"
_KEEPERS = {"systemd": ("systemd",), "watchdog": ("watchdog", "wd_keepalive")}


@record
class _Pick:
    """What one node has to offer. `device` None: it comes with the module."""

    node: Node
    path: str
    device: WatchdogDevice | None
    module: str | None


def watchdog_plan(
    nodes: tuple[Node, ...], wishes: Watchdog | None
) -> tuple[WatchdogPlan | None, list[Refusal], list[Note]]:
    """One watchdog for all nodes, and the nodes that have none such."""
    if wishes is None or not nodes:
        return None, [], []
    picks = [_pick(node, wishes) for node in nodes]
    paths = [pick.path for pick in picks if pick is not None]
    path = max(sorted(set(paths)), key=paths.count, default=wishes.device or _FIRST)
    refused: list[Refusal] = []
    notes: list[Note] = []
    for node, pick in zip(nodes, picks, strict=True):
        reason = _missing(node, wishes) if pick is None else _other(pick, path)
        if reason is not None:
            refused.append(_refusal(node, reason, "watchdog" if pick is None else "watchdog.device"))
    chosen = [pick for pick in picks if pick is not None and pick.path == path]
    runtime, reboot = _timeouts(chosen, wishes)
    for pick in chosen:
        for entry, seconds in (("runtimeTimeout", runtime), ("rebootTimeout", reboot)):
            fault = _outside(pick, seconds)
            refused += [_refusal(pick.node, fault, f"watchdog.{entry}")] if fault is not None else []
        notes += _notes(pick, wishes)
    modules = sorted({pick.module for pick in chosen if pick.module is not None})
    plan = WatchdogPlan(
        device=path,
        runtime_timeout=runtime,
        reboot_timeout=reboot,
        module=wishes.module or (modules[0] if modules else None),
        keeper=wishes.keeper,
    )
    return plan, refused, notes


def _refusal(node: Node, reason: Reason, entry: str) -> Refusal:
    return Refusal(node=node.name, entry=entry, address=None, reason=reason)


def _pick(node: Node, wishes: Watchdog) -> _Pick | None:
    found = data(node.report.watchdog)
    devices = () if found is None else found.devices
    module = wishes.module or _module_by_id(node)
    if wishes.module in _BY_ID.values() and wishes.module not in {_BY_ID.get(pci_id(one)) for one in node.functions}:
        return None
    if wishes.device is not None:
        fitting = [one for one in devices if f"/dev/{one.name}" == wishes.device]
    elif module is not None:
        fitting = [one for one in devices if one.driver == module]
    else:
        # softdog cannot reset a kernel that hangs: only those who ask for it get it.
        fitting = [one for one in devices if one.hardware is not False]
    device = fitting[0] if fitting else None
    if device is None and module is None:
        return None
    numbered = wishes.device or (_FIRST if device is None else f"/dev/{device.name}")
    return _Pick(node=node, path=numbered, device=device, module=module)


def _module_by_id(node: Node) -> str | None:
    found = (_BY_ID.get(pci_id(function)) for function in node.functions)
    return next((module for module in found if module is not None and not node.has_built_in(module)), None)


def _missing(node: Node, wishes: Watchdog) -> Reason:
    found = data(node.report.watchdog)
    there = ", ".join(one.name for one in found.devices) if found is not None and found.devices else "none"
    asked = wishes.device or wishes.module
    expected = "expected watchdog.module to name a driver" if asked is None else f"expected {asked}"
    said = Evidence(path="sys/class/watchdog", said=there)
    return Reason(code=Why.NO_WATCHDOG, text=f"it has no such hardware watchdog: {expected}", evidence=(said,))


def _other(pick: _Pick, path: str) -> Reason | None:
    if pick.path == path:
        return None
    said = Evidence(path=f"sys/class/watchdog/{pick.path.removeprefix('/dev/')}/identity", said=_identity(pick))
    return Reason(
        code=Why.OTHER_WATCHDOG, text=f"its watchdog is {pick.path}, that of other nodes {path}", evidence=(said,)
    )


def _identity(pick: _Pick) -> str:
    return pick.module or "none" if pick.device is None else pick.device.identity or "nothing"


def _range(pick: _Pick) -> tuple[int, int | None]:
    """Shortest and longest timeout; None: no limit."""
    device = pick.device
    low, high = _LIMITS.get(pick.module or "", (1, None))
    if device is not None and device.min_timeout:
        low = device.min_timeout
    if device is not None and device.max_timeout is not None:
        high = device.max_timeout or None
    return low, high


def _timeouts(chosen: list[_Pick], wishes: Watchdog) -> tuple[int, int]:
    """What was asked; a default gives way to what the hardware can do."""
    limits = [_range(pick) for pick in chosen]
    low = max((one[0] for one in limits), default=1)
    high = min((one[1] for one in limits if one[1] is not None), default=None)
    found = []
    for name, seconds in (("runtime_timeout", wishes.runtime_timeout), ("reboot_timeout", wishes.reboot_timeout)):
        fitted = max(seconds, low) if high is None else min(max(seconds, low), high)
        found.append(seconds if name in wishes.model_fields_set else fitted)
    return found[0], found[1]


def _outside(pick: _Pick, seconds: int) -> Reason | None:
    low, high = _range(pick)
    if low <= seconds and (high is None or seconds <= high):
        return None
    name = "min_timeout" if seconds < low else "max_timeout"
    limit = low if seconds < low else high
    said = Evidence(path=f"sys/class/watchdog/{pick.path.removeprefix('/dev/')}/{name}", said=str(limit))
    text = f"{seconds}s is not among the {low}s to {f'{high}s' if high else 'any time'} this watchdog can count"
    return Reason(code=Why.TIMEOUT, text=text, evidence=(said,))


def _notes(pick: _Pick, wishes: Watchdog) -> Iterator[Note]:
    device, name = pick.device, pick.node.name
    keepers = _KEEPERS[wishes.keeper]
    others = [holder for holder in (device.held_by or () if device is not None else ()) if holder not in keepers]
    if others:
        text = f"{', '.join(others)} has it open; only one can: it has to give way to {wishes.keeper}"
        yield Note(code="watchdog-held", node=name, subject=pick.path, text=text)
    if device is None and wishes.device is None:
        text = f"{pick.path} is a guess while {pick.module} is not loaded"
        yield Note(code="watchdog-number", node=name, subject=pick.path, text=text)
    for function in pick.node.functions:
        if device is None and pci_id(function) in _BY_ID and function.driver not in (None, pick.module):
            text = f"{function.driver} has {function.address}, see {file_of(function.address, 'driver')}"
            yield Note(code="watchdog-driver", node=name, subject=pick.path, text=text)
