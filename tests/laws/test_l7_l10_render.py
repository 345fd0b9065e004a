"""L7: rendering is a function of the plan, whatever the order of what led to it. L10: Butane takes what is rendered.

Butane's rules are written down here from its published schema (coreos/butane docs/config-openshift-v4_20.md, -fcos-v1_6.md)
and what its validation says, not from our renderer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from hostagent.plan import Plan, plan, ready
from hostagent.profile import Profile
from hostagent.render.files import RenderError
from hostagent.render.kargs import checked
from hostagent.render.targets import TARGETS, Wishes, expanded, rendered
from hostagent.report import NodeReport
from hostagent.values.cmdline import parse
from tests.plan.profiles import DEBIAN, profile
from tests.plan.test_laws import Slot, entries, fleets, platforms, reports
from tests.render.test_butane import translated
from tests.roots import roots, surveyed

ONE = Wishes(split=False, namespace=None, resource=None, owned=frozenset())
TWO = Wishes(split=True, namespace=None, resource=None, owned=frozenset())
VERSIONS = tuple(f"{{name: openshift, version: 4.{minor}}}" for minor in (8, 13, 14, 18, 19, 22))
FCOS = tuple(f"{{name: fcos, version: {version}}}" for version in ("1.4.0", "1.7.0"))
REST = "hugepages: {pools: [{size: 2M, count: 16, node: 0}]}\nnestedVirtualization: true\nwatchdog: {module: softdog}\n"


def everything(found: Plan) -> dict[str, str]:
    """Every file of every target that the platform has, by target and path."""
    texts = {}
    for wishes in (ONE, TWO):
        for name in TARGETS:
            try:
                made = rendered(found, (name,), wishes)
            except RenderError as error:
                texts[f"{name} {wishes.split}"] = str(error)
                continue
            texts |= {f"{name} {wishes.split} {file.path}": f"{file.mode:o} {file.text}" for file in made}
    return texts


def wished(asked: list[str], platform: str, rest: str = REST) -> Profile:
    listed = "".join(f"  - {{{entry}}}\n" for entry in asked)
    return profile((f"devices:\n{listed}" if asked else "") + rest, platform)


@settings(max_examples=40, deadline=None)
@given(fleets, entries, platforms)
def test_l7_order_does_not_matter(fleet: list[tuple[Slot, ...]], asked: list[str], platform: str) -> None:
    wishes = wished(asked, platform)
    before = reports(fleet, translated=True)
    first = everything(plan(before, wishes))
    assert everything(plan(before[::-1], wishes)) == first
    found = plan(before, wishes)
    if ready(found):
        names = list(expanded(found, ("all",)))
        files = {file.path: file for file in rendered(found, tuple(names), ONE)}
        random.Random(0).shuffle(names)
        assert {file.path: file for file in rendered(found, tuple(names), ONE)} == files


_FILE = {"path", "mode", "overwrite", "contents"}
_UNIT = {"name", "enabled", "contents", "dropins", "mask"}
_SUFFIXES = (".service", ".mount", ".target", ".socket", ".timer", ".path", ".slice", ".automount", ".swap")


def faults(read: dict[str, Any]) -> Iterator[str]:
    """What Butane would say."""
    openshift = read["variant"] == "openshift"
    top = {"variant", "version", "storage", "systemd"} | (
        {"metadata", "openshift"} if openshift else {"kernel_arguments"}
    )
    yield from (f"unused key {key}" for key in read.keys() - top)
    if openshift:
        yield from (f"unused key {key}" for key in read["metadata"].keys() - {"name", "labels"})
        if not read["metadata"]["labels"].get("machineconfiguration.openshift.io/role"):
            yield "machineconfiguration.openshift.io/role label is required"
        words = read.get("openshift", {}).get("kernel_arguments", [])
        yield from (f"unused key {key}" for key in read.get("openshift", {}).keys() - {"kernel_arguments"})
    else:
        words = read.get("kernel_arguments", {}).get("should_exist", [])
    yield from _twice("kernel argument", words)
    files = read.get("storage", {}).get("files", [])
    yield from _twice("file", [file["path"] for file in files])
    for file in files:
        yield from _file(file)
    units = read.get("systemd", {}).get("units", [])
    yield from _twice("unit", [unit["name"] for unit in units])
    for unit in units:
        yield from (f"unused key {key}" for key in unit.keys() - _UNIT)
        if not unit["name"].endswith(_SUFFIXES):
            yield f"invalid systemd unit extension: {unit['name']}"
        if unit.get("enabled") and "[Install]" not in unit["contents"]:
            yield "enabled, but has no install section"
        if any(line.startswith("[") and not line.endswith("]") for line in unit["contents"].splitlines()):
            yield "unable to find end of section"


def _twice(what: str, names: list[str]) -> Iterator[str]:
    yield from (f"duplicate entry defined: {what} {name}" for name in set(names) if names.count(name) > 1)


def _file(file: dict[str, Any]) -> Iterator[str]:
    yield from (f"unused key {key}" for key in file.keys() - _FILE)
    path, mode = file["path"], file["mode"]
    if not path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")[1:]):
        yield f"path not absolute, or not fully simplified: {path}"
    if not isinstance(mode, int) or not 0 <= mode <= 0o777:
        yield f"special mode bits are not supported: {mode}"
    if file["contents"].keys() != {"compression", "source"} or not file["contents"]["source"].startswith("data:"):
        yield "file contents source must be data URL in this spec version"
    if file["contents"]["compression"]:
        yield "file compression is not supported"
    if path.startswith("/usr/") and not path.startswith("/usr/local/"):
        yield f"{path} is on a read-only file system"


def accepted(found: Plan) -> int:
    """How many Butane files were looked at."""
    looked = 0
    for wishes in (ONE, TWO):
        made = [file.text for file in rendered(found, ("butane",), wishes)]
        machineconfigs: list[str | None] = [None] * len(made)
        if found.platform.name == "openshift":
            machineconfigs = [file.text for file in rendered(found, ("machineconfig",), wishes)]
        for text, machineconfig in zip(made, machineconfigs, strict=True):
            read = yaml.safe_load(text)
            assert list(faults(read)) == []
            if machineconfig is not None:
                assert machineconfig.startswith("# Generated by Butane; do not edit\napiVersion: ")
                assert translated(read) == yaml.safe_load(machineconfig)
            looked += 1
    return looked


@settings(max_examples=40, deadline=None)
@given(fleets, entries)
def test_l10_generated(fleet: list[tuple[Slot, ...]], asked: list[str]) -> None:
    before = reports(fleet, translated=True)
    for platform in (*VERSIONS, *FCOS):
        found = plan(before, wished(asked, platform))
        if not ready(found):
            return
        assert accepted(found) >= 2


def _all_that_can_be_had(report: NodeReport, platform: str) -> Profile:
    """What takes every function that may be taken, alone or with its group, and pools where there is a NUMA node for them."""
    assert report.pci is not None
    functions = report.pci.data.functions if report.pci.data is not None else ()
    addresses = [str(function.address) for function in functions]
    rest = REST
    while True:
        wishes = wished([f"address: '{address}'" for address in addresses], platform, rest)
        found = plan((("node", report),), wishes)
        if ready(found):
            return wishes
        refused = {str(one.address) for one in found.refused if one.address is not None}
        addresses = [address for address in addresses if address not in refused]
        rest = "" if any(one.entry.startswith("hugepages") for one in found.refused) else rest


@pytest.mark.parametrize(
    "platform", ["{name: openshift, version: 4.20}", "{name: fcos, version: 1.6.0}", DEBIAN, "{name: rhel}"]
)
@pytest.mark.parametrize("root", roots())
def test_l7_l10_machines(root: str, platform: str) -> None:
    """Everything that may be taken of every machine at hand."""
    wishes = _all_that_can_be_had(surveyed(root), platform)
    found = plan((("node", surveyed(root)),), wishes)
    assert everything(found) == everything(plan((("node", surveyed(root)),), wishes))
    words = [word for argument in found.kernel_arguments for word in argument.words]
    assert [name for name, _ in parse(" ".join(words))] == [word.partition("=")[0] for word in checked(tuple(words))]
    if found.platform.name in ("openshift", "fcos") and (found.kernel_arguments or found.bindings):
        assert accepted(found) >= 2
