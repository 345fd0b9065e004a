"""What `check` and `render` are about: a profile, and the machines it is for.

Machines are the live one or another root (`--root`), or what other nodes said (`--report`): reports of `probe -o json`,
captures, or directories of both. A node is called by its file's name, this machine by its own.
"""

from __future__ import annotations

import os
import sys
import time

from hostagent.about import ended
from hostagent.cli.entry import UsageError
from hostagent.cli.roots import add_root, opened
from hostagent.host.limits import GIVEN_BYTES
from hostagent.host.regular import TooLargeError
from hostagent.host.regular import content as content_of
from hostagent.profile import Profile, ProfileError, read_profile
from hostagent.profile.source import load
from hostagent.report import NodeReport, survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from hostagent.about import About

PROFILES = ("profile.yaml", "/etc/hostagent/profile.yaml")
_OLD_DAYS, _DAY = 7, 24 * 3600
_REPORT, _CAPTURE = ".json", ".tar.gz"


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add `--profile`, `--root` and `--report`."""
    parser.add_argument(
        "--profile", metavar="FILE", help=f"what is wanted of the nodes (default: {', else '.join(PROFILES)})"
    )
    add_root(parser)
    parser.add_argument(
        "--report",
        nargs="+",
        metavar="FILE|DIR",
        help="instead of --root: reports of `probe -o json`, captures, or directories of them, one for each node",
    )


def found_profile(given: str | None) -> str | None:
    """The path of the profile: the one given, else the first of PROFILES that is there."""
    return given or next((path for path in PROFILES if os.path.exists(path)), None)


def opened_profile(given: str | None) -> tuple[Profile, str]:
    """The profile and its path. Raises UsageError."""
    path = found_profile(given)
    if path is None:
        raise UsageError(f"no profile: expected --profile FILE, or {' or '.join(PROFILES)}")
    try:
        return read_profile(content(path), path), path
    except ProfileError as error:
        raise UsageError(str(error)) from error


def content(path: str) -> bytes:
    """A regular file given on the command line. Raises UsageError."""
    try:
        return content_of(path, GIVEN_BYTES)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except TooLargeError as error:
        raise UsageError(f"{path}: larger than {GIVEN_BYTES} bytes") from error


def profile_line(path: str, entry: str) -> str:
    """`profile.yaml:7: devices[0]` for an entry of a plan."""
    _, lines = load(content(path).decode())
    place = _place(entry)
    while place and place not in lines:
        place = place[:-1]
    return f"{path}:{lines.get(place, 1)}: {entry}"


def _place(entry: str) -> tuple[str | int, ...]:
    words = entry.replace("]", "").replace("[", ".").split(".")
    return tuple(int(word) if word.isdecimal() else word for word in words)


def nodes(options: argparse.Namespace) -> tuple[tuple[str, NodeReport], ...]:
    """(name, report) of every node that the command line gives. Raises UsageError."""
    if options.report is None:
        with opened(options.root, thorough=True) as host:
            return ((_name(options.root), survey(host)),)
    paths = [path for given in options.report for path in _files(given)]
    given = tuple((path, *_report(path)) for path in paths)
    found = tuple((_name(path), report) for path, report, _ in given)
    names = [name for name, _ in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        same = " and ".join(path for path in paths if _name(path) == twice)
        raise UsageError(f"--report: two reports of node {twice}: {same}; expected one of each")
    for remark in remarks(tuple((path, beside) for path, _, beside in given if beside is not None), time.time()):
        print(f"hostagent: {remark}", file=sys.stderr)
    return found


def remarks(given: tuple[tuple[str, About], ...], now: float) -> Iterator[str]:
    """What `about` of reports (by their paths) tells against judging by them."""
    paths: dict[str, list[str]] = {}
    for path, beside in given:
        paths.setdefault(beside.node, []).append(path)
        days = int((now - ended(beside)) // _DAY)
        if days >= _OLD_DAYS:
            yield f"{path}: surveyed {days} days ago ({beside.surveyed_at}): {beside.node} may be another by now"
    for node, same in paths.items():
        if len(same) > 1:
            how = "both" if len(same) == 2 else "all"
            yield f"{' and '.join(same)} are {how} of node {node}: expected one of each"


def _files(given: str) -> list[str]:
    try:
        names = sorted(os.listdir(given))
    except NotADirectoryError:
        return [given]
    except OSError as error:
        raise UsageError(f"--report {given}: {error.strerror}") from error
    found = [os.path.join(given, name) for name in names if name.endswith((_REPORT, _CAPTURE))]
    if not found:
        raise UsageError(f"--report {given}: expected files *{_REPORT} or *{_CAPTURE} in it")
    return found


def _name(path: str) -> str:
    last = os.path.basename(os.path.abspath(path))
    return last.removesuffix(_REPORT).removesuffix(_CAPTURE) or os.uname().nodename


def _report(path: str) -> tuple[NodeReport, About | None]:
    if path.endswith(_CAPTURE):
        with opened(path, thorough=True) as host:
            return survey(host), None
    from hostagent.schema import ReportError, read_document

    try:
        return read_document(content(path), path)
    except ReportError as error:
        raise UsageError(f"--report {error}") from error
