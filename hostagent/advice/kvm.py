"""Whether guests run here with the CPU's help, and may run guests of their own."""

from __future__ import annotations

from hostagent.advice.model import (
    BLOCKER,
    FIRMWARE,
    KARGS,
    MODPROBE,
    NONE,
    NOTE,
    WARNING,
    Code,
    Finding,
    finding,
    other,
    render,
    said,
)
from hostagent.advice.view import View
from hostagent.areas.cpu import Cpu
from hostagent.areas.kvm import Kvm
from hostagent.assess.node import AMD, data
from hostagent.assess.reasons import Evidence
from hostagent.host.modules import ABSENT, BUILT_IN, LOADED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MISC = "sys/class/misc"
_X86 = ("x86_64", "i686", "i386")

ABSENT_KVM = Code(
    name="kvm-missing",
    title="The kernel has no KVM",
    cause=(
        "Without KVM guests are emulated, a hundred times slower; KubeVirt starts none. The kernel was built "
        "without it, or its package of modules is not installed."
    ),
    proof=(
        "modules.builtin and modules.dep of the running release name neither kvm nor its part for this CPU: "
        "`modinfo kvm`."
    ),
    remedy=other(NONE, "Install the distribution's full kernel, or its package of extra modules."),
)
OFF = Code(
    name="kvm-off-in-firmware",
    title="The CPU's virtualization is switched off",
    cause=(
        "The CPU shows neither vmx nor svm, or its KVM module runs and registers no /dev/kvm: firmware has "
        "locked it (kernel log: kvm: disabled by bios)."
    ),
    proof="/proc/cpuinfo has no vmx and no svm, /sys/class/misc has no kvm: `dmesg | grep -i kvm`.",
    remedy=other(
        FIRMWARE, "Switch on Intel VT-x or AMD SVM in the firmware's setup, and start with the power off once."
    ),
)
NOT_GIVEN = Code(
    name="kvm-not-in-this-guest",
    title="This virtual machine may run no guests",
    cause=(
        "It is a guest whose CPU was not given vmx or svm: its own host has nested virtualization off, or "
        "the guest's CPU model leaves it out."
    ),
    proof="/proc/cpuinfo has the flag hypervisor, and neither vmx nor svm.",
    remedy=other(
        NONE,
        "On its host switch nested virtualization on, and give the guest host-passthrough or the feature vmx or svm.",
    ),
)
NOT_LOADED = Code(
    name="kvm-not-loaded",
    title="KVM is not loaded",
    cause=(
        "The CPU shows vmx or svm, and no module has registered /dev/kvm. Usually udev loads it; it is "
        "blacklisted, or refused to start because firmware locked virtualization."
    ),
    proof=(
        "/sys/class/misc has no kvm and /proc/modules neither kvm_intel nor kvm_amd: `modprobe kvm_intel` or "
        "`kvm_amd` says why."
    ),
    remedy=other(
        NONE,
        (
            "Load it and read the kernel's log; remove a blacklist line for it, or switch virtualization on in "
            "the firmware's setup."
        ),
    ),
)
NESTED_OFF = Code(
    name="nested-off",
    title="Guests cannot run guests",
    cause=(
        "Nested virtualization is off in the KVM module. Guests of guests (a cluster in virtual machines, "
        "sandboxed containers, WSL and Credential Guard in Windows) need it."
    ),
    proof="/sys/module/kvm_intel/parameters/nested (or kvm_amd) says N or 0.",
    remedy=render(
        MODPROBE,
        (
            "Say nestedVirtualization: true in the profile, render, and reboot (or load the module anew with no "
            "guest running)."
        ),
    ),
)
NESTED_ON = Code(
    name="nested-on",
    title="Guests can run guests, and the profile says not",
    cause="Nested virtualization is on, as kernels have it since 4.20; it offers a guest more of the host to attack.",
    proof="/sys/module/kvm_intel/parameters/nested (or kvm_amd) says Y or 1.",
    remedy=render(MODPROBE, "Put the rendered option in place, and reboot."),
)
NO_NODE = Code(
    name="device-node-missing",
    title="A device node that KubeVirt gives to guests is missing",
    cause="Guests need /dev/net/tun for any network, and /dev/vhost-net for a fast one: KubeVirt offers what it finds.",
    proof="Neither the node nor its registration in /sys/class/misc is there.",
    remedy=other(
        NONE, "Load tun and vhost_net at boot (modules-load.d), or install the kernel's package of extra modules."
    ),
)
CODES = (ABSENT_KVM, OFF, NOT_GIVEN, NOT_LOADED, NESTED_OFF, NESTED_ON, NO_NODE)


def look(view: View) -> Iterator[Finding]:
    """Findings about KVM."""
    kvm = data(view.report.kvm)
    if kvm is None:
        return
    if not kvm.available:
        yield from _why_not(view, kvm, data(view.report.cpu))
        return
    yield from _nested(view, kvm)
    for there, node, name in ((kvm.tun_node, "dev/net/tun", "tun"), (kvm.vhost_net_node, "dev/vhost-net", "vhost-net")):
        if there is False:  # None: the /dev that was looked at is not the host's
            text = f"/{node} is missing: guests get {'no' if name == 'tun' else 'a slow'} network."
            evidence = [said(node, "absent"), said(f"{_MISC}/{name}", "absent")]
            yield finding(NO_NODE, WARNING, f"/{node}", text, evidence)


def _why_not(view: View, kvm: Kvm, cpu: Cpu | None) -> Iterator[Finding]:
    nothing = said(_MISC, "no kvm")
    module = _module(view)
    x86 = cpu is not None and cpu.architecture in _X86 and bool(cpu.flags)
    own = (kvm.kvm_amd if module == "kvm_amd" else kvm.kvm_intel) if x86 else kvm.kvm
    if x86 and cpu is not None and cpu.virtualization is None:
        yield _no_flag(view, nothing, guest=cpu.hypervisor is True)
    elif ABSENT in (kvm.kvm, own):
        name = "kvm" if kvm.kvm == ABSENT else module
        text = f"No KVM: this kernel has no {name}."
        yield finding(ABSENT_KVM, BLOCKER, "kvm", text, [said("lib/modules", f"no {name}.ko")])
    elif x86 and own in (LOADED, BUILT_IN):
        text = f"No KVM: {module} runs and offers no /dev/kvm, so virtualization is off in the firmware's setup."
        yield finding(OFF, BLOCKER, "kvm", text, [said(f"sys/module/{module}", own or ""), nothing])
    else:
        # A root that holds only a part of a machine says nothing of its modules.
        severity = WARNING if own is None else BLOCKER
        state = said("proc/modules", f"no {module if x86 else 'kvm'}")
        yield finding(NOT_LOADED, severity, "kvm", "No KVM: nothing has registered /dev/kvm.", [nothing, state])


def _no_flag(view: View, nothing: Evidence, *, guest: bool) -> Finding:
    if not guest:
        text = "No KVM: the CPU shows neither vmx nor svm, so its virtualization is off in the firmware's setup."
        return finding(OFF, BLOCKER, "kvm", text, [said("proc/cpuinfo", "no vmx, no svm"), nothing])
    text = "No KVM: this is a virtual machine whose CPU has neither vmx nor svm."
    # A profile for such a machine is one for trying things out, unless it asks for guests in guests.
    severity = BLOCKER if view.plan is None or _wished(view) else WARNING
    return finding(NOT_GIVEN, severity, "kvm", text, [said("proc/cpuinfo", "hypervisor, no vmx, no svm"), nothing])


def _module(view: View) -> str:
    return "kvm_amd" if view.node.cpu_vendor() == AMD else "kvm_intel"


def _nested(view: View, kvm: Kvm) -> Iterator[Finding]:
    wanted = _wished(view)
    module = _module(view)
    evidence = [said(f"sys/module/{module}/parameters/nested", "Y" if kvm.nested else "N")]
    by_argument = view.plan is not None and any(
        f"{module}.nested=" in word for one in view.plan.kernel_arguments for word in one.words
    )
    remedy = (
        render(KARGS, f"Give {module}.nested= as `hostagent render kargs` prints it, and reboot.")
        if by_argument
        else None
    )
    if kvm.nested is False and wanted is not False and (wanted or view.plan is None):
        severity = BLOCKER if wanted else NOTE
        yield finding(
            NESTED_OFF, severity, "kvm", f"Guests cannot run guests: {module} has nested off.", evidence, remedy=remedy
        )
    elif kvm.nested and wanted is False:
        text = f"Guests can run guests, and the profile says not: {module} has nested on."
        yield finding(NESTED_ON, WARNING, "kvm", text, evidence, remedy=remedy)


def _wished(view: View) -> bool | None:
    """Whether the plan switches nesting on or off; None where it leaves it alone."""
    if view.plan is None:
        return None
    values = {option.value for option in view.plan.module_options if option.name == "nested"}
    values |= {word[-1] for one in view.plan.kernel_arguments for word in one.words if ".nested=" in word}
    return None if not values else "1" in values
