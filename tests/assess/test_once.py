"""A report is judged once, whoever reads the judgement: counted by passes over the disks of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hostagent.advice import advised
from hostagent.assess import assess, judged
from hostagent.assess.node import Node
from hostagent.assess.protected import protections
from hostagent.daemon.published import published
from hostagent.daemon.state import Snapshot
from hostagent.host.disks import Disk
from hostagent.plan import planned
from hostagent.publish.labels import NodeLabels
from hostagent.publish.page import page
from hostagent.report import NodeReport
from hostagent.values.record import replaced
from tests.plan.machines import worker
from tests.plan.profiles import devices


class _Counted(tuple[Disk, ...]):
    """Disks, and how often somebody went through them."""

    __slots__ = ()
    passes = 0

    def __iter__(self) -> Iterator[Disk]:
        type(self).passes += 1
        return super().__iter__()


def _report() -> NodeReport:
    report = worker().report()
    assert report.storage is not None
    assert report.storage.data is not None
    counted = replaced(report.storage.data, disks=_Counted(report.storage.data.disks))
    return replaced(report, storage=replaced(report.storage, data=counted))


def _passes(work: Callable[[], object]) -> int:
    _Counted.passes = 0
    work()
    return _Counted.passes


def test_plan_and_advice_read_what_was_judged() -> None:
    node, profile = Node("n", _report()), devices("id: '10de:1eb8'")
    judging = _passes(lambda: judged(node))
    assert judging > 0
    assert _passes(lambda: (judged(node), protections(node))) == 0
    # What they look up of disks for themselves; that is the same where nobody has judged before, and then judging comes to it.
    own = _passes(lambda: advised(node, planned((node,), profile)))
    fresh = Node("n", node.report)
    assert _passes(lambda: (advised(fresh, planned((fresh,), profile)), judged(fresh))) == own + judging


def test_the_page_reads_the_assessment_it_is_given() -> None:
    node = Node("n", _report())
    alone, own = _passes(lambda: judged(node)), _passes(lambda: page(node.report, judged=judged(node)))
    assert _passes(lambda: page(node.report)) == own + alone
    snapshot = Snapshot(report=node.report, findings=(), labels=NodeLabels(labels=(), dropped=()))
    assert _passes(lambda: published(snapshot, node, sinks=frozenset(), title="n", since=0.0)) <= own + 1
    assert page(node.report) == page(node.report, judged=judged(node))


def test_what_is_judged_is_the_same_through_a_node() -> None:
    assert judged(Node("another", _report())) == assess(_report())
