"""Butane files for OpenShift and Fedora CoreOS (coreos/butane docs/specs.md).

File contents stand as data URLs with an empty `compression`, because Butane would compress a longer `inline` text, and
what its compressor makes differs between builds of it; the text itself stands above as a comment.

    variant: openshift
    version: 4.20.0
    metadata: {name: 99-worker-hostagent, labels: {machineconfiguration.openshift.io/role: worker}}
    openshift: {kernel_arguments: [...]}
    storage:
      files:
        - path: /etc/modprobe.d/vfio.conf
          mode: 0644
          overwrite: true
          contents:
            compression: ""
            # options vfio-pci ids=10de:1eb8
            source: data:,options%20vfio-pci%20ids%3D10de%3A1eb8%0A
    systemd: {units: [...]}
"""

from __future__ import annotations

from hostagent.render import yaml
from hostagent.render.files import Config, File, check, comment
from hostagent.render.kargs import separate
from hostagent.render.machineconfig import ROLE_LABEL, data_url, for_openshift, unit_mapping
from hostagent.values.record import replaced


def openshift(config: Config, *, version: str) -> str:
    """The Butane file whose MachineConfig is `machineconfig(config, version=version)`, for a version such as `4.20`."""
    config = for_openshift(config)
    document: dict[str, yaml.Value] = {
        "variant": "openshift",
        "version": f"{version}.0",
        "metadata": {"name": config.name, "labels": {ROLE_LABEL: config.role}},
    }
    if config.kernel_arguments:
        document["openshift"] = {"kernel_arguments": config.kernel_arguments}
    return yaml.emit(document | _contents(config), sort=False)


def fcos(config: Config, *, version: str) -> str:
    """The Butane file for Fedora CoreOS, which applies it at first boot only; name and role have no place there."""
    config = replaced(config, kernel_arguments=separate(config.kernel_arguments))
    check(config)
    document: dict[str, yaml.Value] = {"variant": "fcos", "version": version}
    if config.kernel_arguments:
        document["kernel_arguments"] = {"should_exist": config.kernel_arguments}
    return yaml.emit(document | _contents(config), sort=False)


def _contents(config: Config) -> dict[str, yaml.Value]:
    contents: dict[str, yaml.Value] = {}
    if config.files:
        contents["storage"] = {"files": [_file(file) for file in config.files]}
    if config.units:
        contents["systemd"] = {"units": [unit_mapping(unit) for unit in config.units]}
    return contents


def _file(file: File) -> dict[str, yaml.Value]:
    return {
        "path": file.path,
        "mode": yaml.Verbatim(text=f"0{file.mode:03o}"),
        "overwrite": True,
        "contents": {
            "compression": "",
            "source": yaml.Commented(lines=comment(file.text), value=data_url(file.text)),
        },
    }
