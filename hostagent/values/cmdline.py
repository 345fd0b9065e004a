r"""The kernel command line (Documentation/admin-guide/kernel-parameters.rst).

Parameters are separated by blanks; double quotes protect blanks; `-` and `_` in names are one letter; what
follows `--` belongs to init. Order matters: `hugepages=` belongs to the `hugepagesz=` before it.

>>> parse('quiet intel_iommu=on dyndbg="file x +p" -- 3')
(('quiet', None), ('intel_iommu', 'on'), ('dyndbg', 'file x +p'))
"""

from __future__ import annotations

Parameter = tuple[str, str | None]
# What the kernel takes for a blank (lib/ctype.c), as far as it is ASCII.
_BLANKS = str.maketrans("\t\n\v\f\r", "     ")


def words(text: str) -> tuple[str, ...]:
    """The blank-separated words of a command line, quotes kept, up to `--`."""
    found: list[str] = []
    pieces: list[str] = []  # of the word at hand
    for number, part in enumerate(text.split('"')):
        if number % 2:
            pieces += ['"', part]
            continue
        first, *rest = part.translate(_BLANKS).split(" ")
        pieces += ['"', first] if number else [first]
        for following in rest:
            found.append("".join(pieces))
            pieces = [following]
    found = [word for word in (*found, "".join(pieces)) if word]
    return tuple(found[: found.index("--")] if "--" in found else found)


def parse(text: str) -> tuple[Parameter, ...]:
    """(name, value) in order; value None where there is no `=`; quotes removed as the kernel removes them."""
    found: list[Parameter] = []
    for word in words(text):
        name, equals, value = word.partition("=")
        found.append((name.replace('"', ""), value.replace('"', "") if equals else None))
    return tuple(found)


def same_name(a: str, b: str) -> bool:
    """Whether two parameter names are one to the kernel (`vfio-pci.ids` and `vfio_pci.ids`)."""
    return a.replace("-", "_") == b.replace("-", "_")


def values_of(parameters: tuple[Parameter, ...], name: str) -> tuple[str, ...]:
    """Every value given to `name`, in order; a bare `name` counts as ``""``."""
    return tuple(value or "" for key, value in parameters if same_name(key, name))
