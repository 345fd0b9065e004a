"""The comment at the head of every file: who wrote it, and which places of the profile asked for what is in it.

No dates, no versions, no names of nodes: equal plans give equal files.
"""

from __future__ import annotations

from hostagent.plan.model import Binding, KernelArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

WRITTEN = "Written by hostagent from a profile: change that and render again."


def head(lines: Iterable[str]) -> str:
    """The comment, a line for each of `lines`."""
    return "".join(f"# {line}\n" for line in (WRITTEN, *lines))


def entries(bindings: Iterable[Binding]) -> str:
    """`devices[0] (nvidia.com/T4)`: the places that ask for these functions, in order of the profile."""
    found = {_order(one.entry): one for one in bindings if one.entry is not None}
    said = [_said(one) for _, one in sorted(found.items())]
    return ", ".join(said) or "the other functions of a device's IOMMU group"


def _order(entry: str) -> tuple[int, str]:
    return len(entry), entry


def _said(binding: Binding) -> str:
    return f"{binding.entry} ({binding.resource_name})" if binding.resource_name else str(binding.entry)


def reasons(arguments: Iterable[KernelArgument]) -> tuple[str, ...]:
    """A line for each kernel argument."""
    return tuple(f"{' '.join(argument.words)}: {argument.why}" for argument in arguments)
