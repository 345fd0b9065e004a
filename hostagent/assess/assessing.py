"""`assess`: a report, judged. Pure."""

from __future__ import annotations

from hostagent.assess.groups import assessed, blockers, vgpus
from hostagent.assess.iommu import why_off, why_unremapped
from hostagent.assess.model import Assessment, FunctionAssessment, State, Unseen
from hostagent.assess.node import Node, data, is_bridge
from hostagent.assess.protected import protections
from hostagent.assess.reasons import Reason, Why
from hostagent.assess.unmet import unmet_ids, unmet_pages
from hostagent.host.pci import PciFunction
from hostagent.report import NodeReport, surveyed
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from hostagent.values.vfio import is_vfio_driver

_MACHINERY = frozenset((Why.BRIDGE, Why.PLATFORM))


def assess(report: NodeReport) -> Assessment:
    """Every function and group of the report. Whoever has a `Node` of it asks `judged`."""
    return judged(Node("node", report))


def judged(node: Node) -> Assessment:
    """The assessment of a node's report, made once."""
    if node.assessment is None:
        node.assessment = _assessment(node)
    return node.assessment


def _assessment(node: Node) -> Assessment:
    report = node.report
    vfio, iommu = data(report.vfio), data(report.iommu)
    verdicts = {one.number: one for one in (() if vfio is None else vfio.groups)}
    own, unremapped = vgpus(node), why_unremapped(node)
    parts = _functions(node, own)
    groups = tuple(
        assessed(
            group,
            tuple(parts[address] for address in group.members if address in parts),
            verdicts.get(group.number),
            own,
            unremapped,
            asked=report.vfio is not None,
        )
        for group in (() if iommu is None else iommu.groups)
    )
    grouped = {part.function.address for one in groups for part in one.functions}
    return Assessment(
        functions=tuple(parts.values()),
        groups=groups,
        alone=tuple(_alone(part) for address, part in parts.items() if address not in grouped),
        iommu_off=why_off(node),
        unremapped=unremapped,
        unknown_uses=_unknown_uses(report),
        unmet_pages=unmet_pages(node),
        unmet_ids=unmet_ids(node),
        unseen=unseen(report),
    )


def unseen(report: NodeReport) -> tuple[Unseen, ...]:
    """What the areas did not look at."""
    return tuple(
        Unseen(area=area.name, text=text)
        for area, probed in surveyed(report)
        if probed.data is not None
        for text in area.unseen(probed.data)
    )


def _functions(node: Node, own: frozenset[PciAddress]) -> dict[PciAddress, FunctionAssessment]:
    stays, vfio = protections(node), data(node.report.vfio)
    given = {one.address for one in node.functions if one.driver is not None and is_vfio_driver(one.driver)} | own
    begun = {node.group(node.at[address]) for address in given}
    keep = {
        blocker.address
        for verdict in (() if vfio is None else vfio.groups)
        if verdict.number in begun
        for blocker in blockers(verdict, own)
    }
    return {
        function.address: _function(
            function,
            stays.get(function.address, ()),
            given=function.address in given,
            blocker=function.address in keep,
        )
        for function in node.functions
    }


def _function(function: PciFunction, reasons: tuple[Reason, ...], *, given: bool, blocker: bool) -> FunctionAssessment:
    telling = next((reason for reason in reasons if reason.code not in _MACHINERY), None)
    if given:
        state = State.BOUND
    elif blocker:
        state = State.BLOCKED
    elif is_bridge(function) or (reasons and telling is None):
        state, telling = State.PLATFORM, None
    elif telling is not None:
        state = State.PROTECTED
    else:
        state = State.FREE if function.driver is None else State.IN_USE
    return FunctionAssessment(function=function, state=state, reasons=reasons, reason=telling)


def _alone(part: FunctionAssessment) -> FunctionAssessment:
    return replaced(part, state=State.IDLE) if part.state is State.FREE else part


def _unknown_uses(report: NodeReport) -> tuple[str, ...]:
    network, storage = data(report.network), data(report.storage)
    known = {
        "routes": network is not None and network.routes_known,
        "mounts": storage is not None and storage.mounts_known,
    }
    return tuple(name for name, told in known.items() if not told)
