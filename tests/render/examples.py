"""What butane/examples/ is made of. `python -m tests.render.examples` writes it anew.

A directory with the name of a fixture is rendered for that machine, the others for the worker of tests/plan/machines.py: two
Tesla T4, two equal NICs of which one carries the default route, root on NVMe.
"""

from __future__ import annotations

from pathlib import Path

from hostagent.assess.node import pci_id
from hostagent.cli.roots import opened
from hostagent.plan import Plan, plan, ready
from hostagent.profile import read_profile
from hostagent.render.targets import Wishes, rendered
from hostagent.report import NodeReport, survey
from hostagent.values.pci import in_classes
from tests.plan.machines import worker
from tests.roots import FIXTURES, REPOSITORY, fixtures

EXAMPLES = REPOSITORY / "butane" / "examples"


def _report(name: str) -> NodeReport:
    root = FIXTURES / name
    if not (root / "machine.toml").exists():
        return worker().report()
    with opened(str(root)) as host:
        return survey(host)


def examples() -> dict[Path, str]:
    """Path to content of every file that is rendered, the manual's two split as they are there."""
    found: dict[Path, str] = {}
    for profile in sorted(EXAMPLES.rglob("profile.yaml")):
        directory = profile.parent
        made = _planned(_report(directory.name), profile.read_text())
        wishes = Wishes(split=directory == EXAMPLES, namespace=None, resource=None, owned=frozenset())
        found |= {directory / file.path: file.text for file in rendered(made, ("butane",), wishes)}
    return found


def first_profile(name: str, report: NodeReport) -> str:
    """For a fixture that has none yet: every ID of display controllers, NICs, disks and accelerators that is free to be taken."""
    assert report.pci is not None
    functions = report.pci.data.functions if report.pci.data is not None else ()
    found = {pci_id(one) for one in functions if in_classes(one.class_id, ("0108", "02", "03", "12"))}
    text = f"# What fixtures/sysfs/{name} can spare.\nplatform: {{name: openshift, version: 4.20, role: worker}}\n"
    free = [one for one in sorted(found) if ready(_planned(report, f"{text}devices: [{{id: '{one}'}}]\n"))]
    entries = "".join(f"  - id: {one}\n    resourceName: example.com/{one.replace(':', '-')}\n" for one in free)
    return text + (f"devices:\n{entries}" if entries else "iommu: {mode: pt}\n")


def _planned(report: NodeReport, profile: str) -> Plan:
    return plan((("node", report),), read_profile(profile, "profile.yaml"))


if __name__ == "__main__":
    for fixture in fixtures():
        if (fixture / "sys/bus/pci/devices").is_dir() and not (EXAMPLES / fixture.name).exists():
            (EXAMPLES / fixture.name).mkdir()
            (EXAMPLES / fixture.name / "profile.yaml").write_text(first_profile(fixture.name, _report(fixture.name)))
    for path, text in examples().items():
        path.write_text(text)
