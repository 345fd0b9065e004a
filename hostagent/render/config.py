"""Everything a plan says about the nodes themselves, as one Config."""

from __future__ import annotations

from hostagent.plan.model import Plan
from hostagent.render import modprobe, modules_load
from hostagent.render.files import Config
from hostagent.render.initramfs import initramfs
from hostagent.render.systemd_units import units
from hostagent.render.watchdog import watchdog


def words(plan: Plan) -> tuple[str, ...]:
    """The words of the kernel command line, in order."""
    return tuple(word for argument in plan.kernel_arguments for word in argument.words)


def config(plan: Plan) -> Config:
    """All of it in one, so that it takes one reboot. Of two for one path the operator takes the last in order of names."""
    files = (*modprobe.modprobe(plan), *modules_load.modules_load(plan), *initramfs(plan), *watchdog(plan))
    role = plan.platform.role or plan.platform.name
    return Config(name=f"99-{role}-hostagent", role=role, files=files, units=units(plan), kernel_arguments=words(plan))


def as_in_the_manual(plan: Plan) -> Config:
    """The same with the files of OpenShift's manual exactly as they stand there, to be split as the manual does."""
    whole = config(plan)
    files = (*modprobe.as_in_the_manual(plan), *modules_load.as_in_the_manual(plan), *watchdog(plan))
    return Config(
        name=whole.name, role=whole.role, files=files, units=whole.units, kernel_arguments=whole.kernel_arguments
    )
