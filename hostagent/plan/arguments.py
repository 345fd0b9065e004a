"""Kernel arguments for the IOMMU and KVM, and the words on present command lines that would undo what is planned.

Intel's IOMMU wants intel_iommu=on where the kernel was not built to switch it on. AMD's and Arm's are on unless switched
off: `amd_iommu=on` is no option the kernel knows ("AMD-Vi: Unknown option - 'on'"), and is only given to those who ask for
what manuals say. `iommu=pt` is x86's, `iommu.passthrough=1` Arm's word for host devices that pass through.
"""

from __future__ import annotations

from hostagent.assess.node import AMD, ARM, INTEL, Node, data
from hostagent.host.modules import BUILT_IN
from hostagent.plan.model import (
    HUGEPAGES,
    IOMMU,
    KERNEL_ARGUMENT,
    KVM,
    VFIO,
    KernelArgument,
    ModuleOption,
    Note,
    VfioPlan,
)
from hostagent.values.cmdline import parse, same_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.profile import Iommu, Profile

_HUGE = ("default_hugepagesz", "hugepagesz", "hugepages")
_KVM = {INTEL: "kvm_intel", AMD: "kvm_amd"}


def _argument(word: str, topic: str, why: str) -> KernelArgument:
    return KernelArgument(words=(word,), topic=topic, why=why)


def iommu_arguments(nodes: tuple[Node, ...], wishes: Iommu) -> tuple[list[KernelArgument], list[Note]]:
    """What switches the IOMMU on for all nodes, each harmless on the others."""
    vendors = {node.iommu_vendor() for node in nodes}
    found: list[KernelArgument] = []
    notes = [
        Note(code="vendor-unknown", node=node.name, subject="iommu", text="neither CPU nor IOMMU say whose they are")
        for node in nodes
        if node.iommu_vendor() is None
    ]
    if INTEL in vendors:
        found.append(_argument("intel_iommu=on", IOMMU, "switches Intel's IOMMU on"))
    if AMD in vendors and wishes.documented_arguments:
        found.append(
            _argument("amd_iommu=on", IOMMU, "manuals name it; the kernel knows no such option, and needs none")
        )
        text = (
            "amd_iommu=on is an unknown option to the kernel, which says so and goes on; AMD's IOMMU is on without it"
        )
        notes.append(Note(code="documented-argument", node=None, subject="iommu", text=text))
    if wishes.mode == "pt" and vendors - {ARM, None}:
        found.append(_argument("iommu=pt", IOMMU, "devices of the host pass through untranslated"))
    if wishes.mode == "pt" and ARM in vendors:
        found.append(_argument("iommu.passthrough=1", IOMMU, "devices of the host pass through untranslated"))
    if wishes.strict is not None:
        how = "at once" if wishes.strict else "in batches"
        found.append(_argument(f"iommu.strict={int(wishes.strict)}", IOMMU, f"translations are invalidated {how}"))
    return found, notes


def vfio_arguments(vfio: VfioPlan) -> list[KernelArgument]:
    """The ids, where vfio-pci hears of them on the command line only."""
    if vfio.channel != KERNEL_ARGUMENT or not vfio.ids:
        return []
    return [_argument(f"vfio-pci.ids={','.join(vfio.ids)}", VFIO, "vfio-pci is built into the kernel")]


def nested(nodes: tuple[Node, ...], profile: Profile) -> tuple[list[ModuleOption], list[KernelArgument]]:
    """KVM's switch for guests in guests: an option where kvm is a module, a kernel argument where it is built in."""
    if profile.nested_virtualization is None:
        return [], []
    value = str(int(profile.nested_virtualization))
    why = f"guests may {'' if profile.nested_virtualization else 'not '}run guests"
    options: list[ModuleOption] = []
    found: list[KernelArgument] = []
    for vendor, module in _KVM.items():
        mine = [kvm for node in nodes if node.cpu_vendor() == vendor and (kvm := data(node.report.kvm)) is not None]
        states = {kvm.kvm_intel if vendor == INTEL else kvm.kvm_amd for kvm in mine}
        if BUILT_IN in states:
            found.append(_argument(f"{module}.nested={value}", KVM, why))
        elif any(node.cpu_vendor() == vendor for node in nodes):
            options.append(ModuleOption(module=module, name="nested", value=value, why=why))
    return options, found


def removals(
    nodes: tuple[Node, ...], profile: Profile, arguments: tuple[KernelArgument, ...], *, devices: bool
) -> tuple[str, ...]:
    """Words on the nodes' command lines that contradict the plan, in order of their spelling."""
    found: set[str] = set()
    for node in nodes:
        line = node.command_line()
        if devices or profile.iommu is not None:
            found.update(word for word in line if _switches_off(word))
        if devices:
            found.update(_other_values(line, arguments, ("vfio-pci.ids", "vfio.enable_unsafe_noiommu_mode")))
        if profile.iommu is not None:
            found.update(_other_wishes(line, profile.iommu))
        if profile.hugepages is not None:
            present = [word for word in line if word.partition("=")[0] in _HUGE]
            # Order is meaning: if one is wrong, all are written anew.
            if present != [word for argument in arguments if argument.topic == HUGEPAGES for word in argument.words]:
                found.update(present)
        if profile.nested_virtualization is not None:
            found.update(_other_values(line, arguments, tuple(f"{module}.nested" for module in _KVM.values())))
    return tuple(
        sorted(found - {word for argument in arguments for word in argument.words if argument.topic != HUGEPAGES})
    )


def _switches_off(word: str) -> bool:
    name, _, value = word.partition("=")
    return name in ("iommu", "intel_iommu", "amd_iommu") and "off" in value.split(",")


def _other_values(
    line: tuple[str, ...], arguments: tuple[KernelArgument, ...], names: tuple[str, ...]
) -> Iterator[str]:
    wanted = {word for argument in arguments for word in argument.words}
    for word in line:
        if word not in wanted and any(same_name(word.partition("=")[0], name) for name in names):
            yield word


def _other_wishes(line: tuple[str, ...], wishes: Iommu) -> Iterator[str]:
    passing = {"iommu=pt": True, "iommu=nopt": False, "iommu.passthrough=1": True, "iommu.passthrough=0": False}
    for word in line:
        if passing.get(word, wishes.mode == "pt") != (wishes.mode == "pt"):
            yield word
        for name, value in parse(word):
            if name == "iommu.strict" and wishes.strict is not None and value != str(int(wishes.strict)):
                yield word
