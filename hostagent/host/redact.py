"""What others may see of each file: one function of its text, declared by its path.

`hostagent.host.redacted_tree` reads a machine through it: what `probe -o json|yaml` and /report.json say was never read in
any other form, and a capture holds what was read so. Hence law L1: the survey of a capture equals that of the redacted machine.

Whatever the bytes of a file are: one name in Latin-1 among the mounts hides nothing else. Every function is idempotent.
Files that are in no table hold kernel data of no person; of these, too, MAC addresses and the names of links that hold one go.
"""

from __future__ import annotations

from hostagent.host.limits import COMMAND_LINE_BYTES
from hostagent.host.redact_arguments import argument
from hostagent.host.redact_mounts import mount_line, mounts_line, source, swap_line
from hostagent.host.redact_names import HIDDEN, Pseudonyms, has_mac
from hostagent.values.blanks import fields, stripped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[str, Pseudonyms], str]

# Large, and the same on every machine with that kernel or distribution.
_PUBLIC = ("lib/modules/", "usr/lib/modules/", "run/hostagent-modules/", "usr/share/", "usr/lib/firmware/")
_NO_MAC = "00:00:00:00:00:00"


def redacted(path: str, data: bytes, names: Pseudonyms | None = None) -> bytes:
    """The content of one file, by a path it was asked for. `names`: those of its machine."""
    if path.startswith(_PUBLIC) or path.endswith("/pci.ids"):
        return data
    names = Pseudonyms() if names is None else names
    change = _change(path)
    if change is None and data.count(b":") < _COLONS and not names.links:
        return data
    text = data.decode("utf-8", "surrogateescape")
    text = _without_macs(text if change is None else change(text, names))
    for real, shown in names.links.items():
        text = text.replace(real, shown)
    return text.encode("utf-8", "surrogateescape")


def _change(path: str) -> Change | None:
    """What is to be done to the text of a file; None for most."""
    if path.startswith("proc/"):
        return _version if path == "proc/version" else _PROC.get(path.rpartition("/")[2])
    if path.startswith("sys/"):
        return next((change for end, change in _SYS if path.endswith(end)), None)
    # What most files of a survey are is settled; the tables of the others are read when one of them is met.
    from hostagent.host.redact_files import change_of

    return change_of(path)


def command_line(text: str, _names: Pseudonyms) -> str:
    """A kernel command line, word by word; quotes kept. One that is longer than is looked at stays so, and no word of it is."""
    if len(text.encode("utf-8", "surrogateescape")) > COMMAND_LINE_BYTES:
        return f"{HIDDEN}{' ' * COMMAND_LINE_BYTES}\n"
    from hostagent.values.cmdline import words

    return " ".join(argument(word) for word in words(text)) + "\n"


def _lines(change: Change) -> Change:
    return lambda text, names: "\n".join([change(line, names) if line else "" for line in text.split("\n")])


def _routes(*, keep: tuple[int, ...], link: int, columns: int) -> Change:
    """Columns of a route table, all but `keep` as zeros of the same width; the heading stays."""

    def line(text: str, names: Pseudonyms) -> str:
        # The name of a link may hold any blank but the kernel's own.
        fields = [field for field in text.replace("\t", " ").split(" ") if field]
        if fields[:1] == ["Iface"]:
            return text
        if len(fields) < columns:
            return " ".join(HIDDEN for _ in fields)
        fields[link] = names.link(fields[link])
        shown = [field if number in (*keep, link) else _hidden_hex(field) for number, field in enumerate(fields[:11])]
        return "\t".join(shown)

    return _lines(line)


def _hidden_hex(field: str) -> str:
    """An address of a route table: none stays none, link-local and multicast stay what they are, all others become ::1."""
    if set(field) <= {"0"}:
        return field
    kept = field[:4] if len(field) == 32 and field.lower().startswith(("fe8", "ff")) else ""
    return kept + "0" * (len(field) - len(kept) - 1) + "1"


_COLONS = 5
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


def _without_macs(text: str) -> str:
    """`text` with zeros for every MAC address in it: six pairs of digits between five colons, and no more on either side."""
    if text.count(":") < _COLONS:
        return text
    pieces = text.split(":")
    first = 0
    while first + _COLONS < len(pieces):
        if _is_mac(pieces, first):
            pieces[first] = pieces[first][:-2] + "00"
            pieces[first + 1 : first + _COLONS] = ["00"] * (_COLONS - 1)
            pieces[first + _COLONS] = "00" + pieces[first + _COLONS][2:]
            first += _COLONS
        else:
            first += 1
    return ":".join(pieces)


def _is_mac(pieces: list[str], first: int) -> bool:
    """Whether an address begins with the last two letters of a piece."""
    head, last = pieces[first], pieces[first + _COLONS]
    pairs = (head[-2:], *pieces[first + 1 : first + _COLONS], last[:2])
    if any(len(pair) != 2 or not _HEXADECIMAL.issuperset(pair) for pair in pairs):
        return False
    # Part of a longer number, or of an address with more pairs than Ethernet's.
    longer = head[-3:-2] in _HEXADECIMAL or last[2:3] in _HEXADECIMAL
    more = (head == pairs[0] and first > 0) or (last == pairs[-1] and first + _COLONS + 1 < len(pieces))
    return not longer and not more


def _serial(line: str, _names: Pseudonyms) -> str:
    """Numbers of a board (Arm), or of a machine (s390): `processor 0: version = FF,  identification = 1A2B3C,  ...`."""
    if line.startswith("Serial"):
        return "Serial\t\t: 0"
    head, mark, tail = line.partition("identification = ")
    return f"{head}{mark}000000{tail.lstrip('0123456789abcdefABCDEF')}" if mark else line


def _version(text: str, _names: Pseudonyms) -> str:
    """`Linux version 6.12.117 (builder@host) ...`."""
    return " ".join(text.split(" ")[:3]).strip("\n") + "\n"


def _dm_uuid(text: str, names: Pseudonyms) -> str:
    """`CRYPT-LUKS2-<uuid>-name`, `LVM-<ids>`, `mpath-<wwid>`, `part1-mpath-<wwid>`: what made it, and a name."""
    made, dash, rest = stripped(text).partition("-")
    return f"{made}-{names.hidden(rest)}\n" if dash else f"{names.component(made)}\n"


def _words(text: str, names: Pseudonyms) -> str:
    return " ".join(names.link(word) for word in fields(text)) + "\n"


def _net_dev(line: str, names: Pseudonyms) -> str:
    """`  eth0: 1296 16 0 ...`: who is there; how much was sent is nobody's business and changes all the time."""
    head, colon, _ = line.partition(":")
    return f"{names.link(stripped(head))}: 0" if colon else line


def _uevent(line: str, names: Pseudonyms) -> str:
    name, equals, value = line.partition("=")
    if name in ("INTERFACE", "DEVNAME"):
        return f"{name}{equals}{names.block(names.link(value))}"
    return line


# By the last component: each namespace has its own mounts and routes.
_PROC: dict[str, Change] = {
    "cmdline": command_line,
    "mountinfo": _lines(mount_line),
    "mounts": _lines(mounts_line),
    "swaps": _lines(swap_line),
    # Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
    "route": _routes(keep=(3, 4, 5, 6, 8, 9, 10), link=0, columns=4),
    # destination length source length next-hop metric refcnt use flags device
    "ipv6_route": _routes(keep=(1, 3, 5, 6, 7, 8), link=9, columns=10),
    "dev": _lines(_net_dev),
    "cpuinfo": _lines(_serial),
}
# By the end of the path.
_SYS: tuple[tuple[str, Change], ...] = (
    ("/uevent", _lines(_uevent)),
    ("/dm/name", lambda text, names: names.component(text.strip("\n")) + "\n"),
    ("/dm/uuid", _dm_uuid),
    ("/loop/backing_file", _lines(lambda line, names: names.path(line))),
    ("/backing_dev", _lines(source)),
    ("/bonding/slaves", _words),
    ("/bonding_masters", _words),
    ("/ifalias", lambda text, _: HIDDEN if stripped(text) else text),
)


def shown_link(name: str, names: Pseudonyms) -> str:
    """An entry of a directory of links: `enx001122334455`, `lower_enx001122334455`."""
    for head in ("lower_", "upper_"):
        if name.startswith(head):
            return head + names.link(name[len(head) :])
    return names.link(name) if has_mac(name) else name
