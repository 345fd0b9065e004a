r"""Units of systemd that mount something or swap to it, with their drop-ins.

    etc/systemd/system/srv-my\x2ddata.mount             [Mount] What=, Where=, Options=      systemd.mount(5)
    etc/systemd/system/srv-my\x2ddata.mount.d/10.conf   the same; of a unit that fstab makes, too
    usr/lib/systemd/system/x.swap                       [Swap] What=, Options=               systemd.swap(5)

The first directory that has a unit counts, and so it is with each drop-in (systemd.unit(5)); a link to /dev/null masks. What
/run holds is not there any more at the next boot, or made anew from files that are read here.
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.host.systemd import whole_lines
from hostagent.host.wanted import Wanted, is_optional, mounted, numbered
from hostagent.values.blanks import stripped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Said = dict[str, tuple[str, str]]

UNITS = (
    "etc/systemd/system.control",
    "etc/systemd/system",
    "etc/systemd/system.attached",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
KINDS = (".mount", ".swap")
_DROP_INS = tuple(f"{kind}.d" for kind in KINDS)
_NOWHERE = "/dev/null"


def units(reader: Reader) -> Iterator[Wanted | None]:
    """What they mount, each once."""
    files: dict[str, str] = {}
    drop_ins: dict[str, dict[str, str]] = {}
    for base in UNITS:
        # Where /lib is a link to usr/lib, all is there a second time.
        for name in reader.names(base):
            if name.endswith(KINDS):
                files.setdefault(name, f"{base}/{name}")
            elif name.endswith(_DROP_INS):
                for part in reader.names(f"{base}/{name}"):
                    drop_ins.setdefault(name.removesuffix(".d"), {}).setdefault(part, f"{base}/{name}/{part}")
    for name in sorted(files.keys() | drop_ins.keys()):
        path, parts = files.get(name), drop_ins.get(name, {})
        if not (parts and path is not None and reader.link(path) == _NOWHERE):
            own = [part for _, part in sorted(parts.items()) if part.endswith(".conf")]
            yield _unit(reader, name, [*([path] if path else []), *own])


def _unit(reader: Reader, name: str, paths: list[str]) -> Wanted | None:
    said: Said = {}
    for path in paths:
        said |= _said(reader, path)
    place, source = said.get("What", ("", ""))
    if not source or is_optional(said.get("Options", ("", ""))[1]):
        return None
    return mounted(reader, place, source, said.get("Where", ("", _point(name)))[1], swap=name.endswith(".swap"))


def _said(reader: Reader, path: str) -> Said:
    """Setting to its place and value; a line that ends in a backslash goes on in the next."""
    found: Said = {}
    for number, line in enumerate(whole_lines(line for _, line in numbered(reader, path)), 1):
        name, equals, value = line.partition("=")
        if equals and not stripped(line).endswith("\\"):
            found[stripped(name)] = f"{path}:{number}", stripped(value)
    return found


def _point(name: str) -> str:
    r"""The mount point that the name of a unit is made from: `srv-my\x2ddata.mount`."""
    head, *escaped = name.removesuffix(".mount").replace("-", "/").split("\\x")
    return "/" + "".join([head, *(f"{_letter(text[:2])}{text[2:]}" for text in escaped)])


def _letter(digits: str) -> str:
    return chr(int(digits, 16)) if len(digits) == 2 and set(digits) <= set("0123456789abcdef") else digits
