"""What identifies a machine or a person, taken out of text before it is reported or captured.

One rule for both: whatever an area reports of a file is the same before and after `redacted`, so that a survey of a capture
equals the survey of the machine (law L1). Idempotent.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HIDDEN = "[redacted]"

# Kernel arguments whose values name people's networks, disks or secrets, with everything below them (`ignition.config.url`).
# Those with a dot are prefixes (`rd.znet_ifname`). Compared with `-` as `_`.
_ARGUMENTS = (
    "ip", "nameserver", "ifname", "bootif", "bootdev", "hostname", "systemd.hostname", "nfsroot", "root", "resume",
    "rd.iscsi", "rd.luks", "rd.lvm", "rd.md", "rd.dm", "rd.zfcp", "rd.znet", "rd.route", "rd.peerdns", "luks", "netroot",
    "iscsi", "iscsi_initiator", "nfs", "inst.", "ignition", "coreos.", "ostree", "boot", "url", "proxy", "http_proxy",
    "https_proxy",
)  # fmt: skip
_SECRETS = ("passw", "token", "secret", "key", "credential", "user", "uuid", "serial")


def argument(word: str) -> str:
    """One word of a kernel command line, its value hidden where it may name a person, a network or a disk."""
    name, equals, _ = word.partition("=")
    if not equals:
        return word
    plain = name.replace("-", "_").lower()
    own = any(plain == entry or plain.startswith(entry if "." in entry else f"{entry}.") for entry in _ARGUMENTS)
    if own or any(secret in plain for secret in _SECRETS):
        return f"{name}={HIDDEN}"
    return word


def command_line(text: str) -> str:
    """A kernel command line, word by word; quotes kept."""
    from hostagent.values.cmdline import words

    return " ".join(argument(word) for word in words(text))


def mount_line(line: str) -> str:
    """A line of mountinfo without what it says of other people: sources on a network, volume names, super block options.

    `36 35 98:0 /a /mnt rw,noatime master:1 - ext4 /dev/mapper/host-root rw,errors=continue` (proc(5))
    """
    fields = line.split(" ")
    # The separator comes after six fields and any number of optional ones.
    if "-" not in fields[6:]:
        return line
    dash = fields.index("-", 6)
    if len(fields) < dash + 3:
        return line
    fields[dash + 2] = device(fields[dash + 2])
    return " ".join([*fields[: dash + 3], *([HIDDEN] if len(fields) > dash + 3 else [])])


def device(source: str) -> str:
    """What a mount or swap stands on: kernel names stay, names that people gave do not."""
    if source.startswith("/dev/mapper/") and source != "/dev/mapper/control":
        return f"/dev/mapper/{HIDDEN}"
    if source.startswith("/dev/disk/"):
        return "/".join(source.split("/")[:4]) + f"/{HIDDEN}"
    if source.startswith("/dev/"):
        parts = source.split("/")
        # /dev/vg/lv: both names are people's.
        return source if len(parts) == 3 else f"/dev/{HIDDEN}"
    if ":" in source or "/" in source or "@" in source:
        return HIDDEN
    return source


def _hex_fields(text: str, keep: tuple[int, ...]) -> str:
    """Columns of a route table, all but `keep` as zeros of the same width; the heading stays."""
    lines = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[0] == "Iface":
            lines.append(line)
            continue
        lines.append("\t".join(field if number in keep else _hidden_hex(field) for number, field in enumerate(fields)))
    return "\n".join(lines) + "\n"


def _hidden_hex(field: str) -> str:
    """An address of a route table: none stays none, link-local and multicast stay what they are, all others become ::1."""
    if set(field) <= {"0"}:
        return field
    kept = field[:4] if len(field) == 32 and field.lower().startswith(("fe8", "ff")) else ""
    return kept + "0" * (len(field) - len(kept) - 1) + "1"


def _without_macs(text: str) -> str:
    import re

    return re.sub(r"(?i)(?<![0-9a-f:])([0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])", "00:00:00:00:00:00", text)


def _lines(text: str, change: Callable[[str], str]) -> str:
    return "\n".join(change(line) for line in text.split("\n"))


def mounts_line(line: str) -> str:
    """The same for a line of proc/mounts, which has no device numbers: the disk is found by its name under /dev.

    `files.example.org:/alice /srv nfs4 rw,addr=10.0.0.1 0 0`
    """
    source, *fields = line.split(" ")
    if len(fields) < 3:
        return line
    return " ".join([source if source.startswith("/dev/") else device(source), *fields[:2], HIDDEN])


def redacted(path: str, data: bytes) -> bytes:
    """The content of one captured file, by one of the paths it was asked for.

    Whatever its bytes are: one name in Latin-1 among the mounts hides nothing else.
    """
    change = _change(path)
    text = data.decode("utf-8", "surrogateescape")
    return _without_macs(text if change is None else change(text)).encode("utf-8", "surrogateescape")


def _change(path: str) -> Callable[[str], str] | None:
    """What is to be done to the text of a file; None for most."""
    from hostagent.host import kubelet_files, overrides, systemd

    if path.startswith("proc/"):
        return _PROC.get(path.rpartition("/")[2])
    if path in kubelet_files.STATES:
        return kubelet_files.kept_state
    if path in kubelet_files.CONFIGS or path.startswith(kubelet_files.DROP_INS):
        return kubelet_files.kept_lines
    if systemd.is_configuration(path):
        return systemd.kept_settings
    return overrides.kept(path)


# By the last component: each namespace has its own mounts and routes.
_PROC: dict[str, Callable[[str], str]] = {
    "cmdline": lambda text: command_line(text) + "\n",
    "mountinfo": lambda text: _lines(text, mount_line),
    "mounts": lambda text: _lines(text, mounts_line),
    # Iface Destination Gateway Flags RefCnt Use Metric Mask ...
    "route": lambda text: _hex_fields(text, keep=(0, 3, 4, 5, 6, 8, 9, 10)),
    # destination length source length next-hop metric refcnt use flags device
    "ipv6_route": lambda text: _hex_fields(text, keep=(1, 3, 5, 6, 7, 8, 9)),
    "cpuinfo": lambda text: _lines(text, lambda line: "Serial\t\t: 0" if line.startswith("Serial") else line),
}
