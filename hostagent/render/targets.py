"""What can be rendered, by name: each target makes files of a plan, for a person, a tool or the machine itself.

A path that begins with `/` is where the file belongs on the machine; the others are names for the files that a tool takes.
A plan with refusals or entries that fit nothing is not rendered at all: half of what was asked is not what was asked.
"""

from __future__ import annotations

import shlex

from hostagent.assess.reasons import Reason
from hostagent.plan.choosing import postponed
from hostagent.plan.model import Plan, Refusal
from hostagent.platforms import PLATFORMS
from hostagent.render import butane, kargs, modprobe, modules_load
from hostagent.render.config import as_in_the_manual, config, words
from hostagent.render.files import Config, File, RenderError, Unit, split
from hostagent.render.initramfs import dracut, initramfs_tools
from hostagent.render.machineconfig import machineconfig
from hostagent.render.origin import head, reasons
from hostagent.render.permitted import Permitted, hyperconverged, kubevirt, vm_host_devices
from hostagent.render.resource import updated
from hostagent.render.systemd_units import units
from hostagent.render.watchdog import watchdog
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_KARGS = "kargs"
UNITS_DIRECTORY = "/etc/systemd/system"


@record
class Wishes:
    """How to render, beyond the plan.

    `split`: the two configurations of OpenShift's manual instead of one. `namespace`: of the resource, None for the usual one.
    `resource`: text of a HyperConverged or KubeVirt resource to bring up to date, None to write one; `owned`: resource names
    in it that an earlier profile had.
    """

    split: bool
    namespace: str | None
    resource: str | None
    owned: frozenset[str]


@record
class Target:
    """A name on the command line; which platform's `all` it belongs to stands in platforms.py."""

    name: str
    about: str
    make: Callable[[Plan, Wishes], tuple[File, ...]]


def rendered(plan: Plan, names: tuple[str, ...], wishes: Wishes) -> tuple[File, ...]:
    """The files of the targets, each once. Raises RenderError; `place` is then an entry of the profile, or a target."""
    refuse_unready(plan, switching_on=bool(names) and all(name.startswith(_KARGS) for name in names))
    found: dict[str, File] = {}
    for name in expanded(plan, names):
        for file in TARGETS[name].make(plan, wishes):
            found.setdefault(file.path, file)
    return tuple(found.values())


def expanded(plan: Plan, names: tuple[str, ...]) -> tuple[str, ...]:
    """`all` as the targets of the plan's platform."""
    targets = PLATFORMS[plan.platform.name].targets
    mine = tuple(name for name in targets if plan.permitted or name not in _RESOURCES)
    return tuple(dict.fromkeys(name for given in names for name in (mine if given == ALL else (given,))))


def refuse_unready(plan: Plan, *, switching_on: bool = False) -> None:
    """Raise RenderError for the first thing asked that is not done.

    `switching_on`: only kernel arguments are wanted, which is how the IOMMU is switched on that postponed entries wait for.
    """
    for unmatched in plan.unmatched[:1]:
        raise RenderError(unmatched.entry, f"expected {unmatched.expected}")
    refused = [one for one in plan.refused if not (switching_on and postponed(one))]
    for refusal in refused[:1]:
        alike = [one for one in refused if _subject(one) == _subject(refusal)] if refusal.address else [refusal]
        text = "; ".join(told(one.reason) for one in alike)
        if refusal.address is not None:
            text = f"expected what may be taken, and {refusal.address} may not: {text}"
        raise RenderError(refusal.entry, f"{refusal.node}: {text}")


def _subject(refusal: Refusal) -> tuple[str, str, PciAddress | None]:
    return refusal.node, refusal.entry, refusal.address


def told(reason: Reason) -> str:
    """A reason with the files that prove it."""
    said = "; ".join(f"{one.path}: {one.said}" for one in reason.evidence)
    return f"{reason.text}{f' ({said})' if said else ''}"


def enabled_units(plan: Plan) -> tuple[str, ...]:
    """Units that do nothing before someone enables them; Butane and the Machine Config Operator do."""
    return tuple(unit.name for unit in units(plan))


def _configs(plan: Plan, wishes: Wishes) -> tuple[Config, ...]:
    return split(as_in_the_manual(plan)) if wishes.split else (config(plan),)


def _butane(plan: Plan, wishes: Wishes) -> tuple[File, ...]:
    version = str(plan.platform.version)
    match plan.platform.name:
        case "openshift":
            made = [(one, butane.openshift(one, version=version)) for one in _configs(plan, wishes)]
        case "fcos":
            made = [(one, butane.fcos(one, version=version)) for one in _configs(plan, wishes)]
        case other:
            raise RenderError("platform.name", f"Butane is for openshift and fcos, not for {other}")
    return tuple(_named(f"{one.name}.bu", _butane_head(plan, one) + text) for one, text in made)


def _butane_head(plan: Plan, one: Config) -> str:
    return head(reasons(plan.kernel_arguments) if one.kernel_arguments else ())


def _machineconfig(plan: Plan, wishes: Wishes) -> tuple[File, ...]:
    if plan.platform.name != "openshift":
        raise RenderError("platform.name", f"a MachineConfig is for openshift, not for {plan.platform.name}")
    version = str(plan.platform.version)
    return tuple(_named(f"{one.name}.yaml", machineconfig(one, version=version)) for one in _configs(plan, wishes))


def _systemd(plan: Plan, _wishes: Wishes) -> tuple[File, ...]:
    return (*map(_unit_file, units(plan)), *watchdog(plan))


def _unit_file(unit: Unit) -> File:
    return File(path=f"{UNITS_DIRECTORY}/{unit.name}", mode=0o644, text=unit.text or "")


def _plain(plan: Plan, _wishes: Wishes) -> tuple[File, ...]:
    return (_named("kernel-arguments", kargs.plain(words(plan))),) if plan.kernel_arguments else ()


def _grubby(plan: Plan, _wishes: Wishes) -> tuple[File, ...]:
    gone = shlex.quote(" ".join(plan.remove_arguments))
    removal = f"grubby --update-kernel=ALL --remove-args={gone}\n" if plan.remove_arguments else ""
    return _commands(plan, "kernel-arguments.grubby.sh", removal + kargs.grubby(words(plan)))


def _rpm_ostree(plan: Plan, _wishes: Wishes) -> tuple[File, ...]:
    gone = " ".join(f"--delete-if-present={shlex.quote(word)}" for word in plan.remove_arguments)
    removal = f"rpm-ostree kargs {gone}\n" if gone else ""
    return _commands(plan, "kernel-arguments.rpm-ostree.sh", removal + kargs.rpm_ostree(words(plan)))


def _commands(plan: Plan, name: str, commands: str) -> tuple[File, ...]:
    text = "#!/bin/sh\n" + head(reasons(plan.kernel_arguments)) + "set -e\n" + commands
    return (File(path=name, mode=0o755, text=text),) if commands else ()


def _grub(plan: Plan, _wishes: Wishes) -> tuple[File, ...]:
    if not plan.kernel_arguments:
        return ()
    return (File(path=kargs.GRUB_PATH, mode=0o644, text=_head(plan) + kargs.grub_dropin(words(plan))),)


def _suse(plan: Plan, _wishes: Wishes) -> tuple[File, ...]:
    return (_named("kernel-arguments.suse", _head(plan) + kargs.suse(words(plan))),) if plan.kernel_arguments else ()


def _bootc(plan: Plan, _wishes: Wishes) -> tuple[File, ...]:
    if not plan.kernel_arguments:
        return ()
    text = _head(plan) + kargs.bootc(words(plan), architecture=None)
    return (File(path=kargs.BOOTC_PATH, mode=0o644, text=text),)


def _head(plan: Plan) -> str:
    return head(reasons(plan.kernel_arguments))


def _permitted(plan: Plan) -> tuple[Permitted, ...]:
    return tuple(
        Permitted(selector=one.selector, resource=one.resource_name, external=one.external) for one in plan.permitted
    )


def _resource(plan: Plan, wishes: Wishes, name: str, write: Callable[[str | None], str]) -> tuple[File, ...]:
    if wishes.resource is not None:
        owned = wishes.owned | {one.resource_name for one in plan.permitted}
        return (_named(f"{name}.yaml", updated(wishes.resource, wanted=_permitted(plan), owned=owned)),)
    if not plan.permitted:
        raise RenderError("devices", f"expected a resourceName in one of them, for {name} to have something to offer")
    return (_named(f"{name}.yaml", write(wishes.namespace)),)


def _hyperconverged(version: str) -> Callable[[Plan, Wishes], tuple[File, ...]]:
    def make(plan: Plan, wishes: Wishes) -> tuple[File, ...]:
        usual = PLATFORMS[plan.platform.name].namespace

        def write(namespace: str | None) -> str:
            return hyperconverged(_permitted(plan), version=version, namespace=namespace or usual)

        return _resource(plan, wishes, "hyperconverged", write)

    return make


def _kubevirt(plan: Plan, wishes: Wishes) -> tuple[File, ...]:
    def write(namespace: str | None) -> str:
        return kubevirt(_permitted(plan), namespace=namespace or "kubevirt")

    return _resource(plan, wishes, "kubevirt", write)


def _vm(plan: Plan, _wishes: Wishes) -> tuple[File, ...]:
    resources = tuple(sorted({one.resource_name for one in plan.permitted}))
    if not resources:
        raise RenderError("devices", "expected a resourceName in one of them, for a VM to ask for")
    return (_named("vm-host-devices.yaml", vm_host_devices(resources)),)


def _named(name: str, text: str) -> File:
    return File(path=name, mode=0o644, text=text)


ALL = "all"
_RESOURCES = ("hyperconverged", "hyperconverged-v1", "kubevirt", "vm-host-devices")


def _targets() -> tuple[Target, ...]:
    rows: tuple[tuple[str, str, Callable[[Plan, Wishes], tuple[File, ...]]], ...] = (
        ("butane", "a Butane file for OpenShift or Fedora CoreOS", _butane),
        ("machineconfig", "what Butane makes of it for OpenShift", _machineconfig),
        ("modprobe", "modprobe.d", lambda plan, _: modprobe.modprobe(plan)),
        ("modules-load", "modules-load.d", lambda plan, _: modules_load.modules_load(plan)),
        ("dracut", "dracut.conf.d", lambda plan, _: dracut(plan)),
        ("initramfs-tools", "a hook of update-initramfs", lambda plan, _: initramfs_tools(plan)),
        ("systemd", "units for addresses and pools, and who keeps the watchdog", _systemd),
        ("kargs", "kernel arguments in one line", _plain),
        ("kargs-grubby", "the commands for RHEL, CentOS and Fedora", _grubby),
        ("kargs-rpm-ostree", "the commands for Fedora CoreOS, IoT and MicroShift", _rpm_ostree),
        ("kargs-grub", "a drop-in for GRUB of Debian and Ubuntu", _grub),
        ("kargs-suse", "what to append to /etc/default/grub on SUSE", _suse),
        ("kargs-bootc", "a part of a bootable container image", _bootc),
        ("hyperconverged", "HyperConverged of hco.kubevirt.io/v1beta1", _hyperconverged("v1beta1")),
        ("hyperconverged-v1", "HyperConverged of hco.kubevirt.io/v1", _hyperconverged("v1")),
        ("kubevirt", "KubeVirt, where no HyperConverged is", _kubevirt),
        ("vm-host-devices", "the part of a VirtualMachine that asks for one of each", _vm),
    )
    return tuple(Target(name=name, about=about, make=make) for name, about, make in rows)


TARGETS = {target.name: target for target in _targets()}
