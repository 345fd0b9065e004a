"""The probe as root and as a user without any capability: the difference is what docs/root-only-facts.md says, no more."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

from tests.lab.image import CHECKOUT
from tests.lab.law import leaves
from tests.lab.look import Look


def documented() -> tuple[set[str], set[str]]:
    """(facts, areas that report a problem without privilege) of the table for people.

    A row: | `kubelet.cpu_manager_policy`, `shared_cpus` | ... | null, a problem |
    """
    facts: set[str] = set()
    areas: set[str] = set()
    for line in (CHECKOUT / "docs/root-only-facts.md").read_text().splitlines():
        names = re.findall(r"`([^`]+)`", line.split("|")[1]) if line.startswith("| `") else []
        for name in names:
            area = names[0].partition(".")[0]
            facts.add(name if "." in name else f"{area}.{name}")
            if re.search(r"\ba problem\b", line.split("|")[-2]):
                areas.add(area)
    return facts, areas


def _name(path: str) -> str:
    """`watchdog.data.devices[watchdog0].held_by` -> watchdog.devices[].held_by"""
    return re.sub(r"\[.*?\]", "[]", path.replace(".data.", ".", 1))


def _fact(path: str, facts: set[str], areas: set[str]) -> str | None:
    """The documented fact that a path belongs to."""
    name = _name(path)
    area, _, rest = name.partition(".")
    if rest.startswith("problems") and area in areas:
        return f"{area}.problems"
    for fact in facts:
        pattern = fact.replace("[]", "[[]]")
        if any(fnmatchcase(name, pattern + end) for end in ("", ".*", "[[]*")):
            return fact
    return None


def _differing(look: Look) -> dict[str, tuple[Any, Any]]:
    root, nobody = dict(leaves(look.report)), dict(leaves(look.nobody))
    pairs = {
        path: (root.get(path, "nothing"), nobody.get(path, "nothing")) for path in sorted(root.keys() | nobody.keys())
    }
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def unexplained(look: Look) -> list[str]:
    """Differences that the documented list does not explain."""
    facts, areas = documented()
    return [
        f"privilege: {path}: root {root!r}, nobody {nobody!r}"
        for path, (root, nobody) in _differing(look).items()
        if _fact(path, facts, areas) is None
    ]


def hidden(look: Look) -> set[str]:
    """The documented facts that nobody really does not see on this machine."""
    facts, areas = documented()
    return {fact for path in _differing(look) if (fact := _fact(path, facts, areas)) is not None}
