"""Where the crash kernel writes its dump: devices that the next panic wants, whatever is mounted now.

    sys/kernel/kexec_crash_loaded     1 while a crash kernel is loaded
    etc/kdump.conf                    RHEL, Fedora: `ext4 UUID=...`, `xfs /dev/sda3`, `raw /dev/sda4`,
                                      `nfs server:/export`, `ssh user@server`, `path /var/crash`
    etc/default/kdump-tools           Debian, Ubuntu: `KDUMP_COREDIR="/var/crash"`, `NFS=...`, `SSH=...`

(kdump.conf(5), kdump-config(8).) Without a target the dump goes below `path` on the root file system, which is in use anyway.
Configuration that no crash kernel uses wants nothing.
"""

from __future__ import annotations

from hostagent.host.descent import Descent
from hostagent.host.hardware import STORAGE_CLASSES, Carriers, unresolved
from hostagent.host.mounts import holding, mounts
from hostagent.host.nextboot import linked
from hostagent.host.reader import Reader
from hostagent.values.blanks import stripped
from hostagent.values.record import replaced

LOADED = "sys/kernel/kexec_crash_loaded"
KDUMP, KDUMP_TOOLS = "etc/kdump.conf", "etc/default/kdump-tools"
FILESYSTEMS = ("ext2", "ext3", "ext4", "xfs", "btrfs", "minix", "raw", "virtiofs")
NETWORK = ("nfs", "ssh")
PATHS = ("path", "KDUMP_COREDIR")
FILES = (KDUMP, KDUMP_TOOLS)


def crash_dump(reader: Reader) -> tuple[str, Carriers] | None:
    """The file that names the target, and what carries it; None where no crash kernel is loaded, or nobody names any."""
    # What cannot be read may say that one is loaded.
    if not reader.exists(LOADED) or reader.flag(LOADED) is False:
        return None
    for path in FILES:
        lines = reader.lines(path)
        if lines:
            return path, _carriers(reader, lines)
        if reader.exists(path) and reader.text(path) is None:
            return path, unresolved(f"{path} could not be read")
    return None


def _carriers(reader: Reader, lines: tuple[str, ...]) -> Carriers:
    descent = Descent(reader, mounts(reader))
    settings = [(name, value) for name, value in map(setting, lines) if value]
    network = any(name in NETWORK for name, _ in settings)
    targets = [value for name, value in settings if name in FILESYSTEMS]
    names = {target: linked(reader, target) for target in targets}
    for name in names.values():
        if name is not None:
            descent.name(name)
    # The directory is one of the target; of what is mounted now where there is none.
    for name, value in settings if not (targets or network) else ():
        mount = holding(mounts(reader), value) if name in PATHS else None
        if mount is not None:
            descent.mount(mount)
    found = descent.carriers()
    missing = tuple(f"{target} leads to no device" for target, name in names.items() if name is None)
    return replaced(
        found,
        network=found.network or network,
        unresolved=(*found.unresolved, *missing),
        suspects=STORAGE_CLASSES if missing else found.suspects,
    )


def setting(line: str) -> tuple[str, str]:
    """`ext4 /dev/sda1` or `NFS="server:/export"`; an empty name for comments."""
    text = stripped(line)
    if text.startswith("#"):
        return "", ""
    head, equals, value = text.partition("=")
    if equals and head.isidentifier() and " " not in head:
        name = head if head in PATHS else head.lower()
        return name, stripped(value).strip("\"'")
    name, _, value = text.partition(" ")
    return name, stripped(value)
