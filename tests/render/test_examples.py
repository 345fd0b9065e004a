"""butane/examples/ holds what is rendered, no more and no less."""

from __future__ import annotations

import yaml

from tests.render.examples import EXAMPLES, examples
from tests.render.test_butane import MANUAL
from tests.render.test_machineconfig import decoded
from tests.roots import fixtures


def test_they_are_what_is_rendered() -> None:
    there = {path: path.read_text() for path in EXAMPLES.rglob("*.bu")}
    assert there == examples(), "run python -m tests.render.examples"


def test_the_manuals_file_is_among_them() -> None:
    read = yaml.safe_load((EXAMPLES / "100-worker-vfiopci.bu").read_text())
    assert (read["variant"], read["version"]) == ("openshift", "4.20.0")
    assert read["metadata"]["name"] == "100-worker-vfiopci"
    files = [(file["path"], file["mode"], decoded(file["contents"]["source"])) for file in read["storage"]["files"]]
    assert files == [(file.path, file.mode, file.text) for file in MANUAL.files]


def test_every_machine_of_the_project_has_one() -> None:
    with_a_bus = {path.name for path in fixtures() if (path / "sys/bus/pci/devices").is_dir()}
    assert with_a_bus <= {path.parent.name for path in EXAMPLES.glob("*/profile.yaml")}, (
        "run python -m tests.render.examples"
    )
