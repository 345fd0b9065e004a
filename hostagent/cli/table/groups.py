"""IOMMU groups as a tree: what the hardware can only give away together, and what keeps it from being given away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.text import Text
from rich.tree import Tree

from hostagent.assess import WORDS, GroupAssessment, State
from hostagent.cli.table.functions import Shelf, ids, line
from hostagent.cli.table.words import BAD, CARE, GOOD, QUIET, text
from hostagent.host.pci import PciFunction

# So many groups in a row that differ in nothing but their numbers are the virtual functions of one card.
ALIKE = 8
_STYLES = {
    State.BOUND: GOOD,
    State.FREE: GOOD,
    State.BLOCKED: BAD,
    State.IN_USE: "",
    State.IDLE: QUIET,
    State.PROTECTED: CARE,
    State.UNSAFE: BAD,
    State.UNKNOWN: QUIET,
    State.PLATFORM: QUIET,
}
_WIDTH = max(len(word) for word, _ in WORDS.values())
_TOLD = (State.BLOCKED, State.UNSAFE)


def word(branch: GroupAssessment) -> str | None:
    """The state of a group; None where nobody asked area vfio: no word, where `unknown` would be an answer."""
    return None if branch.state is State.UNKNOWN and not branch.asked else WORDS[branch.state][0]


def tree(listed: tuple[GroupAssessment, ...], on: Shelf, remark: Callable[[PciFunction], Text | None]) -> Tree:
    """The tree without a root: each branch a group."""
    grown = Tree("", hide_root=True, guide_style=QUIET)
    number_width = max(len(str(branch.group.number)) for branch in listed)
    for run in _runs(listed, remark):
        first = run[0]
        head = _head(first, number_width)
        alone = len(first.functions) == 1 and not first.group.others and not _why(first)
        if alone and not on.narrow:
            grown.add(line(first.functions[0].function, on, remark(first.functions[0].function), head))
        else:
            branch = grown.add(Text.assemble(head, "  ", _why(first)))
            for part in first.functions:
                branch.add(line(part.function, on, remark(part.function)))
            for other in first.group.others:
                branch.add(text(other))
        if len(run) > 1:
            grown.add(_alike(run, number_width))
    return grown


def _runs(
    listed: tuple[GroupAssessment, ...], remark: Callable[[PciFunction], Text | None]
) -> Iterator[list[GroupAssessment]]:
    """Groups one by one, but the second and later of a long row of equal ones with its first."""
    row: list[GroupAssessment] = []
    for branch in [*listed, None]:
        if row and (branch is None or _likeness(branch, remark) is None or not _same(row[-1], branch, remark)):
            if len(row) >= ALIKE:
                yield row
            else:
                yield from ([one] for one in row)
            row = []
        if branch is not None:
            row.append(branch)


def _same(a: GroupAssessment, b: GroupAssessment, remark: Callable[[PciFunction], Text | None]) -> bool:
    return _likeness(a, remark) == _likeness(b, remark)


def _likeness(branch: GroupAssessment, remark: Callable[[PciFunction], Text | None]) -> tuple[object, ...] | None:
    """What two groups of one function must share to be shown as one; None for other groups."""
    if len(branch.functions) != 1 or branch.group.others:
        return None
    function = branch.functions[0].function
    said = remark(function)
    return (word(branch), ids(function), function.driver, function.numa_node, said.plain if said else None)


def _head(branch: GroupAssessment, width: int) -> Text:
    said = word(branch)
    number = Text(str(branch.group.number).rjust(width), style="bold")
    return number if said is None else Text.assemble(number, " ", (said.ljust(_WIDTH), _STYLES[branch.state]))


def _why(branch: GroupAssessment) -> Text:
    """What keeps a group that was begun, and what nobody who reads only states would guess."""
    if branch.obstacle is None or branch.state not in _TOLD:
        return Text()
    return text(branch.obstacle, CARE)


def _alike(run: list[GroupAssessment], width: int) -> Text:
    """The second and later groups of a run, as one line under the first."""
    second, last = run[1], run[-1]
    function = second.functions[0].function
    numbers = f"{'⋮'.rjust(width)} {second.group.number} to {last.group.number}: {len(run) - 1} more of {ids(function)}"
    return Text(f"{numbers}, {function.address} to {last.functions[0].function.address}", style=QUIET)
