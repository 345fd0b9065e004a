"""IOMMU groups drawn as boxes with their functions in them; functions without a group by kind."""

from __future__ import annotations

from hostagent.areas.sriov import Sriov
from hostagent.assess import Assessment, FunctionAssessment, GroupAssessment, State
from hostagent.assess.node import data, pci_id
from hostagent.host.pci import PciFunction
from hostagent.publish.page.html import NOTHING, Html, element, joined
from hostagent.publish.page.names import Names
from hostagent.publish.page.states import STATES
from hostagent.report import NodeReport
from hostagent.values.pci import PciAddress
from hostagent.values.words import capital, counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# So many groups that differ in nothing but number and address are shown as one, with a list of the others.
ALIKE = 6
# Groups of two functions take the place of two, larger ones the width of the page: their neighbours need not be as tall.
_WIDTHS = {0: "", 1: "", 2: " pair"}
# Above so many, functions of one kind have their addresses behind a fold.
LISTED = 12
_TOLD = (State.BLOCKED, State.UNSAFE)
# So many things that a function carries are named.
NAMED = 4


def sign(state: State) -> Html:
    """The state as shape, colour and word."""
    mark, word, _ = STATES[state]
    return element("b", element("i", mark, aria_hidden="true"), " ", word, cls=f"sign {state}")


def section(report: NodeReport, machine: Assessment) -> Html:
    """Groups, then what has none."""
    if not machine.functions and not machine.groups:
        return NOTHING
    draw = Drawing(report)
    shown = [box for box in machine.groups if box.state != State.PLATFORM]
    platform = [box for box in machine.groups if box.state == State.PLATFORM]
    pieces = []
    if machine.groups:
        pieces += [
            element("h2", "IOMMU groups ", element("small", counted(len(machine.groups), "group")), id="groups"),
            legend([box.state for box in machine.groups], "group"),
            element("ul", *_folded(shown, draw), cls="boxes"),
            _platform(platform, draw),
        ]
    # Host bridges and the like have no group on some machines, and nobody misses it.
    plain = machine.groups and all(part.state == State.PLATFORM for part in machine.alone)
    if machine.alone and plain:
        pieces.append(_kinds(machine.alone, draw))
    elif machine.alone:
        title = "Functions without an IOMMU group " if machine.groups else "PCI functions "
        pieces += [
            element("h2", title, element("small", counted(len(machine.alone), "function")), id="functions"),
            legend([part.state for part in machine.alone], "function"),
            _kinds(machine.alone, draw),
        ]
    return element("section", *pieces, aria_label="PCI functions by IOMMU group")


def legend(states: Sequence[State], what: str) -> Html:
    """One band with a share for each state, and what the signs mean."""
    counts = [(state, states.count(state)) for state in STATES if state in states]
    shares, at = [], 0.0
    for state, count in counts:
        width = 100 * count / len(states)
        shares.append(element("rect", x=f"{at:.2f}%", width=f"{width:.2f}%", height="100%", cls=state))
        at += width
    said = ", ".join(f"{count} {STATES[state][1]}" for state, count in counts)
    band = element("svg", *shares, cls="band", role="img", aria_label=f"{counted(len(states), what)}: {said}")
    entries = [
        element("li", sign(state), " ", element("strong", count), " ", element("span", STATES[state][2]))
        for state, count in counts
    ]
    return joined((band, element("ul", *entries, cls="legend")))


class Drawing:
    """What all functions of one page share."""

    def __init__(self, report: NodeReport) -> None:
        self._names = Names(report)
        self._remarks = _remarks(report)

    def row(self, part: FunctionAssessment, *, identified: bool = False) -> Html:
        """One function inside its group. `identified`: the ID stands above it already."""
        function = part.function
        facts = (*(() if identified else (pci_id(function),)), *self._facts(function))
        return element(
            "li",
            element("code", function.address),
            driver(part),
            element("span", self.title(function), cls="name"),
            element("small", " · ".join(facts)) if facts else None,
            None if part.reason is None else element("em", sentence(part.reason.text)),
            cls=part.state,
        )

    def title(self, function: PciFunction) -> Html:
        """Class and model."""
        model = self._names.model(function)
        kind = self._names.kind(function)
        return joined((kind, None if model is None else element("span", ": ", model)))

    def _facts(self, function: PciFunction) -> Iterable[str]:
        if function.numa_node is not None:
            yield f"NUMA node {function.numa_node}"
        yield from self._remarks.get(function.address, ())

    def shape(self, part: FunctionAssessment) -> tuple[object, ...]:
        """What functions that are alike share."""
        function = part.function
        why = None if part.reason is None else part.reason.code
        remarks = self._remarks.get(function.address)
        return (pci_id(function), function.class_id, function.driver, function.numa_node, part.state, why, remarks)


def sentence(said: str) -> str:
    """With a capital letter; the first of a long list only, the evidence has them all."""
    items = said.split(", ")
    if len(items) > NAMED + 1:
        said = f"{', '.join(items[:NAMED])} and {len(items) - NAMED} more"
    return capital(said)


def driver(part: FunctionAssessment) -> Html:
    """The driver, in the colour of the state."""
    name = part.function.driver
    mark = element("i", STATES[part.state][0], aria_hidden="true")
    return element("b", mark, " ", "no driver" if name is None else name, cls="driver")


def _remarks(report: NodeReport) -> dict[PciAddress, tuple[str, ...]]:
    """Virtual functions, console, and guests that hold a function."""
    found: dict[PciAddress, list[str]] = {}
    sriov: Sriov | None = data(report.sriov)
    vfio, pci = data(report.vfio), data(report.pci)
    for physical in () if sriov is None else sriov.physical_functions:
        said = f"{physical.num_vfs or 0} of {'?' if physical.total_vfs is None else physical.total_vfs} VFs"
        found.setdefault(physical.address, []).append(said)
    for virtual in () if sriov is None else sriov.virtual_functions:
        found.setdefault(virtual.address, []).append(f"VF of {virtual.physical_function}")
    for function in () if pci is None else pci.functions:
        if function.detail is not None and function.detail.boot_vga:
            found.setdefault(function.address, []).append("console")
    for bound in () if vfio is None else vfio.bound:
        if bound.held_by:
            found.setdefault(bound.address, []).append(f"open in {', '.join(bound.held_by)}")
    return {address: tuple(said) for address, said in found.items()}


def _alike(items: Iterable[GroupAssessment], shape: Callable[[GroupAssessment], object]) -> list[list[GroupAssessment]]:
    rows: dict[object, list[GroupAssessment]] = {}
    for item in items:
        rows.setdefault(shape(item), []).append(item)
    return list(rows.values())


def _folded(boxes: Sequence[GroupAssessment], draw: Drawing) -> Iterable[Html]:
    """A box for each group; the later ones of many that are alike behind the first."""
    alike = _alike(boxes, lambda box: (box.state, box.group.type, box.group.others, *map(draw.shape, box.functions)))
    drawn: list[tuple[int, Html]] = []
    for row in alike:
        if len(row) > ALIKE:
            drawn.append((row[0].group.number, _box(row[0], draw, _others(row[1:]))))
        else:
            drawn.extend((box.group.number, _box(box, draw)) for box in row)
    return [markup for _, markup in sorted(drawn, key=lambda one: one[0])]


def _box(box: GroupAssessment, draw: Drawing, more: Html = NOTHING) -> Html:
    number = box.group.number
    head = element("header", element("h3", f"Group {number}"), sign(box.state))
    others = [element("li", element("code", other), cls=State.PLATFORM) for other in box.group.others]
    rows = element("ul", *map(draw.row, box.functions), *others)
    wide = _WIDTHS.get(len(box.functions) + len(others), " wide")
    return element("li", head, _why(box), rows, more, cls=f"box {box.state}{wide}")


def _why(box: GroupAssessment) -> Html:
    """What keeps a group that was begun, and what nobody who reads only states would guess."""
    if box.obstacle is None or box.state not in _TOLD:
        return NOTHING
    return element("p", box.obstacle[:1].upper() + box.obstacle[1:], cls="why")


def _others(boxes: Sequence[GroupAssessment]) -> Html:
    rows = [
        element("li", f"{box.group.number} ", *(element("code", part.function.address) for part in box.functions))
        for box in boxes
    ]
    summary = element("summary", f"{len(boxes)} more groups like this")
    return element("details", summary, element("ol", *rows, cls="more"))


def _platform(boxes: Sequence[GroupAssessment], draw: Drawing) -> Html:
    """Groups nobody gives away, small and folded."""
    if not boxes:
        return NOTHING
    summary = element("summary", f"{counted(len(boxes), 'group')} of the platform: bridges and the machine's own parts")
    return element("details", summary, element("ul", *_folded(boxes, draw), cls="boxes"), cls="fold")


def _kinds(parts: Sequence[FunctionAssessment], draw: Drawing) -> Html:
    """Functions that are alike in one box: the first of each is drawn, the others are addresses."""
    kinds: dict[tuple[object, ...], list[FunctionAssessment]] = {}
    for part in parts:
        kinds.setdefault(draw.shape(part), []).append(part)
    rows = sorted(kinds.values(), key=lambda row: list(STATES).index(row[0].state))
    shown = [_kind(row, draw) for row in rows if row[0].state != State.PLATFORM]
    platform = [_kind(row, draw) for row in rows if row[0].state == State.PLATFORM]
    fold: object = NOTHING
    if platform:
        count = sum(part.state == State.PLATFORM for part in parts)
        summary = element(
            "summary", f"{counted(count, 'function')} of the platform: bridges and the machine's own parts"
        )
        fold = element("details", summary, element("ul", *platform, cls="boxes"), cls="fold")
    return joined((element("ul", *shown, cls="boxes") if shown else None, fold))


def _kind(row: Sequence[FunctionAssessment], draw: Drawing) -> Html:
    first = row[0]
    times = f"{len(row)} \N{MULTIPLICATION SIGN} " if len(row) > 1 else ""
    head = element("header", element("h3", times, pci_id(first.function)), sign(first.state))
    rest = [element("code", part.function.address) for part in row[1:]]
    more: object = NOTHING
    if len(rest) > LISTED:
        more = element("details", element("summary", f"{len(rest)} more"), element("p", joined(rest, " "), cls="more"))
    elif rest:
        more = element("p", joined(rest, " "), cls="more")
    return element("li", head, element("ul", draw.row(first, identified=True)), more, cls=f"box {first.state}")
