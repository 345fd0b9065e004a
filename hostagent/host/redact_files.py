"""What others may see of files below etc, usr, var and run, and of the facts that no file holds: a function for each path."""

from __future__ import annotations

from hostagent.host import crashdump, kubelet_files, overrides, systemd
from hostagent.host.holders import NOBODY
from hostagent.host.redact_boot import crypttab, fstab, integritytab, kdump, mdadm, mount_unit, multipath, veritytab
from hostagent.host.redact_guests import libvirt, proxmox
from hostagent.host.redact_modules import modprobe, modules_load
from hostagent.values.blanks import lines, stripped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.host.redact_names import Pseudonyms

    Change = Callable[[str, Pseudonyms], str]

_OS_RELEASE = ("ID", "ID_LIKE", "VERSION_ID", "VARIANT_ID", "OPENSHIFT_VERSION")


def change_of(path: str) -> Change | None:
    """What is to be done to the text of a file; None where all of it passes."""
    exact = _EXACT.get(path)
    if path.endswith(".conf") and path.rpartition("/")[0].endswith((".mount.d", ".swap.d")):
        return mount_unit
    return exact or next(
        (change for begin, end, change in _PLACES if path.startswith(begin) and path.endswith(end)), None
    )


def _alone(change: Callable[[str], str]) -> Change:
    """A function that needs no names: what it keeps are settings and addresses."""
    return lambda text, _names: change(text)


def _os_release(text: str) -> str:
    return "".join(f"{line}\n" for line in lines(text) if stripped(line.partition("=")[0]) in _OS_RELEASE)


def _driver(text: str) -> str:
    """A file of driverctl: the name of a driver."""
    return text if stripped(text) == overrides.DRIVER else ""


def _holders(text: str, names: Pseudonyms) -> str:
    """`[["/dev/vfio/14", "qemu-system-x86"]]`: names of processes are the operator's business, and pass."""
    if text == NOBODY:
        return text
    import json

    try:
        return json.dumps([[names.path(path), process] for path, process in json.loads(text)]) + "\n"
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ""


_KUBELET, _SYSTEM = _alone(kubelet_files.kept_lines), _alone(systemd.kept_settings)
_MODPROBE, _LOADED = _alone(modprobe), _alone(modules_load)
_UNIT, _RULES, _DRIVERCTL = _alone(overrides.kept), _alone(overrides.kept_rules), _alone(_driver)
_EXACT: dict[str, Change] = {
    **dict.fromkeys(kubelet_files.STATES, _alone(kubelet_files.kept_state)),
    **dict.fromkeys(kubelet_files.CONFIGS, _alone(kubelet_files.kept_lines)),
    **dict.fromkeys(("etc/os-release", "usr/lib/os-release"), _alone(_os_release)),
    **dict.fromkeys(crashdump.FILES, kdump),
    "etc/fstab": fstab,
    "etc/crypttab": crypttab,
    "etc/veritytab": veritytab,
    "etc/integritytab": integritytab,
    "etc/mdadm.conf": mdadm,
    "etc/mdadm/mdadm.conf": mdadm,
    "etc/multipath.conf": multipath,
    "holders.json": _holders,
}
# Beginning and end of the path; the first that fits.
_PLACES: tuple[tuple[str, str, Change], ...] = (
    *((place, "", _KUBELET) for place in kubelet_files.DROP_INS),
    *((f"{place}/system.conf", "", _SYSTEM) for place in systemd.PLACES),
    *(
        (f"{place}/systemd/", end, mount_unit)
        for place in ("etc", "run", "usr/local/lib", "usr/lib", "lib")
        for end in (".mount", ".swap", ".automount")
    ),
    (f"{overrides.UNITS}/", ".service", _UNIT),
    (f"{overrides.RULES}/", ".rules", _RULES),
    (f"{overrides.DRIVERCTL}/", "", _DRIVERCTL),
    *(
        (f"{place}/{directory}/", ".conf", change)
        for place in ("etc", "run", "usr/local/lib", "usr/lib", "lib")
        for directory, change in (("modprobe.d", _MODPROBE), ("modules-load.d", _LOADED))
    ),
    ("etc/mdadm.conf.d/", "", mdadm),
    ("etc/mdadm/mdadm.conf.d/", "", mdadm),
    ("etc/multipath/conf.d/", "", multipath),
    ("etc/libvirt/", ".xml", libvirt),
    ("etc/pve/", ".conf", proxmox),
)
