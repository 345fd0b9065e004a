"""modprobe.d(5): the IDs vfio-pci takes, what must not come before it, and options of other modules.

    # /etc/modprobe.d/vfio.conf
    options vfio-pci ids=10de:1eb8
    softdep nouveau pre: vfio-pci

Of two `options vfio-pci ids=` lines only the last counts, so the file has the name that OpenShift's manual gives it: a file
made by hand is replaced, not contradicted. IDs of a built-in vfio-pci are kernel arguments and not written here.
"""

from __future__ import annotations

from hostagent.plan.model import IDS, MODPROBE, Binding, Plan, Softdep
from hostagent.render.files import File
from hostagent.render.origin import entries, head

VFIO_PATH = "/etc/modprobe.d/vfio.conf"
SOFTDEP_PATH = "/etc/modprobe.d/vfio-softdep.conf"
# Files apply in order of their names, and of one parameter given twice the kernel keeps the last.
OPTIONS_PATH = "/etc/modprobe.d/zz-hostagent.conf"
# RHEL CoreOS blacklists the first and has no other.
_NOT_IN_OPENSHIFT = ("nouveau", "nvidia", "nvidiafb")


def modprobe(plan: Plan) -> tuple[File, ...]:
    """Everything for modprobe.d."""
    ids = _ids(plan)
    body = ids + _softdeps(plan.vfio.softdeps)
    vfio = [_file(VFIO_PATH, head(_origins(plan)) + body)] if body else []
    return (*vfio, *_options(plan))


def as_in_the_manual(plan: Plan) -> tuple[File, ...]:
    """The same with VFIO_PATH exactly as OpenShift's manual has it, and what goes beyond that in files of its own."""
    ids = _ids(plan)
    softdeps = tuple(one for one in plan.vfio.softdeps if one.module not in _NOT_IN_OPENSHIFT)
    files = [_file(VFIO_PATH, ids)] if ids else []
    if softdeps:
        files.append(
            _file(SOFTDEP_PATH, head(("Drivers that would take a device before vfio-pci.",)) + _softdeps(softdeps))
        )
    return (*files, *_options(plan))


def _file(path: str, text: str) -> File:
    return File(path=path, mode=0o644, text=text)


def _ids(plan: Plan) -> str:
    given = plan.vfio.channel == MODPROBE and plan.vfio.ids
    return f"options vfio-pci ids={','.join(plan.vfio.ids)}\n" if given else ""


def _softdeps(softdeps: tuple[Softdep, ...]) -> str:
    return "".join(f"softdep {one.module} pre: vfio-pci\n" for one in softdeps)


def _origins(plan: Plan) -> list[str]:
    """For each ID the places that ask for it."""
    return [
        f"{identity}: {entries(one for one in plan.bindings if one.method == IDS and identity in _spellings(one))}"
        for identity in plan.vfio.ids
    ]


def _spellings(binding: Binding) -> tuple[str, str]:
    short = f"{binding.vendor_id}:{binding.device_id}"
    return short, f"{short}:{binding.subsystem_vendor_id}:{binding.subsystem_device_id}"


def _options(plan: Plan) -> tuple[File, ...]:
    if not plan.module_options:
        return ()
    lines = "".join(f"options {one.module} {one.name}={one.value}\n" for one in plan.module_options)
    whys = dict.fromkeys(f"{one.module} {one.name}={one.value}: {one.why}" for one in plan.module_options)
    return (_file(OPTIONS_PATH, head(whys) + lines),)
