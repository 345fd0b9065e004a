"""vfio-pci itself: whether the kernel has it, hears what it is to take, and can hand on what it gets."""

from __future__ import annotations

from hostagent.advice.model import (
    BLOCKER,
    KARGS,
    MODPROBE,
    MODULES_LOAD,
    NONE,
    NOTE,
    PROFILE,
    WARNING,
    Code,
    Finding,
    finding,
    other,
    render,
    said,
)
from hostagent.advice.view import View
from hostagent.areas.vfio import IdRequest, Vfio
from hostagent.assess.node import driver_said, file_of, id_said, pci_id
from hostagent.assess.protected import DENYLIST
from hostagent.assess.reasons import Evidence, Why
from hostagent.host.modules import ABSENT, AVAILABLE, BUILT_IN
from hostagent.values.words import capital

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = Code(
    name="vfio-pci-missing",
    title="The kernel has no vfio-pci",
    cause=(
        "Devices reach guests through the driver vfio-pci, and this kernel has it neither built in nor as a "
        "module: a kernel for clouds or containers, or a package of extra modules that is not installed."
    ),
    proof="modules.builtin and modules.dep of the running release do not name vfio-pci: `modinfo vfio-pci`.",
    remedy=other(
        NONE,
        (
            "Install the distribution's full kernel, or its package of extra modules (linux-modules-extra, "
            "kernel-modules)."
        ),
    ),
)
NOT_LOADED = Code(
    name="vfio-pci-not-loaded-at-boot",
    title="Nothing loads vfio-pci at boot",
    cause="No device asks for vfio-pci, so udev does not load it: ids in modprobe.d mean nothing until something does.",
    proof=(
        "No file of modules-load.d names vfio-pci, no softdep waits for it, no unit loads it, nor does the "
        "command line."
    ),
    remedy=render(
        MODULES_LOAD, "Write the file of modules-load.d that `hostagent render modules-load` makes, and reboot."
    ),
)
BUILT_IN_IDS = Code(
    name="ids-not-heard-by-built-in-vfio-pci",
    title="vfio-pci is built in, and its ids stand in modprobe.d",
    cause=(
        "modprobe.d is read by modprobe, which does not load what is built into the kernel. A built-in "
        "vfio-pci hears the command line only."
    ),
    proof="modules.builtin names vfio-pci, and `options vfio-pci ids=` stands in a file of modprobe.d.",
    remedy=render(KARGS, "Give vfio-pci.ids= as a kernel argument: `hostagent render kargs`."),
)
SUPERSEDED = Code(
    name="ids-superseded",
    title="Another ids= for vfio-pci wins",
    cause=(
        "Lines `options vfio-pci ids=` do not add up: of several the last one counts, in order of the files' "
        "names, and the command line last."
    ),
    proof="`modprobe --showconfig | grep vfio` and /proc/cmdline show them in order.",
    remedy=render(MODPROBE, "Put all IDs into one line: `hostagent render modprobe`, and remove the others."),
)
DENYLISTED = Code(
    name="denylisted-id",
    title="vfio-pci refuses this device",
    cause=(
        "Intel QAT (C3xxx, C62x, DH895xCC) and the DSA and IAX of Sapphire Rapids are on vfio-pci's "
        "denylist: a guest that has one can bring the host down."
    ),
    proof="The ID is one of those in drivers/vfio/pci/vfio_pci.c, and vfio_pci's parameter disable_denylist is not Y.",
    remedy=other(
        PROFILE,
        (
            "Give the device's virtual functions or its work queues to guests; or options vfio-pci "
            "disable_denylist=1 for guests you trust."
        ),
    ),
)
NO_RESET = Code(
    name="no-reset-method",
    title="The device cannot be reset",
    cause=(
        "Between two guests the kernel resets a device. Without a way to do so, it comes to the next guest "
        "as the last one left it, and often works only once."
    ),
    proof="The device has neither `reset_method` with a word in it nor the file `reset` in /sys/bus/pci/devices.",
    remedy=other(NONE, "Test a guest's restart before relying on it; a firmware update of the card sometimes helps."),
)
VARIANT = Code(
    name="kubevirt-ignores-variant-driver",
    title="KubeVirt does not see devices of this driver",
    cause=(
        "The device is held by a vfio driver made for it (mlx5_vfio_pci, nvgrace_gpu_vfio_pci ...). libvirt "
        "can give it away; KubeVirt offers only what has the driver vfio-pci."
    ),
    proof="The link `driver` of the device names the variant.",
    remedy=render(MODPROBE, "For KubeVirt, bind it to vfio-pci: `hostagent render modprobe`."),
)
CODES = (MISSING, NOT_LOADED, BUILT_IN_IDS, SUPERSEDED, DENYLISTED, NO_RESET, VARIANT)


def look(view: View) -> Iterator[Finding]:
    """Findings about the module, its ids, and devices that it cannot hand on."""
    found = view.vfio
    if found is None:
        return
    yield from _module(view, found)
    yield from _ids(view)
    yield from _denied(view, found)
    yield from _devices(view)


def _module(view: View, found: Vfio) -> Iterator[Finding]:
    if found.vfio_pci == ABSENT and (view.plan is None or view.bindings):
        text = "This kernel has no vfio-pci: no device can be given to a guest."
        yield finding(
            MISSING, BLOCKER, "vfio-pci", text, [said("lib/modules", "no vfio-pci.ko of the running release")]
        )
    by_id = [one for one in view.configured.values() if one.by_id]
    if by_id and found.vfio_pci != BUILT_IN and not view.loads_vfio():
        # Loaded by hand now, it still is not at the next boot.
        severity = BLOCKER if found.vfio_pci == AVAILABLE else WARNING
        text = f"{by_id[0].evidence.path} gives vfio-pci ids, and nothing loads vfio-pci at boot."
        evidence = [by_id[0].evidence, said("etc/modules-load.d", "nothing that loads vfio-pci")]
        yield finding(NOT_LOADED, severity, "vfio-pci", text, evidence)


def _ids(view: View) -> Iterator[Finding]:
    for one in view.assessed.unmet_ids:
        evidence = [_said(one.request)]
        if one.told is None:
            evidence.append(said("lib/modules", "modules.builtin: vfio-pci.ko"))
            yield finding(BUILT_IN_IDS, BLOCKER, "vfio-pci", f"{capital(one.text)}.", evidence)
        else:
            evidence.append(_said(one.told))
            yield finding(SUPERSEDED, WARNING, "vfio-pci", f"{capital(one.text)}.", evidence)


def _said(request: IdRequest) -> Evidence:
    where = "" if request.line is None else f"line {request.line}: "
    return said(request.source, f"{where}vfio-pci ids={','.join(request.ids)}")


def _denied(view: View, found: Vfio) -> Iterator[Finding]:
    """Devices that somebody configured; what a profile asks for is refused by the plan."""
    refused = {one.address for one in view.refused if one.reason.code is Why.DENYLIST}
    for address, configured in view.configured.items():
        function = view.node.at[address]
        if pci_id(function) not in DENYLIST or found.parameters.disable_denylist is True:
            continue
        if address not in refused and address not in view.bound:
            text = (
                f"vfio-pci refuses {address} ({pci_id(function)}), which {configured.evidence.path} asks for: its ID is on"
                " the denylist."
            )
            yield finding(DENYLISTED, BLOCKER, address, text, [id_said(function)])


def _devices(view: View) -> Iterator[Finding]:
    for function in view.wanted:
        detail = function.detail
        if detail is not None and not detail.reset_methods and not detail.resettable:
            evidence = [said(file_of(function.address, name), "absent or empty") for name in ("reset_method", "reset")]
            text = f"{function.address} has no way to be reset between two guests."
            yield finding(NO_RESET, WARNING, function.address, text, evidence)
    for address, function in view.bound.items():
        if function.driver != "vfio-pci":
            severity = WARNING if address in view.bindings else NOTE
            text = f"{address} is with {function.driver}, which KubeVirt does not look for."
            yield finding(VARIANT, severity, address, text, [driver_said(function)])
