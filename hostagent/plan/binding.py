"""How each function gets to vfio-pci: by its ID where that takes nothing else on any node, by its address otherwise.

`ids=` takes every function with the ID. It is used where all of them, on every node given, are to be taken; with the
subsystem behind the ID where that tells them apart. Otherwise, and where a driver of the host is there first and cannot be
kept away (built in, or in an initramfs that no file of this host reaches), a unit takes the one address after boot, having
looked whose it is: by its IDs, and by its place below the root of the bus, for addresses move when a card is added. A unit does
not know its node either: where another node has the same function at the same address or place and keeps it, that is refused; and
so it is where nothing tells a function from an equal one that stays. Disks are told apart by their use as well.
"""

from __future__ import annotations

from hostagent.assess.node import Node, data, id_said, pci_id, subsystem
from hostagent.assess.reasons import Reason, Why
from hostagent.host.modules import BUILT_IN
from hostagent.host.pci import PciFunction
from hostagent.plan.choosing import Choice, Taken, place
from hostagent.plan.drivers import bound_module, class_modules, is_early
from hostagent.plan.model import IDS, KERNEL_ARGUMENT, MODPROBE, UNIT, AddressUnit, Binding, Identity, Softdep, VfioPlan
from hostagent.values.blanks import fields
from hostagent.values.module import is_module_name
from hostagent.values.pci import PciAddress, in_classes
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# The parameter is a string of 1,024 bytes with its NUL (drivers/vfio/pci/vfio_pci.c).
IDS_LIMIT = 1023
_DISKS = ("01",)
# What else may carry disks: USB and SD hosts.
_CARRIERS = (*_DISKS, "0c03", "0805")

Key = tuple[str, PciAddress]


@record
class _Method:
    """How one function is bound: the entry of `ids` that takes it, or None for a unit; and why."""

    spelled: str | None
    why: str


def bind(nodes: tuple[Node, ...], choice: Choice, initramfs: str) -> tuple[tuple[Binding, ...], VfioPlan]:
    """Every taken function's binding, and what that takes. Functions a unit must not take go to `choice.refused`."""
    built_in = _built_in(nodes)
    methods = _methods(nodes, choice, initramfs, built_in=built_in)
    stay = _staying(nodes, choice)
    bindings = tuple(
        _binding(taken, methods[key], stay, initramfs) for key, taken in sorted(choice.taken.items(), key=_order)
    )
    units = _units(choice, methods)
    _refuse_strangers(nodes, choice, units)
    _refuse_twins(nodes, choice, units)
    ids = tuple(sorted({method.spelled for method in methods.values() if method.spelled is not None}))
    channel = KERNEL_ARGUMENT if built_in else MODPROBE
    softdeps = () if built_in else _softdeps(nodes, choice, methods)
    return bindings, VfioPlan(channel=channel, built_in=built_in, ids=ids, units=units, softdeps=softdeps)


def _order(item: tuple[Key, Taken]) -> tuple[str, tuple[int, str]]:
    return item[0][0], item[0][1].order


def _built_in(nodes: tuple[Node, ...]) -> bool:
    return any(found.vfio_pci == BUILT_IN for node in nodes if (found := data(node.report.vfio)) is not None)


def _methods(nodes: tuple[Node, ...], choice: Choice, initramfs: str, *, built_in: bool) -> dict[Key, _Method]:
    kin: dict[str, list[tuple[Node, PciFunction]]] = {}
    for node in nodes:
        for function in node.functions:
            kin.setdefault(pci_id(function), []).append((node, function))
    methods: dict[Key, _Method] = {}
    length = 0
    for identity in sorted({pci_id(taken.function) for taken in choice.taken.values()}):
        mine = [function for node, function in kin[identity] if (node.name, function.address) in choice.taken]
        late = _too_late(nodes, mine, initramfs, built_in=built_in)
        found = _of_one_id(identity, kin[identity], choice, late)
        added = sum(len(spelled) + 1 for spelled in {method.spelled for method in found.values()} if spelled)
        if length + added > IDS_LIMIT + 1:
            found = dict.fromkeys(found, _Method(spelled=None, why=f"vfio-pci's ids hold {IDS_LIMIT} letters"))
            added = 0
        length += added
        methods |= found
    return methods


def _of_one_id(
    identity: str, kin: list[tuple[Node, PciFunction]], choice: Choice, late: str | None
) -> dict[Key, _Method]:
    mine = [(node, function) for node, function in kin if (node.name, function.address) in choice.taken]
    rest = [(node, function) for node, function in kin if (node.name, function.address) not in choice.taken]
    methods: dict[Key, _Method] = {}
    for node, function in mine:
        own = subsystem(function)
        alike = [(other, twin) for other, twin in rest if own is None or subsystem(twin) in (None, own)]
        if late is not None and not alike:
            method = _Method(spelled=None, why=late)
        elif not rest:
            method = _Method(spelled=identity, why=f"every {identity} on every node is to be taken")
        elif not alike:
            method = _Method(
                spelled=f"{identity}:{own}", why=f"its subsystem {own} tells it from the {identity} that stay"
            )
        else:
            other, twin = alike[0]
            method = _Method(spelled=None, why=f"{twin.address} on {other.name} has the same ID {identity} and stays")
        methods[node.name, function.address] = method
    return methods


def _too_late(nodes: tuple[Node, ...], mine: list[PciFunction], initramfs: str, *, built_in: bool) -> str | None:
    """Why an ID must not be given to vfio-pci, or would come too late, if so. Built in, vfio-pci is there before any module."""
    blind = next((node for node in nodes if node.unread), None)
    if blind is not None:
        return f"a function of {blind.name} could not be read, and may have the same ID"
    if not built_in and any(is_early(function, initramfs) for function in mine):
        return "the initramfs binds devices of its class before files of this host are read"
    for function in mine:
        driver, usual = bound_module(function), class_modules(function)
        candidates = (driver,) if driver is not None else usual
        # Whose driver nobody can tell any more, because a unit took it from it, stays with its unit.
        taken = driver is None and not usual and _overridden(function)
        if taken or any(node.has_built_in(module) for node in nodes for module in candidates):
            return f"a driver in the kernel itself has {pci_id(function)} before vfio-pci hears of the ID"
    return None


def _overridden(function: PciFunction) -> bool:
    return function.detail is not None and function.detail.driver_override == "vfio-pci"


def _staying(nodes: tuple[Node, ...], choice: Choice) -> dict[tuple[str, str], tuple[PciAddress, ...]]:
    """By node and ID, the functions that are not taken."""
    found: dict[tuple[str, str], list[PciAddress]] = {}
    for node in nodes:
        for function in node.functions:
            if (node.name, function.address) not in choice.taken:
                found.setdefault((node.name, pci_id(function)), []).append(function.address)
    return {key: tuple(addresses) for key, addresses in found.items()}


def _binding(
    taken: Taken, method: _Method, stay: dict[tuple[str, str], tuple[PciAddress, ...]], initramfs: str
) -> Binding:
    node, function = taken.node, taken.function
    return Binding(
        node=node.name,
        address=function.address,
        vendor_id=function.vendor_id,
        device_id=function.device_id,
        subsystem_vendor_id=function.subsystem_vendor_id,
        subsystem_device_id=function.subsystem_device_id,
        class_id=function.class_id,
        iommu_group=node.group(function),
        driver=function.driver,
        method=UNIT if method.spelled is None else IDS,
        why=method.why,
        early=is_early(function, initramfs),
        entry=None if taken.entry is None else place(taken.entry),
        resource_name=taken.resource_name,
        twins=stay.get((node.name, pci_id(function)), ()),
    )


def _identity(node: Node, function: PciFunction) -> Identity:
    return Identity(
        vendor_id=function.vendor_id,
        device_id=function.device_id,
        subsystem_vendor_id=function.subsystem_vendor_id,
        subsystem_device_id=function.subsystem_device_id,
        path=node.topology.path(function.address),
    )


def _units(choice: Choice, methods: dict[Key, _Method]) -> tuple[AddressUnit, ...]:
    by_address: dict[PciAddress, list[Taken]] = {}
    for key, taken in sorted(choice.taken.items(), key=_order):
        if methods[key].spelled is None:
            by_address.setdefault(key[1], []).append(taken)
    return tuple(
        AddressUnit(
            address=address,
            identities=tuple(sorted({_identity(taken.node, taken.function) for taken in found}, key=repr)),
            nodes=tuple(taken.node.name for taken in found),
            disk=any(in_classes(taken.function.class_id, _CARRIERS) for taken in found),
        )
        for address, found in sorted(by_address.items(), key=lambda item: item[0].order)
    )


def _refuse_strangers(nodes: tuple[Node, ...], choice: Choice, units: tuple[AddressUnit, ...]) -> None:
    """Refuse on every node where a unit meant for others would take what stays, if that was not refused already."""
    known = {(refusal.node, refusal.address) for refusal in choice.refused}
    for unit in units:
        for node in nodes:
            function = node.at.get(unit.address)
            if function is None or (node.name, unit.address) in choice.taken or (node.name, unit.address) in known:
                continue
            if any(_is(node, function, identity) for identity in unit.identities):
                asked = next(choice.taken[name, unit.address] for name in unit.nodes)
                text = (
                    f"the unit that takes {unit.address} on {', '.join(unit.nodes)} would take it here, where it stays"
                )
                reason = Reason(code=Why.STAYS_HERE, text=text, evidence=(id_said(function),))
                choice.refuse(node, asked.entry, function, reason)


def _refuse_twins(nodes: tuple[Node, ...], choice: Choice, units: tuple[AddressUnit, ...]) -> None:
    """Refuse what no unit can tell from an equal function that stays, once addresses have moved."""
    wanted = {f"{identity.vendor_id}:{identity.device_id}" for unit in units for identity in unit.identities}
    staying = [
        (node, function)
        for node in nodes
        for function in node.functions
        if pci_id(function) in wanted and (node.name, function.address) not in choice.taken
    ]
    for unit in units:
        for name in unit.nodes:
            taken = choice.taken[name, unit.address]
            # The rendered command looks whether a disk is in use.
            if in_classes(taken.function.class_id, _DISKS):
                continue
            identity = _identity(taken.node, taken.function)
            # At the same address of another node it is refused there.
            alike = [one for one in staying if one[1].address != unit.address or one[0].name == name]
            twin = next(((node, other) for node, other in alike if _is(node, other, identity)), None)
            if twin is not None:
                node, other = twin
                text = (
                    f"a unit takes it by its address, which moves when cards are added, and nothing else tells it from"
                    f" {other.address} on {node.name}, which stays"
                )
                choice.refuse(
                    taken.node,
                    taken.entry,
                    taken.function,
                    Reason(code=Why.TWINS, text=text, evidence=(id_said(other),)),
                )


def _is(node: Node, function: PciFunction, identity: Identity) -> bool:
    pairs = (
        (function.vendor_id, identity.vendor_id),
        (function.device_id, identity.device_id),
        (function.subsystem_vendor_id, identity.subsystem_vendor_id),
        (function.subsystem_device_id, identity.subsystem_device_id),
        (node.topology.path(function.address), identity.path),
    )
    # What is not known of either may be the same.
    return all(seen == wanted or None in (seen, wanted) for seen, wanted in pairs)


def _softdeps(nodes: tuple[Node, ...], choice: Choice, methods: dict[Key, _Method]) -> tuple[Softdep, ...]:
    """Modules that would take one of the IDs first: the drivers bound now, and those known for the class."""
    found: set[str] = set()
    for key, taken in choice.taken.items():
        if methods[key].spelled is None:
            continue
        found.update(class_modules(taken.function))
        bound = bound_module(taken.function)
        if bound is not None:
            found.add(bound)
        elif taken.function.driver is not None:
            # vfio-pci has it already; who had it before is in the configuration that made it so.
            found.update(_configured(nodes))
    return tuple(Softdep(module=module, why="it would take one of the ids before vfio-pci") for module in sorted(found))


def _configured(nodes: tuple[Node, ...]) -> Iterator[str]:
    for node in nodes:
        vfio = data(node.report.vfio)
        for line in () if vfio is None else vfio.directives:
            words = fields(line.arguments.replace("-", "_"))
            if line.command == "softdep" and "pre:" in words and "vfio_pci" in words and is_module_name(line.module):
                yield line.module
