r"""Kernel modules: which are here, and with what parameters.

A module is looked for where it is cheapest to see, in this order:

    /proc/modules                          kvm_amd 217088 0 - Live 0x0000000000000000      loaded
    /sys/module/<name>                     there though not loaded from a file: built in
    /lib/modules/<release>/modules.builtin kernel/drivers/vfio/pci/vfio-pci.ko             built in
    /lib/modules/<release>/modules.dep     kernel/arch/x86/kvm/kvm-amd.ko.xz: kernel/...   could be loaded
    /lib/modules/<release>/modules.devname vhost_net vhost-net c10:238                     its node is made at boot

The indexes are read only when the first two do not know: most built-in modules without parameters have no directory
in /sys/module. `-` and `_` are one letter in module names.
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.values.blanks import fields, lines

BUILT_IN = "built-in"
LOADED = "loaded"
AVAILABLE = "available"  # a file of this kernel release holds it; nothing has loaded it yet
ABSENT = "absent"  # this kernel release has no such module
STATES = (BUILT_IN, LOADED, AVAILABLE, ABSENT)

# Where hostagent's units show the agent /usr/lib/modules: ProtectKernelModules= closes the place itself, and takes more than
# that away which is worth taking. Looked at first, since a closed directory is trouble and one that is not there is none.
UNIT_PLACE = "run/hostagent-modules"
_PLACES = (UNIT_PLACE, "lib/modules", "usr/lib/modules")
_SUFFIX_ENDS = (b":", b".", b"\n", b" ", b"")


def normal(name: str) -> str:
    """The name as /proc/modules spells it."""
    return name.replace("-", "_")


def state(reader: Reader, name: str) -> str | None:
    """One of STATES, or None where the root does not say (no module files of the running release in it)."""
    module = normal(name)
    loaded = loaded_modules(reader)
    if loaded is not None and module in loaded:
        return LOADED
    if reader.exists(f"sys/module/{module}"):
        # Only modules that came from a file have an initstate; it decides where /proc/modules cannot be seen.
        return LOADED if loaded is None and reader.exists(f"sys/module/{module}/initstate") else BUILT_IN
    return _on_disk(reader, module)


def _on_disk(reader: Reader, module: str) -> str | None:
    builtin, files = reader.once(_indexes)
    if builtin is not None and _lists(builtin, module):
        return BUILT_IN
    if files is None:
        return None
    return AVAILABLE if _lists(files, module) else ABSENT


def loaded_modules(reader: Reader) -> frozenset[str] | None:
    """Names in /proc/modules; None where there is no such file (a kernel without loadable modules, a partial root)."""
    return reader.once(_loaded)


def _loaded(reader: Reader) -> frozenset[str] | None:
    text = reader.text("proc/modules")
    return None if text is None else frozenset(line.split(" ", 1)[0] for line in lines(text) if line)


def release(reader: Reader) -> str | None:
    """The running kernel's release, as `uname -r` says it."""
    text = reader.text("proc/sys/kernel/osrelease")
    if text:
        return text
    # Linux version 6.12.117+deb12-amd64 (debian-kernel@...): the third word.
    words = (reader.text("proc/version") or "").split(" ", 3)
    return words[2] if len(words) > 2 and words[:2] == ["Linux", "version"] else None


def _indexes(reader: Reader) -> tuple[bytes | None, bytes | None]:
    """modules.builtin and modules.dep of the running release, `-` made `_`."""
    found = (_index(reader, name) for name in ("modules.builtin", "modules.dep"))
    builtin, files = (None if data is None else data.replace(b"-", b"_") for data in found)
    return builtin, files


def _index(reader: Reader, name: str) -> bytes | None:
    """An index of the running release, wherever it is."""
    running = release(reader)
    if running is None or "/" in running:
        return None
    for base in _PLACES:
        data = reader.raw(f"{base}/{running}/{name}")
        if data is not None:
            return data
    return None


def static_nodes(reader: Reader) -> frozenset[str] | None:
    """Names below /dev that are made at boot for modules nothing has loaded yet; None where the root does not say."""
    data = _index(reader, "modules.devname")
    if data is None:
        return None
    rows = (fields(line) for line in lines(data.decode("ascii", "replace")) if not line.startswith("#"))
    return frozenset(row[1] for row in rows if len(row) == 3)


def _lists(index: bytes, module: str) -> bool:
    """Whether a module file of that name is mentioned: `.../vfio_pci.ko`, plain or compressed."""
    file = f"/{module}.ko".encode()
    at = index.find(file)
    while at >= 0:
        end = at + len(file)
        if index[end : end + 1] in _SUFFIX_ENDS:
            return True
        at = index.find(file, end)
    return False


def parameter(reader: Reader, module: str, name: str) -> str | None:
    """What a parameter of a module in the kernel is set to; None where it has none, or does not show it."""
    return reader.text(f"sys/module/{normal(module)}/parameters/{name}")


def switch(reader: Reader, module: str, name: str) -> bool | None:
    """A parameter that is a kernel boolean."""
    return reader.flag(f"sys/module/{normal(module)}/parameters/{name}")
