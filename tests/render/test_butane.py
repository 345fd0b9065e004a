"""Butane files: their structure as a YAML reader sees it, and the text people read."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from hostagent.platforms import PLATFORMS
from hostagent.render import butane
from hostagent.render.files import Config, File, RenderError, comment
from hostagent.render.machineconfig import machineconfig
from hostagent.values.record import replaced
from tests.render.test_machineconfig import CONFIG, GOLDENS, config_of, decoded

MANUAL = Config(
    name="100-worker-vfiopci",
    role="worker",
    files=(
        File(path="/etc/modprobe.d/vfio.conf", mode=0o644, text="options vfio-pci ids=10de:1eb8\n"),
        File(path="/etc/modules-load.d/vfio-pci.conf", mode=0o644, text="vfio-pci"),
    ),
    units=(),
    kernel_arguments=(),
)


def test_the_manuals_file() -> None:
    assert (
        butane.openshift(MANUAL, version="4.20")
        == """\
variant: openshift
version: 4.20.0
metadata:
  name: 100-worker-vfiopci
  labels:
    machineconfiguration.openshift.io/role: worker
storage:
  files:
    - path: /etc/modprobe.d/vfio.conf
      mode: 0644
      overwrite: true
      contents:
        compression: ""
        # options vfio-pci ids=10de:1eb8
        source: data:,options%20vfio-pci%20ids%3D10de%3A1eb8%0A
    - path: /etc/modules-load.d/vfio-pci.conf
      mode: 0644
      overwrite: true
      contents:
        compression: ""
        # vfio-pci
        # (no line end here)
        source: data:,vfio-pci
"""
    )


def translated(read: dict[str, Any]) -> dict[str, Any]:
    """What Butane makes of a file of ours, in plain terms: our fields go over under the same names."""
    line = PLATFORMS["openshift"].version(read["version"].removesuffix(".0"))
    assert line is not None
    ignition = {"ignition": {"version": line.ignition}}
    ignition |= {key: read[key] for key in ("storage", "systemd") if key in read}
    spec = {"config": ignition}
    if "openshift" in read:
        spec["kernelArguments"] = read["openshift"]["kernel_arguments"]
    return {
        "apiVersion": "machineconfiguration.openshift.io/v1",
        "kind": "MachineConfig",
        "metadata": read["metadata"],
        "spec": spec,
    }


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden["case"])
def test_translates_to_the_machine_config(golden: dict[str, Any]) -> None:
    read = yaml.safe_load(
        butane.openshift(config_of(golden["config"]), version=golden["config"]["version"].removesuffix(".0"))
    )
    assert translated(read) == yaml.safe_load(golden["machineconfig"])


@pytest.mark.parametrize("version", [one.name for one in PLATFORMS["openshift"].versions])
def test_every_openshift_version(version: str) -> None:
    read = yaml.safe_load(butane.openshift(CONFIG, version=version))
    assert (read["variant"], read["version"]) == ("openshift", f"{version}.0")
    assert translated(read) == yaml.safe_load(machineconfig(CONFIG, version=version))


@pytest.mark.parametrize("version", [one.name for one in PLATFORMS["fcos"].versions])
def test_every_fcos_version(version: str) -> None:
    read = yaml.safe_load(butane.fcos(CONFIG, version=version))
    assert {key: read[key] for key in ("variant", "version")} == {"variant": "fcos", "version": version}
    assert read.get("kernel_arguments", {}).get("should_exist", []) == list(CONFIG.kernel_arguments)
    assert read["storage"]["files"][0]["mode"] == 0o644
    assert decoded(read["storage"]["files"][0]["contents"]["source"]) == CONFIG.files[0].text
    assert "metadata" not in read


def test_fcos_wants_single_words() -> None:
    pair = replaced(CONFIG, kernel_arguments=("hugepagesz=1G hugepages=16",))
    read = yaml.safe_load(butane.fcos(pair, version="1.5.0"))
    assert read["kernel_arguments"]["should_exist"] == ["hugepagesz=1G", "hugepages=16"]
    twice = replaced(CONFIG, kernel_arguments=("hugepagesz=1G hugepages=16", "hugepagesz=2M hugepages=16"))
    with pytest.raises(RenderError, match="'hugepages=16' is given twice"):
        butane.fcos(twice, version="1.5.0")
    blank = replaced(CONFIG, kernel_arguments=('dyndbg="file x +p"',))
    with pytest.raises(RenderError, match="has a blank"):
        butane.fcos(blank, version="1.5.0")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ("(empty)",)),
        ("a\n\nb\n", ("a", "", "b")),
        ("a\tb", ("a\tb", "(no line end here)")),
        ("a\r\nb\x00\u2028\n", ("a\\r", "b\\x00\\u2028")),
        ("\U0001f600é\n", ("\\U0001f600é",)),
    ],
)
def test_comment(text: str, lines: tuple[str, ...]) -> None:
    assert comment(text) == lines


def test_no_text_ends_its_comment() -> None:
    """A file's text stays a comment whatever it holds, and the file reads back."""
    odd = replaced(CONFIG, files=(File(path="/etc/a", mode=0o600, text="a: b\n- c\r\x85d\x0be\u2029\ufefff\n# g"),))
    read = yaml.safe_load(butane.openshift(odd, version="4.9"))
    assert decoded(read["storage"]["files"][0]["contents"]["source"]) == odd.files[0].text
