"""Hosts with nothing to complain about, and what advice says of them."""

from __future__ import annotations

from hostagent.advice import Finding, advise
from hostagent.plan import Plan
from hostagent.profile import Profile
from tests.plan.machines import Machine
from tests.plan.profiles import planned

Told = list[tuple[str, str, str]]
KVM = "kvm_intel 1 0 - Live 0x0000000000000000\n"
LOADED = f"{KVM}vfio_pci 1 0 - Live 0x0000000000000000\n"
WATCHDOG = {
    "sys/class/watchdog/watchdog0/identity": "iTCO_wdt\n",
    "sys/class/watchdog/watchdog0/state": "inactive\n",
    "sys/class/watchdog/watchdog0/timeout": "30\n",
    "sys/class/watchdog/watchdog0/min_timeout": "2\n",
    "sys/class/watchdog/watchdog0/max_timeout": "1023\n",
    "sys/class/watchdog/watchdog0/bootstatus": "0\n",
}
RESET = {"reset_method": "flr bus"}


def host() -> Machine:
    """An Intel machine on which advice finds nothing."""
    nodes = {f"sys/class/misc/{name}/uevent": "\n" for name in ("kvm", "tun", "vhost-net")}
    machine = Machine().put({**nodes, **WATCHDOG, "proc/modules": KVM})
    machine.put({"sys/module/kvm_intel/parameters/nested": "Y\n"})
    machine.links["sys/class/watchdog/watchdog0/device"] = "../../../devices/platform/iTCO_wdt"
    machine.links["sys/devices/platform/iTCO_wdt/driver"] = "../../../bus/platform/drivers/iTCO_wdt"
    return machine


def vfio(ids: str, *softdeps: str) -> dict[str, str]:
    """What a person, or we, put into /etc for vfio-pci."""
    lines = [f"options vfio-pci ids={ids}", *(f"softdep {module} pre: vfio-pci" for module in softdeps)]
    return {
        "etc/modprobe.d/vfio.conf": "".join(f"{line}\n" for line in lines),
        "etc/modules-load.d/vfio-pci.conf": "vfio-pci\n",
    }


def of(machine: Machine, wishes: Profile | None = None) -> tuple[Finding, ...]:
    """Findings about a machine, with a profile or in general."""
    return advise(machine.report(), None if wishes is None else planned(wishes, machine))


def of_many(wishes: Profile, node: str, *machines: Machine) -> tuple[Finding, ...]:
    """Findings about one of several machines, which are called a, b, c ..."""
    made: Plan = planned(wishes, *machines)
    return advise(machines[ord(node) - ord("a")].report(), made, node=node)


def told(findings: tuple[Finding, ...]) -> Told:
    """Severity, code and subject of each."""
    return [(one.severity, one.code, one.subject) for one in findings]
