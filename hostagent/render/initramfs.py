"""Modules that have to be in the initramfs, so that vfio-pci is there before the host's own drivers.

dracut.conf(5): values are lists in quotes with blanks around them, module names with underscores. initramfs-tools(7): a hook,
because /etc/initramfs-tools/modules is one file that belongs to the administrator. Both put modprobe.d into the image by
themselves where it is made for its host; dracut is told to for the other kind.
"""

from __future__ import annotations

from hostagent.plan.model import Plan
from hostagent.platforms import DRACUT, GENERIC, INITRAMFS_TOOLS
from hostagent.render import modprobe
from hostagent.render.files import File, RenderError
from hostagent.render.origin import head

DRACUT_PATH = "/etc/dracut.conf.d/50-hostagent.conf"
HOOK_PATH = "/etc/initramfs-tools/hooks/hostagent"
REBUILD = {DRACUT: "dracut -f --regenerate-all", INITRAMFS_TOOLS: "update-initramfs -u -k all"}


def dracut(plan: Plan) -> tuple[File, ...]:
    """A drop-in for dracut, where there is something to put in."""
    _made_by(plan, DRACUT)
    modules = plan.initramfs.modules
    if not modules:
        return ()
    lines = [f'force_drivers+=" {" ".join(modules)} "']
    if any(file.path == modprobe.VFIO_PATH for file in modprobe.modprobe(plan)):
        lines.append(f'install_items+=" {modprobe.VFIO_PATH} "')
    text = head((f"Then run: {REBUILD[DRACUT]}",)) + "".join(f"{line}\n" for line in lines)
    return (File(path=DRACUT_PATH, mode=0o644, text=text),)


def initramfs_tools(plan: Plan) -> tuple[File, ...]:
    """A hook for update-initramfs, where there is something to put in."""
    _made_by(plan, INITRAMFS_TOOLS)
    modules = plan.initramfs.modules
    if not modules:
        return ()
    lines = (
        'if [ "$1" = prereqs ]; then',
        "    echo",
        "    exit 0",
        "fi",
        ". /usr/share/initramfs-tools/hook-functions",
        *(f"force_load {module}" for module in modules),
    )
    text = "#!/bin/sh\n" + head((f"Then run: {REBUILD[INITRAMFS_TOOLS]}",)) + "".join(f"{line}\n" for line in lines)
    return (File(path=HOOK_PATH, mode=0o755, text=text),)


def initramfs(plan: Plan) -> tuple[File, ...]:
    """What the platform's own tool takes; nothing where images come with their initramfs."""
    match plan.initramfs.kind:
        case kind if kind == DRACUT:
            return dracut(plan)
        case kind if kind == INITRAMFS_TOOLS:
            return initramfs_tools(plan)
        case _:
            return ()


def _made_by(plan: Plan, tool: str) -> None:
    kind, platform = plan.initramfs.kind, plan.platform.name
    if kind == GENERIC:
        raise RenderError(
            "platform.name", f"the initramfs of {platform} comes with its image: nothing for {tool} there"
        )
    if kind != tool:
        raise RenderError("platform.name", f"{platform} makes its initramfs with {kind}, not with {tool}")
