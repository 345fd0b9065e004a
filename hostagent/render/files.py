"""What a node is to have, before it is written for Butane, the Machine Config Operator or a plain distribution.

`check` refuses, with Butane's own reasons, what Butane would refuse and what the two would not carry unchanged.
Modes are numbers (0o644), texts are whole files, kernel arguments stand in their order.
"""

from __future__ import annotations

from collections.abc import Iterable

from hostagent.render import scalars
from hostagent.values.labels import is_name, is_prefix
from hostagent.values.record import record, replaced

UNIT_SUFFIXES = (
    "automount", "device", "mount", "path", "scope", "service", "slice", "socket", "swap", "target", "timer",
)  # fmt: skip
VFIO_SPLIT = ("iommu", "vfiopci")


class RenderError(Exception):
    """Something that cannot be written: where it stands, and what was seen and expected."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.message = message


@record
class File:
    """A file written over whatever is there."""

    path: str
    mode: int
    text: str


@record
class Dropin:
    """A `.conf` file beside a unit."""

    name: str
    text: str


@record
class Unit:
    """A systemd unit; `enabled` None leaves it as it is, `text` None changes only drop-ins."""

    name: str
    enabled: bool | None
    text: str | None
    dropins: tuple[Dropin, ...]


@record
class Config:
    """Everything for the nodes of one role; each kernel argument is one item, or a pair kept in one item."""

    name: str
    role: str
    files: tuple[File, ...]
    units: tuple[Unit, ...]
    kernel_arguments: tuple[str, ...]


def split(config: Config) -> tuple[Config, ...]:
    """The two of the OpenShift manual, `100-ROLE-iommu` (kernel arguments) and `100-ROLE-vfiopci` (the rest).

    A half with nothing in it is left out.
    """
    iommu, vfiopci = (f"100-{config.role}-{topic}" for topic in VFIO_SPLIT)
    halves = (
        replaced(config, name=iommu, files=(), units=()),
        replaced(config, name=vfiopci, kernel_arguments=()),
    )
    return tuple(half for half in halves if half.files or half.units or half.kernel_arguments)


def check(config: Config) -> None:
    """Raise RenderError for the first thing Butane refuses or would change."""
    if not is_prefix(config.name):
        raise RenderError("name", f"{config.name!r} is not an object name: lower-case letters, digits, '-' and '.'")
    if not is_name(config.role):
        raise RenderError("role", f"{config.role!r} is not a label value: at most 63 letters, digits, '-', '_', '.'")
    _once("files", (file.path for file in config.files))
    _once("units", (unit.name for unit in config.units))
    _once("kernel arguments", config.kernel_arguments)
    for file in config.files:
        _check_file(file)
    for unit in config.units:
        _check_unit(unit)


def _once(place: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise RenderError(place, f"{name!r} is given twice, and Butane takes each only once")
        seen.add(name)


def _check_file(file: File) -> None:
    place = f"file {file.path}"
    parts = file.path.split("/")
    if parts[0] or any(part in ("", ".", "..") for part in parts[1:]):
        raise RenderError(place, "expected an absolute path without '.', '..', '//' or a final '/'")
    if not 0 <= file.mode <= 0o777:
        raise RenderError(place, f"mode {file.mode:#o} is not a mode from 0 to 0o777; special bits are not supported")
    _check_unicode(place, file.text)


def _check_unit(unit: Unit) -> None:
    place = f"unit {unit.name}"
    stem, _, suffix = unit.name.rpartition(".")
    if not stem or "/" in unit.name or suffix not in UNIT_SUFFIXES:
        raise RenderError(place, f"expected a name that ends in one of {', '.join(UNIT_SUFFIXES)}")
    if unit.text is not None:
        _check_block(place, unit.text)
        _check_sections(place, unit.text)
    _once(f"drop-ins of {unit.name}", (dropin.name for dropin in unit.dropins))
    for dropin in unit.dropins:
        place = f"drop-in {unit.name}.d/{dropin.name}"
        if "/" in dropin.name or not dropin.name.endswith(".conf"):
            raise RenderError(place, "expected a name that ends in .conf")
        _check_block(place, dropin.text)
        _check_sections(place, dropin.text)


def _check_sections(place: str, text: str) -> None:
    for line in text.splitlines():
        if line.startswith("[") and not line.rstrip().endswith("]"):
            raise RenderError(place, f"the section line {line!r} does not end in ']'")


def _check_block(place: str, text: str) -> None:
    """Text that stands in YAML itself: yaml.v3 drops a first empty line and folds Unicode's own line ends."""
    _check_unicode(place, text)
    if text.startswith("\n"):
        raise RenderError(place, "the text begins with an empty line, which Butane loses")
    odd = next((letter for letter in text if letter in "\u2028\u2029\ufeff"), None)
    if odd is not None:
        raise RenderError(place, f"the text has {odd!r}, which Butane does not carry unchanged")


def _check_unicode(place: str, text: str) -> None:
    odd = next((letter for letter in text if "\ud800" <= letter <= "\udfff"), None)
    if odd is not None:
        raise RenderError(place, f"the text has {odd!r}, which is no character")


def comment(text: str) -> tuple[str, ...]:
    """A file's text as lines of a YAML comment; what a comment cannot hold is escaped."""
    if not text:
        return ("(empty)",)
    body = text.removesuffix("\n").split("\n")
    lines = ["".join(map(_in_comment, line)) for line in body]
    return tuple(lines if text.endswith("\n") else [*lines, "(no line end here)"])


def _in_comment(letter: str) -> str:
    kept = letter == "\t" or (scalars.printable(letter) and letter not in "\u2028\u2029")
    return letter if kept else letter.encode("unicode_escape").decode()
