"""Profiles for tests: the platform, and what stands below it."""

from __future__ import annotations

from hostagent.plan import Plan, plan
from hostagent.plan.model import Note
from hostagent.profile import Profile, read_profile
from tests.plan.machines import Machine


def profile(body: str = "", platform: str = "{name: openshift, version: 4.20}") -> Profile:
    return read_profile(f"platform: {platform}\n{body}", "profile.yaml")


def devices(*entries: str, platform: str = "{name: openshift, version: 4.20}") -> Profile:
    """One entry a line, in braces."""
    return profile("devices:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries), platform)


DEBIAN = "{name: debian}"


def planned(wishes: Profile, *machines: Machine) -> Plan:
    """The plan for machines called a, b, c ..."""
    return plan(tuple((chr(ord("a") + number), machine.report()) for number, machine in enumerate(machines)), wishes)


def noted(found: Plan) -> tuple[Note, ...]:
    """The notes of a plan, but for what was not looked at, which every machine in memory has."""
    return tuple(note for note in found.notes if note.code != "not-looked-at")
