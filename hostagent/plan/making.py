"""`plan`: the one place where everything that was found and asked becomes what is to be done."""

from __future__ import annotations

from itertools import pairwise

from hostagent.assess.assessing import unseen
from hostagent.assess.node import Node, data
from hostagent.assess.reasons import Why
from hostagent.plan.arguments import iommu_arguments, nested, removals, vfio_arguments
from hostagent.plan.binding import bind
from hostagent.plan.choosing import Choice, choose, postponed
from hostagent.plan.fleet import fleet
from hostagent.plan.model import (
    MODPROBE,
    Binding,
    Fleet,
    Initramfs,
    KernelArgument,
    Note,
    Plan,
    PlatformPlan,
    PoolPlan,
    Protected,
    Refusal,
    VfioPlan,
    WatchdogPlan,
)
from hostagent.plan.permitted import permitted
from hostagent.plan.pools import pool_arguments, pool_notes, pool_plans, pool_refusals
from hostagent.plan.watchdog import watchdog_plan
from hostagent.platforms import GENERIC, PLATFORMS
from hostagent.profile import Iommu, Platform, Profile
from hostagent.report import NodeReport
from hostagent.values.record import replaced

# What dracut and update-initramfs have to put into the initramfs for ids to be heard there.
_VFIO_MODULES = ("vfio", "vfio_iommu_type1", "vfio_pci")


class NodesError(Exception):
    """Reports that cannot be planned for together: no two may have one name."""


def plan(reports: tuple[tuple[str, NodeReport], ...], profile: Profile) -> Plan:
    """What the nodes are to become. Pure, and the same whatever the order of the reports. Raises NodesError."""
    return planned(tuple(Node(name, report) for name, report in reports), profile)


def planned(nodes: tuple[Node, ...], profile: Profile) -> Plan:
    """`plan` for nodes whose judgement others read too. Raises NodesError."""
    nodes = tuple(sorted(nodes, key=lambda node: node.name))
    twice = next((one.name for one, other in pairwise(nodes) if one.name == other.name), None)
    if twice is not None:
        raise NodesError(f"two reports of {twice}: expected one of each node")
    whole = _plan(nodes, profile)
    role = _role(profile.platform) or "role"
    return replaced(whole, fleet=fleet(nodes, whole.refused, role, lambda some: not _plan(some, profile).refused))


def _plan(nodes: tuple[Node, ...], profile: Profile) -> Plan:
    initramfs = PLATFORMS[profile.platform.name].initramfs
    choice = choose(nodes, profile)
    bindings, vfio = bind(nodes, choice, initramfs)
    offered = permitted(choice)
    pools, pages, short = _pools(nodes, profile)
    watchdog, unwatched, watching = watchdog_plan(nodes, profile.watchdog)
    wanted = bool(bindings) or any(map(postponed, choice.refused))
    iommu, about = _iommu(nodes, profile, devices=wanted)
    options, switches = nested(nodes, profile)
    arguments = (*iommu, *vfio_arguments(vfio), *switches, *pages)
    return Plan(
        platform=_platform(profile.platform),
        nodes=tuple(node.name for node in nodes),
        kernel_arguments=arguments,
        remove_arguments=removals(nodes, profile, arguments, devices=wanted),
        bindings=bindings,
        vfio=vfio,
        modules_load=_modules_load(bindings, vfio, watchdog),
        module_options=tuple(options),
        initramfs=_initramfs(initramfs, vfio, watchdog),
        default_page_size=None if profile.hugepages is None else profile.hugepages.default_size,
        pools=pools,
        watchdog=watchdog,
        permitted=offered,
        protected=tuple(
            Protected(node=name, address=address, reasons=reasons)
            for name, stays in choice.stays.items()
            for address, reasons in stays.items()
        ),
        refused=_sorted((*choice.refused, *short, *unwatched)),
        unmatched=tuple(choice.unmatched),
        notes=_noted(
            (*choice.notes, *about, *pool_notes(pools), *watching, *_about(nodes, choice), *_unseen(nodes, bindings))
        ),
        fleet=Fleet(unsafe=(), roles=()),
    )


def _platform(platform: Platform) -> PlatformPlan:
    return PlatformPlan(name=platform.name, version=platform.release, role=_role(platform))


def _role(platform: Platform) -> str | None:
    return platform.role or PLATFORMS[platform.name].role


def _pools(
    nodes: tuple[Node, ...], profile: Profile
) -> tuple[tuple[PoolPlan, ...], list[KernelArgument], list[Refusal]]:
    wishes = profile.hugepages
    if wishes is None:
        return (), [], []
    pools = pool_plans(nodes, wishes)
    return pools, pool_arguments(wishes.default_size, pools), pool_refusals(nodes, wishes)


def _iommu(nodes: tuple[Node, ...], profile: Profile, *, devices: bool) -> tuple[list[KernelArgument], list[Note]]:
    if profile.iommu is not None:
        return iommu_arguments(nodes, profile.iommu)
    return iommu_arguments(nodes, Iommu()) if devices else ([], [])


def _modules_load(bindings: tuple[Binding, ...], vfio: VfioPlan, watchdog: WatchdogPlan | None) -> tuple[str, ...]:
    found = ["vfio-pci"] if bindings and not vfio.built_in else []
    return (*found, *([watchdog.module] if watchdog is not None and watchdog.module is not None else []))


def _initramfs(kind: str, vfio: VfioPlan, watchdog: WatchdogPlan | None) -> Initramfs:
    if kind == GENERIC:
        return Initramfs(kind=kind, modules=())
    found = _VFIO_MODULES if vfio.ids and vfio.channel == MODPROBE else ()
    early = (watchdog.module,) if watchdog is not None and watchdog.module is not None else ()
    return Initramfs(kind=kind, modules=(*found, *early))


def _sorted(refused: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    return tuple(sorted(dict.fromkeys(refused), key=_order))


def _order(one: Refusal) -> tuple[object, ...]:
    """What is known of a function comes before what is not."""
    address = one.address.order if one.address else (0, "")
    return one.node, one.entry, address, one.reason.code is Why.UNKNOWN, one.reason.code


def _noted(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    return tuple(sorted(dict.fromkeys(notes), key=lambda note: (note.node or "", note.code, note.subject)))


def _unseen(nodes: tuple[Node, ...], bindings: tuple[Binding, ...]) -> list[Note]:
    """What nobody looked at on nodes where functions are taken; said once where it is so on all of them."""
    taking = [node for node in nodes if any(one.node == node.name for one in bindings)]
    found: dict[tuple[str, str], list[str]] = {}
    for node in taking:
        for one in unseen(node.report):
            found.setdefault((one.area, f"not looked at: {one.text}"), []).append(node.name)
    return [
        Note(code="not-looked-at", node=name, subject=area, text=text)
        for (area, text), names in found.items()
        for name in ([None] if len(names) == len(nodes) else names)
    ]


def _about(nodes: tuple[Node, ...], choice: Choice) -> list[Note]:
    """What is to be known about functions that are taken."""
    found: list[Note] = []
    for node in nodes:
        mine = [taken.function for (name, _), taken in choice.taken.items() if name == node.name]
        sriov = data(node.report.sriov)
        virtual = {one.address: one.physical_function for one in sriov.virtual_functions} if sriov is not None else {}
        if mine and not node.groups:
            text = (
                "it has no IOMMU groups yet: of each slot and each conventional PCI bus one is expected, and what else has to"
                " come along shows after the reboot that switches the IOMMU on"
            )
            found.append(Note(code="groups-unknown", node=node.name, subject="iommu", text=text))
        for function in mine:
            if function.address in virtual:
                text = f"it is a virtual function: {virtual[function.address]} has to make it at every boot"
                found.append(Note(code="virtual-function", node=node.name, subject=str(function.address), text=text))
    return found
