"""One node as advice looks at it: its report, what is wanted of it, and what its files ask for at the next boot.

Wanted is what the plan binds here. Without a plan it is what somebody has configured or bound already: advice has no other
way to know which devices are meant for guests.
"""

from __future__ import annotations

from hostagent.areas.vfio import Vfio
from hostagent.assess import Assessment, judged
from hostagent.assess.node import Node, data
from hostagent.assess.reasons import Evidence
from hostagent.host.overrides import OVERRIDE
from hostagent.host.pci import PciFunction
from hostagent.plan.model import Binding, Plan, Refusal
from hostagent.values.blanks import fields, stripped
from hostagent.values.pci import PciAddress
from hostagent.values.record import record
from hostagent.values.vfio import is_vfio_driver, takes


@record
class Configured:
    """What binds a function to vfio-pci at the next boot. `by_id`: through vfio-pci's ids, not by its address."""

    by_id: bool
    evidence: Evidence


class View:
    """`plan` None: nobody said what is wanted."""

    def __init__(self, node: Node, plan: Plan | None) -> None:
        self.node = node
        self.report = report = node.report
        self.plan = plan
        self.vfio: Vfio | None = data(report.vfio)
        mine = () if plan is None else plan.bindings
        self.bindings: dict[PciAddress, Binding] = {one.address: one for one in mine if one.node == node.name}
        self.refused: tuple[Refusal, ...] = tuple(
            one for one in (plan.refused if plan else ()) if one.node == node.name
        )
        self.configured: dict[PciAddress, Configured] = _configured(self.node, self.vfio)
        self.bound: dict[PciAddress, PciFunction] = {
            function.address: function
            for function in self.node.functions
            if function.driver is not None and is_vfio_driver(function.driver)
        }

    @property
    def assessed(self) -> Assessment:
        """The report, judged; once, and only where a topic asks."""
        return judged(self.node)

    @property
    def wanted(self) -> tuple[PciFunction, ...]:
        """Functions meant for guests, in order of address."""
        meant = {*self.configured, *self.bound} if self.plan is None else {*self.bindings}
        return tuple(function for function in self.node.functions if function.address in meant)

    def asker(self, function: PciFunction) -> str:
        """Who wants a function, for sentences."""
        binding = self.bindings.get(function.address)
        if binding is not None:
            return "the profile" if binding.entry is None else f"the profile's {binding.entry}"
        configured = self.configured.get(function.address)
        return "vfio-pci, which holds it," if configured is None else configured.evidence.path

    def loads_vfio(self) -> tuple[Evidence, ...]:
        """What loads vfio-pci at boot: modules-load.d, a softdep, a unit or driverctl, a kernel argument."""
        return tuple(
            Evidence(path=line.source, said=stripped(f"{line.command} {line.module} {line.arguments}"))
            for line in (() if self.vfio is None else self.vfio.directives)
            if (line.command in ("load", OVERRIDE) and line.module == "vfio_pci")
            or _pulls(line.command, line.arguments)
        )

    def softdep(self, module: str) -> bool:
        """Whether `module` waits for vfio-pci."""
        return any(
            line.module == module and _pulls(line.command, line.arguments)
            for line in (() if self.vfio is None else self.vfio.directives)
        )


def _pulls(command: str, arguments: str) -> bool:
    words = fields(arguments.replace("-", "_"))
    return command == "softdep" and "pre:" in words and "vfio_pci" in words


def _configured(node: Node, vfio: Vfio | None) -> dict[PciAddress, Configured]:
    found: dict[PciAddress, Configured] = {}
    for line in () if vfio is None else vfio.directives:
        address = PciAddress.parse(line.arguments) if line.command == OVERRIDE else None
        if address is not None and address in node.at:
            evidence = Evidence(path=line.source, said=f"binds {address} to vfio-pci")
            found.setdefault(address, Configured(by_id=False, evidence=evidence))
    for request in () if vfio is None else vfio.id_requests:
        for function in node.functions if request.effective else ():
            identity = next((one for one in request.ids if _takes(one, function)), None)
            if identity is not None:
                evidence = Evidence(path=request.source, said=f"vfio-pci ids={','.join(request.ids)}")
                found.setdefault(function.address, Configured(by_id=True, evidence=evidence))
    return found


def _takes(identity: str, function: PciFunction) -> bool:
    # vfio-pci refuses bridges: their header is not of type 0.
    return not function.class_id.startswith("0604") and takes(
        identity,
        vendor_id=function.vendor_id,
        device_id=function.device_id,
        subsystem_vendor_id=function.subsystem_vendor_id,
        subsystem_device_id=function.subsystem_device_id,
        class_id=function.class_id,
    )
