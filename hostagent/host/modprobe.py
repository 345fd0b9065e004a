r"""What this host asks of kernel modules in files: modprobe.d(5), modules-load.d(5) and the kernel command line.

    # /etc/modprobe.d/vfio.conf
    options vfio-pci ids=10de:1eb8,8086:1521:15d9:1521 \
        disable_vga=1
    softdep nouveau pre: vfio-pci
    blacklist nouveau
    install firewire_core /bin/false

As kmod reads them: of files with one name the first directory's counts, files apply in order of their names whatever
their directory, a backslash continues a line, a comment is a line that starts with #. kmod appends `module.parameter=` of
the kernel command line to the options, so it comes last, and of one parameter given twice the kernel keeps the last.
"""

from __future__ import annotations

from hostagent.host.cmdline import CMDLINE, parameters
from hostagent.host.modules import normal
from hostagent.host.reader import Reader
from hostagent.values.blanks import lines, stripped
from hostagent.values.cmdline import parse, same_name
from hostagent.values.module import is_module_name
from hostagent.values.record import record

# The order in which kmod 30 and systemd look; the first that has a file of that name wins.
_PLACES = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
_COMMANDS = frozenset({"alias", "blacklist", "install", "options", "remove", "softdep", "weakdep"})
_BARE = frozenset({"blacklist"})  # needs no arguments; kmod ignores the others without


@record
class Directive:
    """One line of configuration about a module."""

    source: str
    """The file relative to the root, or proc/cmdline."""
    line: int | None
    """Line of the file, the first one where backslashes join several. Null for proc/cmdline, and for `override`."""
    command: str
    """One of modprobe.d's (alias, blacklist, install, options, remove, softdep, weakdep); `load` for what is loaded at
    boot whether hardware asks or not; `override` for an address that a file gives to vfio-pci at boot."""
    module: str
    """Module as proc/modules spells it; as written for the pattern of an alias, and what cannot be a module."""
    arguments: str
    """The rest of the line; the address for `override`; empty for `blacklist` and `load`."""


@record
class Option:
    """A parameter given to a module; `value` None where there is no `=`. Later ones win."""

    source: str
    line: int | None
    name: str
    value: str | None


def directives(reader: Reader) -> tuple[Directive, ...]:
    """Every directive of modprobe.d in the order kmod applies them, then blacklists of the kernel command line."""
    return reader.once(_directives)


def _directives(reader: Reader) -> tuple[Directive, ...]:
    found: list[Directive] = []
    for path in _files(reader, "modprobe.d"):
        for number, line in logical_lines(reader.text(path) or ""):
            command, _, rest = stripped(line.replace("\t", " ")).partition(" ")
            module, _, arguments = stripped(rest).partition(" ")
            if command in _COMMANDS and module and (stripped(arguments) or command in _BARE):
                name = module if command == "alias" else _spelled(module)
                # kmod reads one word after `blacklist`.
                found.append(_directive(path, number, command, name, "" if command in _BARE else stripped(arguments)))
    for key, value in parameters(reader) or ():
        if same_name(key, "modprobe.blacklist") or key in ("module_blacklist", "rd.driver.blacklist"):
            found += [_directive(CMDLINE, None, "blacklist", _spelled(name), "") for name in _listed(value)]
    return tuple(found)


def loads(reader: Reader) -> tuple[Directive, ...]:
    """What is loaded at boot: modules-load.d, `modules_load=`, `rd.driver.pre=` and their initrd forms."""
    return reader.once(_loads)


def _loads(reader: Reader) -> tuple[Directive, ...]:
    found: list[Directive] = []
    for path in _files(reader, "modules-load.d"):
        for number, line in enumerate(lines(reader.text(path) or ""), 1):
            name = stripped(line)
            if name and name[0] not in "#;":
                found.append(_directive(path, number, "load", _spelled(name), ""))
    for key, value in parameters(reader) or ():
        if normal(key) in ("modules_load", "rd.modules_load", "rd.driver.pre", "rd.driver.post"):
            found += [_directive(CMDLINE, None, "load", _spelled(name), "") for name in _listed(value)]
    return tuple(found)


def options(reader: Reader, module: str) -> tuple[Option, ...]:
    """Parameters given to `module`, in the order they apply; a built-in module hears only those of proc/cmdline."""
    wanted = normal(module)
    found = [
        Option(source=directive.source, line=directive.line, name=name, value=value)
        for directive in directives(reader)
        if directive.command == "options" and directive.module == wanted
        for name, value in parse(directive.arguments)
    ]
    for key, value in parameters(reader) or ():
        owner, dot, name = key.partition(".")
        if dot and normal(owner) == wanted:
            found.append(Option(source=CMDLINE, line=None, name=name, value=value))
    return tuple(found)


def _directive(source: str, line: int | None, command: str, module: str, arguments: str) -> Directive:
    return Directive(source=source, line=line, command=command, module=module, arguments=arguments)


def _spelled(name: str) -> str:
    """A module's name as /proc/modules has it. What is none stays as written: `-rf` is no module, and `_rf` would be one."""
    return normal(name) if is_module_name(name) else name


def _listed(value: str | None) -> tuple[str, ...]:
    return tuple(name for name in (value or "").split(",") if name)


def _files(reader: Reader, directory: str) -> tuple[str, ...]:
    """The .conf files that count, in the order of their names."""
    chosen: dict[str, str] = {}
    for place in _PLACES:
        for name in reader.names(f"{place}/{directory}"):
            if name.endswith(".conf"):
                chosen.setdefault(name, f"{place}/{directory}/{name}")
    return tuple(chosen[name] for name in sorted(chosen))


def logical_lines(text: str) -> list[tuple[int, str]]:
    """(number of its first line, logical line): backslashes joined, comments and blank lines gone."""
    found: list[tuple[int, str]] = []
    start, body = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not body:
            start = number
        if line.endswith("\\"):
            body += line[:-1]
            continue
        body += line
        if stripped(body) and not body.startswith("#"):
            found.append((start, body))
        body = ""
    if stripped(body) and not body.startswith("#"):
        found.append((start, body))
    return found
