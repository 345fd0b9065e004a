"""What advice says: findings, and the codes they carry.

A code is declared once, in the module of its topic, with what is true of every finding that carries it; documents, `hostagent
explain` and the findings themselves are made from that declaration. Codes never change their meaning: people filter on them.
"""

from __future__ import annotations

from hostagent.assess.reasons import Evidence
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Severities. A blocker: what is wanted cannot work. A warning: it works and should not be left so. A note: to be known.
BLOCKER, WARNING, NOTE = "BLOCKER", "WARNING", "NOTE"
SEVERITIES = (BLOCKER, WARNING, NOTE)

# What a remedy is.
RENDER = "render"  # `hostagent render TARGET --profile ...` writes it; a reboot applies it
FIRMWARE = "firmware"  # a setting of the firmware's setup
MOVE = "move-card"  # the card has to go to another slot
REBOOT = "reboot"  # everything is written; it counts from the next boot
PROFILE = "profile"  # ask for something else
NONE = "none"  # nothing that hostagent writes: the text says what helps, or that nothing does
REMEDIES = (RENDER, FIRMWARE, MOVE, REBOOT, PROFILE, NONE)

# Targets of `hostagent render` that remedies name.
KARGS, MODPROBE, MODULES_LOAD, SYSTEMD = "kargs", "modprobe", "modules-load", "systemd"
TARGETS = (KARGS, MODPROBE, MODULES_LOAD, SYSTEMD)


@record
class Remedy:
    """What helps. `target`: what to render, None for other kinds."""

    kind: str
    target: str | None
    text: str


@record
class Code:
    """A declared finding. `cause`: why it is so and why it matters. `proof`: which files show it, and how to look."""

    name: str
    title: str
    cause: str
    proof: str
    remedy: Remedy


@record
class Finding:
    """One judgement. `subject`: an address, a group, a pool, a device node or `node`; `sentence` stands by itself."""

    code: str
    severity: str
    subject: str
    sentence: str
    evidence: tuple[Evidence, ...]
    remedy: Remedy


def render(target: str, text: str) -> Remedy:
    """A remedy that is a file of ours."""
    return Remedy(kind=RENDER, target=target, text=text)


def other(kind: str, text: str) -> Remedy:
    """A remedy that is none."""
    return Remedy(kind=kind, target=None, text=text)


def finding(
    code: Code,
    severity: str,
    subject: str,
    sentence: str,
    evidence: Iterable[Evidence],
    *,
    remedy: Remedy | None = None,
) -> Finding:
    """A finding of a declared code; `remedy` where this case has a nearer one than its code."""
    return Finding(
        code=code.name,
        severity=severity,
        subject=subject,
        sentence=sentence,
        evidence=tuple(dict.fromkeys(evidence)),
        remedy=remedy or code.remedy,
    )


def said(path: str, text: str) -> Evidence:
    """A file (relative to the root), and what it said."""
    return Evidence(path=path, said=text)
