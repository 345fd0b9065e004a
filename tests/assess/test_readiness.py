"""What labels and metrics say in one word of a node."""

from __future__ import annotations

from hostagent.assess.readiness import GroupViability, Readiness, readiness
from hostagent.report import AREAS, NodeReport
from hostagent.values.record import replaced
from tests.plan.machines import Machine

_LOADED = "vfio_pci 65536 0 - Live 0x0\n"


def _host() -> Machine:
    """A free NIC, one on a driver of the host that shares its group with a bridge, and one on vfio-pci."""
    machine = Machine()
    machine.function("0000:01:00.0", "8086:1521", "020000", group=1)
    machine.function("0000:02:00.0", "8086:1521", "020000", driver="igb", group=2)
    machine.function("0000:02:00.1", "8086:1901", "060400", driver="pcieport", group=2)
    return machine.function("0000:03:00.0", "8086:1521", "020000", driver="vfio-pci", group=3)


def _of(report: NodeReport) -> tuple[bool | None, bool | None, tuple[tuple[int, bool], ...]]:
    found = readiness(report)
    return found.iommu_enabled, found.vfio_ready, tuple((one.number, one.viable) for one in found.viable)


def test_groups_and_a_loaded_module() -> None:
    viable = ((1, True), (2, False), (3, True))
    assert _of(_host().report()) == (True, False, viable)
    assert _of(_host().put({"proc/modules": _LOADED}).report()) == (True, True, viable)


def test_a_built_in_module_needs_no_line_of_proc_modules() -> None:
    machine = _host().put({"lib/modules/6.12.0/modules.builtin": "kernel/drivers/vfio/pci/vfio-pci.ko\n"})
    assert readiness(machine.report()).vfio_ready is True


def test_a_loaded_module_without_groups_is_not_ready() -> None:
    assert _of(Machine().put({"proc/modules": _LOADED}).report()) == (True, False, ())


def test_groups_of_no_iommu_mode_are_neither_ready_nor_viable() -> None:
    machine = _host().put({f"sys/kernel/iommu_groups/{number}/name": "vfio-noiommu\n" for number in (1, 2, 3)})
    del machine.files["sys/class/iommu/dmar0/intel-iommu/cap"]
    assert _of(machine.put({"proc/modules": _LOADED}).report()) == (False, False, ())


def test_how_many_a_guest_could_have() -> None:
    found = [(one.device_id, one.total, one.bound, one.assignable) for one in readiness(_host().report()).counts]
    assert found == [("1521", 3, 1, 2), ("1901", 1, 0, 0)]


def test_of_some_areas() -> None:
    whole = _host().report()
    none = replaced(whole, **dict.fromkeys(AREAS))
    assert readiness(none) == Readiness(iommu_enabled=None, vfio_ready=None, viable=(), counts=())
    assert _of(replaced(none, iommu=whole.iommu)) == (True, None, ())
    found = readiness(replaced(none, vfio=whole.vfio))
    assert (found.iommu_enabled, found.vfio_ready) == (None, False)
    assert found.viable[1] == GroupViability(number=2, viable=False)
