"""Configuration of guests as others may see it: which host devices they are given, and whether they start with the host.

    etc/libvirt/qemu/*.xml           <hostdev mode='subsystem' type='pci' managed='yes'> <source> <address .../>,
                                     <disk type='block'> <source dev='/dev/...'/>, <interface type='hostdev'|'direct'>
    etc/pve/qemu-server/*.conf       hostpci0: 0000:01:00,pcie=1     onboot: 1     scsi1: /dev/disk/by-id/...
    etc/pve/lxc/*.conf

(libvirt's formatdomain, qm.conf(5).) Names, descriptions, UUIDs, MAC addresses, passwords of displays, cloud-init, files and
networks of guests do not pass.
"""

from __future__ import annotations

from hostagent.host.redact_names import HIDDEN, Pseudonyms, has_mac
from hostagent.values.blanks import stripped
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

# Elements by name, and the attributes of each that pass.
ELEMENTS: dict[str, tuple[str, ...]] = {
    "domain": ("type",),
    "devices": (),
    "hostdev": ("mode", "type", "managed", "model"),
    "disk": ("type", "device"),
    "interface": ("type", "managed"),
    "driver": ("name",),
    "source": ("dev", "mode", "startupPolicy"),
    "address": ("type", "domain", "bus", "slot", "function", "uuid"),
}
# Attributes that name something of the host's; the others are words and numbers.
_PATHS, _NAMES = ("dev",), ("uuid",)
_DRIVES = ("ide", "sata", "scsi", "virtio", "efidisk", "tpmstate", "mp", "rootfs", "unused")
_HOSTPCI = ("pcie", "x-vga", "rombar", "legacy-igd", "mdev", "driver")


def libvirt(text: str, names: Pseudonyms) -> str:
    """A domain of libvirt; nothing where it is no XML, or XML with definitions of its own."""
    from xml.etree.ElementTree import ParseError, fromstring

    if "<!DOCTYPE" in text:
        return ""
    try:
        root = fromstring(text.encode("utf-8", "replace"))  # noqa: S314 - no document types: see above
    except (ParseError, ValueError, LookupError):
        return ""
    return "".join(f"{line}\n" for line in _element(root, names, 0)) if root.tag == "domain" else ""


def _element(element: Element, names: Pseudonyms, depth: int) -> Iterator[str]:
    """An element whose name passes, a line for each, and what is in it."""
    given = ((name, element.get(name)) for name in ELEMENTS[element.tag])
    told = "".join(f" {name}='{_attribute(name, value, names)}'" for name, value in given if value is not None)
    inner = [line for child in element if child.tag in ELEMENTS for line in _element(child, names, depth + 1)]
    blanks = " " * depth
    if inner:
        yield f"{blanks}<{element.tag}{told}>"
        yield from inner
        yield f"{blanks}</{element.tag}>"
    else:
        yield f"{blanks}<{element.tag}{told}/>"


def _attribute(name: str, value: str, names: Pseudonyms) -> str:
    if name in _PATHS:
        # A disk's device, or the link below a macvtap.
        shown = names.path(value) if value.startswith("/") else names.link(value) if has_mac(value) else value
        return shown if _is_plain(shown) else names.hidden(value)
    if name in _NAMES:
        return names.hidden(value)
    return value if _is_plain(value) else HIDDEN


def _is_plain(value: str) -> bool:
    return len(value) < 256 and not any(letter in "'\"<>&" or not letter.isprintable() for letter in value)


def proxmox(text: str, names: Pseudonyms) -> str:
    """A guest of Proxmox VE: the lines of its present state; sections of snapshots keep a heading and nothing else."""
    shown, present = [], True
    for line in text.split("\n"):
        body = stripped(line)
        if body.startswith("["):
            present = False
            shown.append(HIDDEN)
        else:
            shown.append(_line(body, names) if present else "")
    return "\n".join(shown)


def _line(line: str, names: Pseudonyms) -> str:
    key, colon, rest = line.partition(":")
    value = stripped(rest)
    kind = key.rstrip("0123456789")
    if not colon:
        return ""
    if key in ("onboot", "template", "protection") and value in ("0", "1"):
        return f"{key}: {value}"
    if kind == "hostpci":
        return f"{key}: {','.join(_hostpci(word, names) for word in value.split(','))}"
    if kind in _DRIVES:
        first = value.partition(",")[0].removeprefix("file=").removeprefix("volume=")
        return f"{key}: {names.path(first)}" if first.startswith("/") else f"{key}: {HIDDEN}"
    return ""


def _hostpci(word: str, names: Pseudonyms) -> str:
    """`0000:01:00.0;0000:01:00.1`, `01:00`, `mapping=gpu`, `pcie=1`."""
    name, equals, value = word.partition("=")
    if equals and name == "mapping":
        return f"mapping={names.component(value)}"
    if equals and name != "host":
        return word if name in _HOSTPCI and value.replace("-", "").replace("_", "").isalnum() else f"{name}={HIDDEN}"
    functions = (value if equals else word).split(";")
    return ";".join(one if _is_address(one) else HIDDEN for one in functions)


def _is_address(text: str) -> bool:
    """An address as Proxmox takes it: the domain and the function may be missing."""
    full = text if text.count(":") == 2 else f"0000:{text}"
    return any(PciAddress.parse(one) is not None for one in (full, f"{full}.0"))
