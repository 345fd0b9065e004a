r"""Files that say what the next boot mounts, unlocks and assembles, as others may see them. Numbers of lines stay.

    etc/fstab                    /dev/mapper/acme-data /srv/acme xfs nofail,uquota 0 2
                                 /dev/mapper/[redacted-1] /srv/[redacted-2] xfs nofail,[redacted] 0 2
    etc/kdump.conf               ext4 UUID=..., path, ssh, nfs; etc/default/kdump-tools alike
    etc/crypttab                 acme UUID=0a1b /root/acme.key:LABEL=stick luks,nofail
                                 [redacted-3] UUID=[redacted-4] [redacted]:LABEL=[redacted-7] luks,nofail
    etc/veritytab                names and devices; etc/integritytab alike
    etc/systemd/system/*.mount   What=, Where=, Type=, Options=           and .swap: What=, Options=
    etc/mdadm.conf               ARRAY /dev/md/acme metadata=1.2 UUID=1:2:3:4 name=host:acme
                                 ARRAY /dev/md/[redacted-5] metadata=1.2 UUID=[redacted-6]
    etc/multipath.conf           sections and their braces; of what they say `_SETTINGS`

(fstab(5), crypttab(5), systemd.mount(5), systemd.swap(5), mdadm.conf(5), multipath.conf(5).) Devices, mount points, types,
noauto and nofail pass, people's names in them as pseudonyms.
"""

from __future__ import annotations

from hostagent.host.crashdump import FILESYSTEMS, NETWORK, PATHS, setting
from hostagent.host.escapes import unescaped
from hostagent.host.redact_mounts import WHEN, key, options, source
from hostagent.host.redact_names import HIDDEN, Pseudonyms
from hostagent.host.systemd import whole_lines
from hostagent.values.blanks import fields, stripped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_UNIT_SECTIONS = ("[Mount]", "[Swap]")
_ARRAY_WORDS = ("level", "num-devices", "spares", "metadata")
# multipath.conf: what opens a block, and what is shown inside of one.
_BLOCKS = frozenset(("defaults", "blacklist", "blacklist_exceptions", "devices", "device", "multipaths",
                     "multipath", "overrides",
                     "protocol"))  # fmt: skip
_SETTINGS = frozenset(("find_multipaths", "user_friendly_names", "enable_foreign", "path_grouping_policy"))
_NAMED = frozenset(("wwid", "alias"))
_DISKS = frozenset(("sd", "hd", "vd", "xvd", "nvme", "dm", "md", "loop", "fd", "ram", "raw", "sr", "scd", "st",
                    "dasd", "cciss", "zd",
                    "nbd", "rbd", "drbd", "a", "z", "n", "p", "c", "d", "dcssblk", "mmcblk", "pmem", "zram"))  # fmt: skip


def _by_line(text: str, change: Callable[[str], str]) -> str:
    return "\n".join("" if stripped(line)[:1] in ("#", "") else change(line) for line in text.split("\n"))


def fstab(text: str, names: Pseudonyms) -> str:
    """What is mounted at boot."""
    return _by_line(text, lambda line: _entry(fields(line), names))


def _entry(fields: list[str], names: Pseudonyms) -> str:
    if len(fields) < 3:
        return ""
    kind = fields[2]
    point = fields[1] if fields[1] == "none" else names.path(unescaped(fields[1]))
    numbers = [field for field in fields[4:6] if field.isdecimal()]
    told = [options(field, names, WHEN) for field in fields[3:4]]
    return " ".join([source(unescaped(fields[0]), names, kind), point, kind, *told, *numbers])


def kdump(text: str, names: Pseudonyms) -> str:
    """Where the crash dump goes: targets on disks and directories; of servers, that there is one."""
    lines = []
    for name, value in map(setting, text.split("\n")):
        if name in NETWORK and value:
            lines.append(f"{name} {HIDDEN}")
        elif name in FILESYSTEMS and value:
            lines.append(f"{name} {source(value, names)}")
        elif name in PATHS and value:
            lines.append(f"{name} {names.path(value)}")
    return "".join(f"{line}\n" for line in lines)


def crypttab(text: str, names: Pseudonyms) -> str:
    """What is unlocked at boot: the name of the volume, its device, whether a key is in a file, and when."""

    def entry(line: str) -> str:
        given = fields(line)
        if len(given) < 2:
            return ""
        told_key = [key(field, names) for field in given[2:3]]
        told = [options(field, names, (*WHEN, "swap", "tmp", "plain", "luks")) for field in given[3:4]]
        return " ".join([names.component(given[0]), source(given[1], names), *told_key, *told])

    return _by_line(text, entry)


def integritytab(text: str, names: Pseudonyms) -> str:
    """What is opened at boot with dm-integrity, and by `veritytab` with dm-verity: the name of the volume, and its devices."""
    return _by_line(text, lambda line: _volume(fields(line), names, devices=1))


def veritytab(text: str, names: Pseudonyms) -> str:
    """As `integritytab`; the second device has the hashes."""
    return _by_line(text, lambda line: _volume(fields(line), names, devices=2))


def _volume(given: list[str], names: Pseudonyms, *, devices: int) -> str:
    below = [source(field, names) for field in given[1 : devices + 1]]
    told = [options(field, names, WHEN) for field in given[devices + 2 : devices + 3]]
    rest = [HIDDEN for _ in given[devices + 1 : devices + 2]]
    return " ".join([names.component(given[0]), *below, *rest, *told]) if below else ""


def mount_unit(text: str, names: Pseudonyms) -> str:
    """A unit of kind .mount or .swap: the section that says what is mounted where."""
    shown, section = [], ""
    for line in whole_lines(text.split("\n")):
        body = stripped(line)
        if body.startswith("[") and body.endswith("]"):
            section = body
            shown.append(body if body in _UNIT_SECTIONS else "")
        else:
            shown.append(_setting(body, names) if section in _UNIT_SECTIONS else "")
    return "\n".join(shown)


def _setting(line: str, names: Pseudonyms) -> str:
    key, equals, value = (stripped(part) for part in line.partition("="))
    if not equals or not value:
        return f"{key}=" if equals and key in ("What", "Where", "Type", "Options") else ""
    if key == "What":
        return f"What={source(value, names)}"
    if key == "Where":
        return f"Where={names.path(value)}"
    if key == "Options":
        return f"Options={options(value, names, WHEN)}"
    return f"Type={value}" if key == "Type" and _is_word(value) else ""


def _is_word(text: str) -> bool:
    return text.replace(".", "").replace("-", "").replace("_", "").isalnum()


def mdadm(text: str, names: Pseudonyms) -> str:
    """A file of mdadm.conf(5). Lines that begin with a blank go on with the one before."""
    shown, keyword = [], ""
    for line in text.split("\n"):
        words = fields(line.partition("#")[0])
        if not words:
            shown.append("")
            continue
        goes_on = line[0] in " \t"
        if not goes_on:
            keyword = words[0].lower()
        kept = [word for given in words[not goes_on :] if (word := _array_word(keyword, given, names)) is not None]
        known = keyword.startswith(("arr", "dev"))
        head = [" "] if goes_on else words[:1]
        shown.append(" ".join([*head, *kept]) if known and (kept or not goes_on) else "")
    return "\n".join(shown)


def _array_word(keyword: str, word: str, names: Pseudonyms) -> str | None:
    """A word of an ARRAY or DEVICE line; None where it does not pass."""
    name, equals, value = word.partition("=")
    if not equals:
        shown = word in ("partitions", "containers", "<ignore>")
        return word if shown else _glob(word, names) if word.startswith("/dev/") else names.component(word)
    if not keyword.startswith("arr"):
        return None
    if name.lower() == "devices":
        return f"{name}={','.join(_glob(one, names) for one in value.split(','))}"
    if name.lower() in ("uuid", "container", "member"):
        return f"{name}={names.path(value)}"
    return word if name.lower() in _ARRAY_WORDS and _is_word(value) else None


def _glob(pattern: str, names: Pseudonyms) -> str:
    """A path below /dev that may have patterns for disks in it: `/dev/sd*`, `/dev/nvme[0-3]n1`."""
    head, _, last = pattern.rpartition("/")
    return f"{names.path(head)}/{last}" if _of_disks(last) and set(last) & set("*?[") else names.path(pattern)


def _of_disks(pattern: str) -> bool:
    """Whether the words of a pattern are names of disks."""
    letters = "".join(letter if letter.isalpha() else " " for letter in pattern)
    return len(pattern) < 64 and _DISKS.issuperset(fields(letters))


def multipath(text: str, names: Pseudonyms) -> str:
    """multipath.conf(5): the blocks, and which devices are left out or called what."""

    def line(given: str) -> str:
        body = stripped(given.partition("#")[0].partition("!")[0])
        name, _, rest = body.partition(" ")
        value = stripped(rest).strip('"')
        if body in ("{", "}") or (name in _BLOCKS and stripped(rest) in ("{", "")) or body.removesuffix("{") in _BLOCKS:
            return body
        if body.endswith("{"):
            return f"{HIDDEN} {{"
        if name in _SETTINGS and value.replace("_", "").isalnum():
            return f"{name} {value}"
        if name in _NAMED:
            return f'{name} "{names.component(value)}"' if value not in (".*", "*") else f'{name} "{value}"'
        if name == "devnode":
            return f'{name} "{value if _of_disks(value) else HIDDEN}"'
        return ""

    def several(given: str) -> str:
        """What stands in one line, as the brackets part it."""
        body = stripped(given)
        if body == "}" or ("}" not in body and "{" not in body[:-1]):
            return line(given)
        parts = body.replace("{", "{\n").replace("}", "\n}\n").split("\n")
        return " ".join([shown for part in parts if (shown := line(part))])

    return _by_line(text, several)
