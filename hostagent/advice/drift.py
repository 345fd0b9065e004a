"""What is, what the files of the host will make of it at the next boot, and what was asked: where the three differ."""

from __future__ import annotations

from hostagent.advice.model import (
    BLOCKER,
    KARGS,
    MODPROBE,
    NOTE,
    REBOOT,
    SYSTEMD,
    WARNING,
    Code,
    Finding,
    Remedy,
    finding,
    other,
    render,
    said,
)
from hostagent.advice.view import View
from hostagent.assess.node import data, driver_said, pci_id
from hostagent.assess.reasons import Evidence
from hostagent.host.modules import BUILT_IN, LOADED
from hostagent.host.pci import PciFunction
from hostagent.plan.drivers import bound_module
from hostagent.plan.model import HUGEPAGES, IOMMU, KERNEL_ARGUMENT, UNIT, VFIO, KernelArgument
from hostagent.values.words import capital

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_WHERE = (
    "`cat /proc/cmdline`, `modprobe --showconfig | grep vfio`, /etc/driverctl.d and the units in /etc/systemd/system"
)
NOT_PERSISTENT = Code(
    name="bound-until-reboot",
    title="Bound to vfio-pci now, and not after the next boot",
    cause=(
        "Somebody bound it by hand (driver_override, new_id, virsh nodedev-detach), or took away the "
        "configuration that did. After a reboot the host's driver has it again, and guests that need it do "
        "not start."
    ),
    proof=(
        "The link `driver` says vfio-pci, and neither ids nor an address in the host's files name the "
        f"device: {_WHERE}."
    ),
    remedy=render(
        MODPROBE, "Write a profile that asks for it (`hostagent profile init`), render it and put the files in place."
    ),
)
NOT_BOUND = Code(
    name="configured-not-bound",
    title="Configured for vfio-pci, and not bound to it",
    cause=(
        "The files were written after the last boot, or do not reach the initramfs, where the host's driver "
        "is loaded first, or vfio-pci was not loaded."
    ),
    proof=f"Files name the device, and its link `driver` says something else or is absent: {_WHERE}.",
    remedy=other(
        REBOOT,
        "Reboot. If it stays so after that, the initramfs binds the host's driver first: make it anew "
        "(dracut -f, update-initramfs -u -k all), or bind by address.",
    ),
)
LOST_RACE = Code(
    name="driver-wins-race",
    title="The host's driver takes the device before vfio-pci",
    cause=(
        "vfio-pci's ids count only for devices that have no driver yet. udev loads the host's driver as soon "
        "as it sees the device; without a softdep, or where that driver is built into the kernel, vfio-pci "
        "comes too late."
    ),
    proof=(
        "vfio-pci runs and has the ID, the link `driver` names the host's driver, and no softdep in "
        "modprobe.d holds that back."
    ),
    remedy=render(
        MODPROBE, "Add the softdeps that `hostagent render modprobe` makes, make the initramfs anew, and reboot."
    ),
)
NOT_CONFIGURED = Code(
    name="binding-not-configured",
    title="A wanted device is with the host, and nothing will change that",
    cause="The profile asks for it, and no file of this host gives it to vfio-pci.",
    proof=f"No ids and no address in the host's files name the device: {_WHERE}.",
    remedy=render(MODPROBE, "Put the rendered files in place, and reboot."),
)
NOT_WANTED = Code(
    name="bound-but-not-asked-for",
    title="A device is kept for guests that nobody asked for",
    cause="It was dropped from the profile, or was never in it: the host cannot use it, and no guest is meant to.",
    proof=(
        f"The device is with vfio-pci, or files will give it there, and no entry of the profile asks for it: {_WHERE}."
    ),
    remedy=render(MODPROBE, "Ask for it in the profile, or replace the files by the rendered ones, and reboot."),
)
ARGUMENTS = Code(
    name="kernel-arguments-missing",
    title="Kernel arguments that were asked for are not given",
    cause=(
        "The kernel was booted without arguments that the profile needs: they were not set, not for this "
        "boot entry, or there was no reboot since."
    ),
    proof="/proc/cmdline does not have them.",
    remedy=render(KARGS, "Give the kernel arguments that `hostagent render kargs` prints, and reboot."),
)
CONTRARY = Code(
    name="kernel-arguments-contrary",
    title="Kernel arguments undo what was asked for",
    cause=(
        "An argument switches off, replaces or repeats what the profile asks for; of several the kernel "
        "takes one, and not always the last."
    ),
    proof="/proc/cmdline has them.",
    remedy=render(
        KARGS,
        "Take them away where kernel arguments are set; `hostagent render kargs` prints what is to remain. Reboot.",
    ),
)
REBOOT_NEEDED = Code(
    name="reboot-needed",
    title="Configuration waits for a reboot",
    cause=(
        "Files of this host ask for something that is only done at boot: vfio-pci reads its ids once, units "
        "bind once, kernel arguments are read once."
    ),
    proof="What is configured and what is differ, as the evidence shows.",
    remedy=other(REBOOT, "Drain the node and reboot it."),
)
CODES = (NOT_PERSISTENT, NOT_BOUND, LOST_RACE, NOT_CONFIGURED, NOT_WANTED, ARGUMENTS, CONTRARY, REBOOT_NEEDED)  # fmt: skip


def look(view: View) -> Iterator[Finding]:
    """Findings about bindings, then about arguments, then whether a reboot is due."""
    waiting: list[Evidence] = []
    for function in view.wanted:
        yield from _wanted(view, function, waiting)
    yield from _unwanted(view)
    yield from _arguments(view)
    if waiting:
        text = "What is configured for vfio-pci is not in force: the node has to be rebooted."
        yield finding(REBOOT_NEEDED, WARNING, "node", text, waiting)


def _wanted(view: View, function: PciFunction, waiting: list[Evidence]) -> Iterator[Finding]:
    configured = view.configured.get(function.address)
    bound = function.address in view.bound
    remedy = _how(view, function)
    asker = view.asker(function)
    if configured is None:
        evidence = [driver_said(function), said("etc/modprobe.d", f"no ids with {pci_id(function)}")]
        if bound:
            text = f"{function.address} is with {function.driver} now, and nothing binds it there at the next boot."
            yield finding(NOT_PERSISTENT, WARNING, function.address, text, evidence, remedy=remedy)
        else:
            text = f"{asker} wants {function.address} for guests, and nothing binds it to vfio-pci at boot."
            yield finding(NOT_CONFIGURED, BLOCKER, function.address, capital(text), evidence, remedy=remedy)
    elif not bound:
        evidence = [configured.evidence, driver_said(function)]
        held = "no driver has it" if function.driver is None else f"{function.driver} has it"
        if configured.by_id and _lost(view, function):
            text = (
                f"{configured.evidence.path} gives {function.address} to vfio-pci, and {function.driver} was there "
                "first."
            )
            yield finding(LOST_RACE, BLOCKER, function.address, text, evidence, remedy=remedy)
        else:
            waiting += evidence
            text = f"{configured.evidence.path} gives {function.address} to vfio-pci, and {held} now."
            yield finding(NOT_BOUND, BLOCKER, function.address, text, evidence)


def _how(view: View, function: PciFunction) -> Remedy | None:
    """Where the plan puts the binding, if that is not modprobe.d."""
    binding = view.bindings.get(function.address)
    if binding is None or view.plan is None:
        return None
    if binding.method == UNIT:
        return render(SYSTEMD, "Put the unit that `hostagent render systemd` makes in place, enable it, and reboot.")
    if view.plan.vfio.channel == KERNEL_ARGUMENT:
        return render(KARGS, "Give vfio-pci.ids= as `hostagent render kargs` prints it, and reboot.")
    return None


def _lost(view: View, function: PciFunction) -> bool:
    """Whether the host's driver would win again: nothing holds it back, or nothing can."""
    module = bound_module(function)
    if module is None or view.vfio is None or view.vfio.vfio_pci not in (LOADED, BUILT_IN):
        return False
    return view.node.has_built_in(module) or not (view.vfio.vfio_pci == BUILT_IN or view.softdep(module))


def _unwanted(view: View) -> Iterator[Finding]:
    if view.plan is None:
        return
    twins = {twin for binding in view.bindings.values() for twin in binding.twins}
    for function in view.node.functions:
        address = function.address
        configured = view.configured.get(address)
        if address in view.bindings or (address not in view.bound and configured is None):
            continue
        # Twins that the ids take are a finding of their own.
        if address in twins and configured is not None and configured.by_id and address not in view.bound:
            continue
        evidence = [driver_said(function), *([configured.evidence] if configured is not None else [])]
        when = "is with" if address in view.bound else "will be with"
        driver = function.driver if address in view.bound else "vfio-pci"
        text = f"{address} {when} {driver}, and the profile does not ask for it."
        yield finding(NOT_WANTED, WARNING, address, text, evidence)


def _arguments(view: View) -> Iterator[Finding]:
    plan = view.plan
    line = view.node.command_line()
    if plan is None or not line:
        return
    for argument in plan.kernel_arguments:
        if not _given(line, argument.words):
            words = " ".join(argument.words)
            text = f"The kernel was booted without {words}, which the profile needs: {argument.why}."
            yield finding(ARGUMENTS, _weight(view, argument), words, text, [said("proc/cmdline", f"no {words}")])
    for word in plan.remove_arguments:
        if word in line:
            text = f"The kernel argument {word} is contrary to what the profile asks for."
            yield finding(CONTRARY, WARNING, word, text, [said("proc/cmdline", word)])


def _given(line: tuple[str, ...], words: tuple[str, ...]) -> bool:
    size = len(words)
    return any(line[at : at + size] == words for at in range(len(line) - size + 1))


def _weight(view: View, argument: KernelArgument) -> str:
    """How much it matters that an argument is missing: what it is for may be so without it, until the next boot or for good."""
    iommu, pages, kvm = data(view.report.iommu), data(view.report.hugepages), data(view.report.kvm)
    if argument.topic == IOMMU:
        # A kernel that switches it on unasked, and an argument that manuals name and no kernel knows.
        idle = argument.words == ("amd_iommu=on",) or (iommu is not None and iommu.enabled)
        if idle:
            return NOTE if argument.words in (("amd_iommu=on",), ("intel_iommu=on",)) else WARNING
        return BLOCKER
    if argument.topic == HUGEPAGES:
        there = {(one.page_size, one.numa_node): one.total or 0 for one in (pages.pools if pages is not None else ())}
        wanted = view.plan.pools if view.plan is not None else ()
        met = all(there.get((one.page_size, one.numa_node), 0) >= one.pages for one in wanted)
    elif argument.topic == VFIO:
        met = all(address in view.bound for address in view.bindings)
    else:
        met = kvm is not None and kvm.nested is (argument.words[0][-1] == "1")
    return WARNING if met else BLOCKER
