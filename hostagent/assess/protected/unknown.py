"""What could be meant where an area is not known: not to know is no permission.

Each area declares its `Guard` (hostagent.area): what it protects, and which functions could carry it.
"""

from __future__ import annotations

from hostagent.area import Area
from hostagent.assess.node import Node
from hostagent.assess.reasons import Evidence, Why, because
from hostagent.host import Problem
from hostagent.host.pci import PciFunction
from hostagent.host.problem import MALFORMED
from hostagent.report import AREAS, surveyed
from hostagent.values.pci import in_classes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from hostagent.assess.reasons import Found


def unknown_areas(node: Node) -> Found:
    """For each area that the report does not have, every function it could have protected; the narrowest reasons first."""
    lost = [(name, area) for name, area in AREAS.items() if not _has(node, name)]
    for name, area in sorted(lost, key=lambda item: item[1].guard is None or item[1].guard.classes is None):
        yield from suspected(node, area, name)


def unread_files(node: Node) -> Found:
    """For each area one of whose sources could not be read, the same, naming the first such file."""
    for area, probed in surveyed(node.report):
        sources = () if area.guard is None else area.guard.sources
        lost = next((problem.path for problem in probed.problems if _is_lost(problem, sources)), None)
        if lost is not None:
            yield from suspected(node, area, lost)


def _is_lost(problem: Problem, sources: tuple[str, ...]) -> bool:
    # What was read and is odd is one fact; of what was not read nobody knows how many it would have been.
    return problem.kind != MALFORMED and problem.path.startswith(sources)


def _has(node: Node, name: str) -> bool:
    probed = getattr(node.report, name)
    return probed is not None and probed.data is not None


def suspected(node: Node, area: Area[Any], path: str) -> Found:
    """Every function that what `area` protects could be on. `path`: what was not read."""
    if area.guard is None:
        return
    evidence = Evidence(path=path, said="not read")
    for function in meant(node, area):
        yield function.address, because(Why.UNKNOWN, f"it is not known {area.guard.unknown}", evidence)


def meant(node: Node, area: Area[Any]) -> Iterator[PciFunction]:
    """The functions that an area's guard names."""
    guard = area.guard
    if guard is None:
        return
    for function in node.functions:
        in_class = guard.classes is None or in_classes(function.class_id, guard.classes)
        if in_class and (not guard.driven or node.drives(function)):
            yield function
