"""IOMMU groups as a tree: what the hardware can only give away together, and what keeps it from being given away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rich.text import Text
from rich.tree import Tree

from hostagent.area import Probed
from hostagent.areas.vfio import GroupVerdict, Vfio
from hostagent.cli.table.functions import Shelf, ids, line
from hostagent.cli.table.words import BAD, CARE, GOOD, QUIET, found, text
from hostagent.host.groups import NOIOMMU, IommuGroup
from hostagent.host.pci import PciFunction
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

# So many groups in a row that differ in nothing but their numbers are the virtual functions of one card.
ALIKE = 8
VIABLE, BLOCKED, IN_USE, FIRMWARE, UNSAFE, UNKNOWN = "viable", "blocked", "in use", "firmware", "no iommu", "unknown"
# Nobody asked area vfio, which judges groups: no word, where `unknown` would be an answer.
UNJUDGED = ""
STYLES = {VIABLE: GOOD, BLOCKED: BAD, IN_USE: "", FIRMWARE: CARE, UNSAFE: BAD, UNKNOWN: QUIET}
_WIDTH = max(len(state) for state in STYLES)


@record
class Branch:
    """One group of the tree: its functions, and what stands behind its name. `judged`: whether verdicts were asked for."""

    group: IommuGroup
    verdict: GroupVerdict | None
    judged: bool
    functions: tuple[PciFunction, ...]


def branches(
    groups: tuple[IommuGroup, ...], vfio: Probed[Vfio] | None, functions: Mapping[PciAddress, PciFunction]
) -> list[Branch]:
    """Groups with their functions, in order of number. `vfio`: None where the area was not asked for."""
    judging = found(vfio)
    by_number = {verdict.number: verdict for verdict in judging.groups} if judging is not None else {}
    return [
        Branch(
            group=group,
            verdict=by_number.get(group.number),
            judged=vfio is not None,
            functions=tuple(functions[address] for address in group.members if address in functions),
        )
        for group in groups
    ]


def state(branch: Branch) -> str:
    """One word for the group. `in use`: the host's drivers hold it and nobody began to give it away."""
    if branch.group.name == NOIOMMU:
        return UNSAFE
    if branch.verdict is None:
        return UNKNOWN if branch.judged else UNJUDGED
    if branch.verdict.viable:
        return FIRMWARE if branch.verdict.direct else VIABLE
    begun = any(function.driver is not None and "vfio" in function.driver for function in branch.functions)
    return BLOCKED if begun else IN_USE


def tree(listed: list[Branch], on: Shelf, remark: Callable[[PciFunction], Text | None]) -> Tree:
    """The tree without a root: each branch a group."""
    grown = Tree("", hide_root=True, guide_style=QUIET)
    number_width = max(len(str(branch.group.number)) for branch in listed)
    for run in _runs(listed, remark):
        first = run[0]
        head = _head(first, number_width)
        alone = len(first.functions) == 1 and not first.group.others
        if alone and not on.narrow:
            grown.add(line(first.functions[0], on, remark(first.functions[0]), head))
        else:
            branch = grown.add(Text.assemble(head, "  ", _why(first)))
            for function in first.functions:
                branch.add(line(function, on, remark(function)))
            for other in first.group.others:
                branch.add(text(other))
        if len(run) > 1:
            grown.add(_alike(run, number_width))
    return grown


def _runs(listed: list[Branch], remark: Callable[[PciFunction], Text | None]) -> Iterator[list[Branch]]:
    """Branches one by one, but the second and later of a long row of equal ones with its first."""
    row: list[Branch] = []
    for branch in [*listed, None]:
        if row and (branch is None or _likeness(branch, remark) is None or not _same(row[-1], branch, remark)):
            if len(row) >= ALIKE:
                yield row
            else:
                yield from ([one] for one in row)
            row = []
        if branch is not None:
            row.append(branch)


def _same(a: Branch, b: Branch, remark: Callable[[PciFunction], Text | None]) -> bool:
    return _likeness(a, remark) == _likeness(b, remark)


def _likeness(branch: Branch, remark: Callable[[PciFunction], Text | None]) -> tuple[object, ...] | None:
    """What two groups of one function must share to be shown as one; None for other groups."""
    if len(branch.functions) != 1 or branch.group.others:
        return None
    function = branch.functions[0]
    said = remark(function)
    return (state(branch), ids(function), function.driver, function.numa_node, said.plain if said else None)


def _head(branch: Branch, width: int) -> Text:
    word = state(branch)
    bridges_only = all(function.class_id.startswith("06") for function in branch.functions)
    number = Text(str(branch.group.number).rjust(width), style="bold")
    if word == UNJUDGED:
        return number
    style = QUIET if word == VIABLE and bridges_only else STYLES[word]
    return Text.assemble(number, " ", (word.ljust(_WIDTH), style))


def _why(branch: Branch) -> Text:
    """What keeps the group, where something does."""
    word = state(branch)
    if word == BLOCKED and branch.verdict is not None:
        blockers = ", ".join(f"{blocker.driver} at {blocker.address}" for blocker in branch.verdict.blockers)
        return text(f"by {blockers}", CARE)
    if word == IN_USE and branch.verdict is not None and len(branch.functions) != 1:
        drivers = dict.fromkeys(blocker.driver for blocker in branch.verdict.blockers)
        return text(f"by {', '.join(drivers)}", QUIET)
    if word == FIRMWARE:
        return Text("keeps memory in it for itself: cannot be given away", style=CARE)
    return Text("nothing isolates it", style=BAD) if word == UNSAFE else Text()


def _alike(run: list[Branch], width: int) -> Text:
    """The second and later groups of a run, as one line under the first."""
    second, last = run[1], run[-1]
    function = second.functions[0]
    numbers = f"{'⋮'.rjust(width)} {second.group.number} to {last.group.number}: {len(run) - 1} more of {ids(function)}"
    return Text(f"{numbers}, {function.address} to {last.functions[0].address}", style=QUIET)
