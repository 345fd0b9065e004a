"""`hostagent render`: the files that make a node, or all nodes of a role, what the profile says."""

from __future__ import annotations

import os
import sys

from hostagent.cli.entry import UsageError
from hostagent.cli.inputs import add_inputs, content, nodes, opened_profile, profile_line
from hostagent.cli.output import OutputError, write
from hostagent.plan import NodesError, Plan, plan
from hostagent.plan.model import Refusal
from hostagent.publish.whole import write_whole
from hostagent.render.files import File, RenderError
from hostagent.render.targets import ALL, TARGETS, UNITS_DIRECTORY, Wishes, enabled_units, rendered, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from hostagent.profile import Profile

_SPLIT = ("butane", "machineconfig", ALL)
_KEYS = ("platform", "devices", "iommu", "hugepages", "watchdog", "nestedVirtualization")
_UPDATED = ("hyperconverged", "hyperconverged-v1", "kubevirt")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `render` takes."""
    known = "; ".join(f"{name}: {target.about}" for name, target in TARGETS.items())
    parser.add_argument(
        "target",
        nargs="+",
        choices=(*TARGETS, ALL),
        metavar="TARGET",
        help=f"{known}; {ALL}: those for the profile's platform",
    )
    add_inputs(parser)
    parser.add_argument("-o", "--output", metavar="DIR", help="write files below DIR (default: one target, printed)")
    parser.add_argument(
        "--split", action="store_true", help="butane, machineconfig: 100-ROLE-iommu and 100-ROLE-vfiopci, as the manual"
    )
    parser.add_argument(
        "--namespace", help="hyperconverged, kubevirt: where the resource is, if not at its usual place"
    )
    parser.add_argument(
        "--update", metavar="FILE", help="hyperconverged, kubevirt: the resource as it is, to change nothing else in it"
    )
    parser.add_argument(
        "--previous",
        metavar="PROFILE",
        help="with --update: the profile as it was; what it offered and this one does not, goes",
    )


def run(options: argparse.Namespace) -> int:
    """Render everything, then write: what cannot be rendered leaves no file behind."""
    names = tuple(options.target)
    _fitting(options, names)
    profile, path = opened_profile(options.profile)
    wishes = _wishes(options)
    made = _planned(options, profile)
    try:
        files = rendered(made, names, wishes)
    except RenderError as error:
        raise UsageError(_message(error, made, path, options.update)) from error
    if options.output is None:
        write(_together(files))
    else:
        _write(files, options.output)
    for remark in _remarks(made, files):
        print(f"hostagent: {remark}", file=sys.stderr)
    return 0


def _fitting(options: argparse.Namespace, names: tuple[str, ...]) -> None:
    if options.output is None and (len(names) > 1 or ALL in names):
        raise UsageError("several targets: expected -o DIR to write their files to")
    if options.split and not any(name in _SPLIT for name in names):
        raise UsageError(f"--split: expected a target among {', '.join(_SPLIT)}")
    if options.update and sum(name in _UPDATED for name in names) != 1:
        raise UsageError(f"--update: expected one target among {', '.join(_UPDATED)}")
    if options.previous and not options.update:
        raise UsageError("--previous: expected --update FILE with it")


def _wishes(options: argparse.Namespace) -> Wishes:
    resource, owned = None, frozenset[str]()
    if options.update:
        try:
            resource = content(options.update).decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"--update {options.update}: expected UTF-8 text") from error
    if options.previous:
        before, _ = opened_profile(options.previous)
        owned = frozenset(device.resource_name for device in before.devices if device.resource_name is not None)
    return Wishes(split=options.split, namespace=options.namespace, resource=resource, owned=owned)


def _planned(options: argparse.Namespace, profile: Profile) -> Plan:
    try:
        return plan(nodes(options), profile)
    except NodesError as error:
        raise UsageError(f"--report: {error}") from error


def _message(error: RenderError, made: Plan, profile: str, resource: str | None) -> str:
    """Where it stands, what was seen and expected, and for several nodes what could be done instead."""
    if error.place == "resource":
        return f"{resource}: {error.message}"
    mine = error.place.partition(".")[0].partition("[")[0] in _KEYS
    head = profile_line(profile, error.place) if mine else f"{profile}: {error.place}"
    text = f"{head}: {error.message}"
    more = [one for one in made.refused if not _is_said(one, text)]
    said = max(1, len(made.refused) - len(more))
    others = len(made.refused) + len(made.unmatched) - said
    if others > 0:
        text += f"; and {others} more of the kind: see `hostagent check`"
    return "\n".join((text, *_fleet(made)))


def _is_said(one: Refusal, text: str) -> bool:
    return all(part in text for part in (f"{one.node}: ", one.address or "", told(one.reason)))


def _fleet(made: Plan) -> Iterator[str]:
    """One line for each node on which it is not safe, and for each role proposed."""
    if len(made.nodes) < 2:
        return
    for unsafe in made.fleet.unsafe:
        yield f"  not on {unsafe.node}: {'; '.join(reason.text for reason in unsafe.reasons)}"
    for role in made.fleet.roles:
        can = "can have it" if role.ready else "cannot have it either"
        differs = f" ({', '.join(role.hardware)})" if role.hardware else ""
        yield f"  role {role.name}{differs}: {', '.join(role.nodes)}: {can}"


def _together(files: tuple[File, ...]) -> str:
    """One file as it is; several with their paths between them, which is a comment to all who read these."""
    if len(files) == 1:
        return files[0].text
    if all(file.path.endswith((".bu", ".yaml")) for file in files):
        return "---\n".join(file.text for file in files)
    return "\n".join(f"# ==> {file.path} <==\n{file.text}" for file in files)


def _write(files: tuple[File, ...], directory: str) -> None:
    for file in files:
        path = os.path.join(directory, file.path.lstrip("/"))
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_whole(path, file.text.encode(), mode=file.mode)
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror}") from error


def _remarks(made: Plan, files: tuple[File, ...]) -> Iterator[str]:
    """What the files cannot say or do themselves."""
    if not files:
        yield "nothing to write: the profile asks for nothing that belongs there"
    for note in made.notes:
        yield f"note: {f'{note.node}: ' if note.node else ''}{note.subject}: {note.text}"
    if made.remove_arguments:
        yield f"these have to go from the kernel command line: {' '.join(made.remove_arguments)}"
    there = [name for name in enabled_units(made) if f"{UNITS_DIRECTORY}/{name}" in {file.path for file in files}]
    if there:
        yield f"enable the units where you put them: systemctl enable {' '.join(there)}"
