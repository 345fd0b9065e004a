"""modules-load.d(5): modules that no hardware asks for. vfio-pci has no alias that udev would load it by."""

from __future__ import annotations

from hostagent.plan.model import Plan
from hostagent.render.files import File
from hostagent.render.origin import entries, head

VFIO_PATH = "/etc/modules-load.d/vfio-pci.conf"
OTHERS_PATH = "/etc/modules-load.d/hostagent.conf"
_VFIO = "vfio-pci"


def modules_load(plan: Plan) -> tuple[File, ...]:
    """vfio-pci in the file OpenShift's manual names, the watchdog's module in one of ours."""
    return _files(plan, head((entries(plan.bindings),)) + f"{_VFIO}\n")


def as_in_the_manual(plan: Plan) -> tuple[File, ...]:
    """The same with VFIO_PATH exactly as OpenShift's manual has it: one word, without a line end."""
    return _files(plan, _VFIO)


def _files(plan: Plan, vfio: str) -> tuple[File, ...]:
    others = tuple(module for module in plan.modules_load if module != _VFIO)
    files = [File(path=VFIO_PATH, mode=0o644, text=vfio)] if _VFIO in plan.modules_load else []
    if others:
        text = head(("watchdog",)) + "".join(f"{module}\n" for module in others)
        files.append(File(path=OTHERS_PATH, mode=0o644, text=text))
    return tuple(files)
