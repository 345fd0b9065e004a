r"""modprobe.d(5) and modules-load.d(5) as others may see them: what is loaded, what is not, and nothing anybody wrote beside it.

    # bought from acme                                 (a blank line: numbers of lines are evidence)
    options vfio-pci ids=10de:1eb8                     options vfio-pci ids=10de:1eb8
    options wifi key=hunter2                           (a blank line)
    install nvidia /sbin/modprobe vfio-pci; curl x     install nvidia /sbin/modprobe vfio-pci

Of options those pass that `redact_arguments.PARAMETERS` names; of commands the words of `_COMMANDS` and the modules of vfio.
"""

from __future__ import annotations

from hostagent.host.modprobe import logical_lines
from hostagent.host.redact_arguments import PARAMETERS, parameter
from hostagent.host.redact_names import HIDDEN
from hostagent.values.blanks import fields, stripped
from hostagent.values.cmdline import words
from hostagent.values.module import is_module_name

# Of a shell command: what says that nothing is loaded, and what loads.
_COMMANDS = frozenset(("/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false", "true", "false", "modprobe",
                       "/sbin/modprobe",
                       "/usr/sbin/modprobe", "/bin/modprobe", "--ignore-install", "-i"))  # fmt: skip
_VFIO = frozenset(("vfio_pci", "vfio_pci_core", "vfio_iommu_type1", "vfio_virqfd", "vfio_mdev",
                   "vfio_platform", "iommufd",
                   "vfio_ap", "vfio_ccw"))  # fmt: skip


def modprobe(text: str) -> str:
    """A file of modprobe.d, line by line."""
    shown = [""] * (text.count("\n") + 1)
    for number, line in logical_lines(text):
        command, _, rest = stripped(line.replace("\t", " ")).partition(" ")
        module, _, arguments = stripped(rest).partition(" ")
        if is_module_name(module):
            shown[number - 1] = _directive(command, module, arguments)
    return "\n".join(shown)


def _directive(command: str, module: str, arguments: str) -> str:
    if command == "blacklist":
        return f"blacklist {module}"
    if command == "options":
        known = module.replace("-", "_") in PARAMETERS or module.replace("-", "_").startswith("vfio")
        kept = [parameter(module, word) for word in words(arguments)] if known else []
    elif command in ("softdep", "weakdep"):
        kept = [word for word in fields(arguments) if word in ("pre:", "post:") or is_module_name(word)]
    elif command in ("install", "remove"):
        kept = _command(module, arguments) or ([HIDDEN] if stripped(arguments) else [])
    else:
        kept = []
    return " ".join([command, module, *kept]) if kept else ""


def _command(module: str, text: str) -> list[str]:
    """The words of a command that say what it loads."""
    kept = []
    for word in fields(text):
        bare = word.strip(";&|(){}'\"")
        plain = bare.replace("-", "_")
        if bare in _COMMANDS or bare == module or plain in _VFIO:
            kept.append(bare)
        elif plain.startswith(("vfio", "iommufd")):
            kept.append("vfio")  # that it is about vfio is known; what it says is not shown
    return kept


def modules_load(text: str) -> str:
    """A file of modules-load.d, line by line."""
    lines = (stripped(line) for line in text.split("\n"))
    return "\n".join(line if is_module_name(line) else "" for line in lines)
