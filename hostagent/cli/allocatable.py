"""`hostagent allocatable`: what KubeVirt will count of permitted devices, and what of it a guest can have."""

from __future__ import annotations

import sys

from hostagent.cli.entry import UsageError
from hostagent.cli.inputs import content, nodes
from hostagent.cli.output import show, write
from hostagent.cli.roots import add_root
from hostagent.fit.allocatable import Allocatable, allocatable
from hostagent.fit.permitted import PermittedError, PermittedList, read_permitted
from hostagent.report import NodeReport, problems
from hostagent.values.plain import json_text, plain
from hostagent.values.record import record_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

FORMATS = ("table", "json")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `allocatable` takes."""
    parser.add_argument(
        "--permitted",
        required=True,
        metavar="FILE",
        help="a HyperConverged or KubeVirt resource, or permittedHostDevices; YAML or JSON",
    )
    add_root(parser)
    parser.add_argument(
        "--report",
        nargs="+",
        metavar="FILE|DIR",
        help="instead of --root: reports of `probe -o json`, captures, or directories of them, one for each node",
    )
    parser.add_argument("-o", "--output", choices=FORMATS, default="table", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Read both, predict, print."""
    try:
        permitted = read_permitted(content(options.permitted), options.permitted)
    except PermittedError as error:
        raise UsageError(f"--permitted {error}") from error
    found = nodes(options)
    answers = {name: allocatable(report, permitted.entries) for name, report in found}
    if options.output == "json":
        write(json_text(_json(answers)))
    else:
        show("\n".join(_table(name, resources) for name, resources in answers.items()))
    for remark in _remarks(permitted, found):
        print(f"hostagent: {remark}", file=sys.stderr)
    return 3 if any(problems(report) for _, report in found) else 0


def _json(answers: dict[str, tuple[Allocatable, ...]]) -> dict[str, Any]:
    """Resources by name; of several nodes, nodes by name."""
    by_node = {name: {one.resource: _one(one) for one in resources} for name, resources in answers.items()}
    return by_node if len(by_node) > 1 else next(iter(by_node.values()))


def _one(resource: Allocatable) -> dict[str, Any]:
    return {name: plain(getattr(resource, name)) for name in record_fields(Allocatable) if name != "resource"}


def _table(name: str, resources: tuple[Allocatable, ...]) -> str:
    from hostagent.values.words import clean

    width = max((len(one.resource) for one in resources), default=0)
    lines = [f"{name}: {'resource':<{width}}  KubeVirt counts  usable" if resources else f"{name}: nothing permitted"]
    for one in resources:
        lines.append(f"{' ' * len(name)}  {clean(one.resource):<{width}}  {one.kubevirt:>15}  {one.usable:>6}")
        for device in one.devices:
            state = "" if device.usable else ", not usable"
            lines.append(f"{' ' * len(name)}    {device.address} {device.id} group {device.iommu_group}{state}")
        lines += [f"{' ' * len(name)}    {clean(why)}" for why in one.why]
    return "".join(f"{line}\n" for line in lines)


def _remarks(permitted: PermittedList, found: tuple[tuple[str, NodeReport], ...]) -> list[str]:
    remarks = [f"{name} are not predicted: PCI devices only" for name in permitted.others]
    for name, report in found:
        unread = len(problems(report))
        if unread:
            remarks.append(f"{name}: {unread} files could not be read; `hostagent probe` says which")
    return remarks
