"""What each target makes of a plan."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from hostagent.plan import Plan
from hostagent.profile import Profile
from hostagent.render.files import File, RenderError
from hostagent.render.targets import TARGETS, Wishes, expanded, rendered
from hostagent.values.cmdline import parse
from hostagent.values.record import replaced
from tests.plan.machines import Machine, worker
from tests.plan.profiles import DEBIAN, devices, noted, planned, profile

HEAD = "# Written by hostagent from a profile: change that and render again.\n"
PLAIN = Wishes(split=False, namespace=None, resource=None, owned=frozenset())
SPLIT = replaced(PLAIN, split=True)
T4 = "id: 10de:1eb8, resourceName: nvidia.com/TU104GL_Tesla_T4"
MANUAL = planned(devices(T4), worker())
MANY = """\
devices:
  - {id: '10de:1eb8', resourceName: nvidia.com/T4}
  - {address: 0000:02:00.0, resourceName: intel.com/82574L}
iommu: {mode: pt}
hugepages: {defaultSize: 2M, pools: [{size: 1G, count: 2}, {size: 2M, count: 2}]}
watchdog: {module: softdog}
"""


def one(found: Plan, target: str, wishes: Wishes = PLAIN) -> str:
    (file,) = rendered(found, (target,), wishes)
    return file.text


def many(platform: str, machine: Machine | None = None) -> Plan:
    return planned(profile(MANY, platform), machine or worker())


def test_the_manuals_two() -> None:
    iommu, vfiopci = rendered(MANUAL, ("butane",), SPLIT)
    assert (iommu.path, vfiopci.path) == ("100-worker-iommu.bu", "100-worker-vfiopci.bu")
    assert (
        iommu.text
        == HEAD
        + """\
# intel_iommu=on: switches Intel's IOMMU on
variant: openshift
version: 4.20.0
metadata:
  name: 100-worker-iommu
  labels:
    machineconfiguration.openshift.io/role: worker
openshift:
  kernel_arguments:
    - intel_iommu=on
"""
    )
    assert (
        vfiopci.text
        == HEAD
        + """\
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


def test_the_manuals_machine_configs() -> None:
    iommu, vfiopci = rendered(MANUAL, ("machineconfig",), SPLIT)
    assert (iommu.path, vfiopci.path) == ("100-worker-iommu.yaml", "100-worker-vfiopci.yaml")
    assert iommu.text.endswith(
        "spec:\n  config:\n    ignition:\n      version: 3.5.0\n  kernelArguments:\n    - intel_iommu=on\n"
    )
    files = yaml.safe_load(vfiopci.text)["spec"]["config"]["storage"]["files"]
    assert files == [
        {
            "contents": {"compression": "", "source": "data:,options%20vfio-pci%20ids%3D10de%3A1eb8%0A"},
            "mode": 420,
            "overwrite": True,
            "path": "/etc/modprobe.d/vfio.conf",
        },
        {
            "contents": {"compression": "", "source": "data:,vfio-pci"},
            "mode": 420,
            "overwrite": True,
            "path": "/etc/modules-load.d/vfio-pci.conf",
        },
    ]


def test_one_file_for_a_role_by_default() -> None:
    (file,) = rendered(
        planned(devices(T4, platform="{name: openshift, version: 4.16, role: gpu}"), worker()),
        ("machineconfig",),
        PLAIN,
    )
    read = yaml.safe_load(file.text)
    assert file.path == "99-gpu-hostagent.yaml"
    assert read["metadata"] == {
        "labels": {"machineconfiguration.openshift.io/role": "gpu"},
        "name": "99-gpu-hostagent",
    }
    assert read["spec"]["kernelArguments"] == ["intel_iommu=on"]
    assert [file["path"] for file in read["spec"]["config"]["storage"]["files"]] == [
        "/etc/modprobe.d/vfio.conf",
        "/etc/modules-load.d/vfio-pci.conf",
    ]


def amd() -> Machine:
    return (
        worker()
        .put({"proc/cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: lm svm\n\n"})
        .without("sys/class/iommu", "sys/firmware")
        .put({"sys/class/iommu/ivhd0/amd-iommu/cap": "0\n", "sys/firmware/acpi/tables/IVRS": ""})
    )


def test_amd_needs_no_argument_but_gets_the_documented_one_when_asked() -> None:
    silent = planned(profile("devices: [{id: '10de:1eb8'}]\n"), amd())
    assert rendered(silent, ("kargs",), PLAIN) == ()
    assert [file.path for file in rendered(silent, ("butane",), SPLIT)] == ["100-worker-vfiopci.bu"]
    asked = planned(profile("devices: [{id: '10de:1eb8'}]\niommu: {documentedArguments: true}\n"), amd())
    assert one(asked, "kargs") == "amd_iommu=on\n"
    assert "# amd_iommu=on: manuals name it; the kernel knows no such option, and needs none\n" in one(asked, "butane")
    assert [note.code for note in noted(asked)] == ["documented-argument"]


def test_kernel_arguments_keep_their_order_everywhere() -> None:
    wanted = "intel_iommu=on iommu=pt default_hugepagesz=2M hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=2"
    found = many(DEBIAN)
    assert one(found, "kargs") == f"{wanted}\n"
    assert parse(one(found, "kargs")) == tuple(
        tuple(word.split("=")) for argument in found.kernel_arguments for word in argument.words
    )
    assert f" --args='{wanted}'\n" in one(found, "kargs-grubby")
    assert one(found, "kargs-grub").endswith(f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {wanted}"\n')
    assert one(found, "kargs-suse").endswith(f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {wanted}"\n')
    listed = ", ".join(f'"{word}"' for word in wanted.split())
    assert one(found, "kargs-bootc").endswith(f"kargs = [{listed}]\n")
    appended = [
        word.partition("=")[2]
        for word in one(found, "kargs-rpm-ostree").split()
        if word.startswith("--append") and "=" in word
    ]
    assert appended == wanted.split()


def test_machine_config_keeps_a_size_and_its_count_together() -> None:
    read = yaml.safe_load(one(many("{name: openshift, version: 4.20}"), "machineconfig"))
    assert read["spec"]["kernelArguments"] == [
        "intel_iommu=on",
        "iommu=pt",
        "default_hugepagesz=2M",
        "hugepagesz=1G hugepages=2",
        "hugepagesz=2M hugepages=2",
    ]


def undone() -> Plan:
    return planned(
        devices("id: 10de:1eb8", platform=DEBIAN), worker().put({"proc/cmdline": "iommu=off intel_iommu=off quiet\n"})
    )


def test_what_undoes_the_arguments_goes_first() -> None:
    assert one(undone(), "kargs-grubby").splitlines()[3:] == [
        "set -e",
        "grubby --update-kernel=ALL --remove-args='intel_iommu=off iommu=off'",
        "grubby --update-kernel=ALL --args=intel_iommu=on",
    ]
    assert one(undone(), "kargs-rpm-ostree").splitlines()[3:] == [
        "set -e",
        "rpm-ostree kargs --delete-if-present=intel_iommu=off --delete-if-present=iommu=off",
        "rpm-ostree kargs --append-if-missing=intel_iommu=on",
    ]


@pytest.mark.parametrize("target", ["kargs-grubby", "kargs-rpm-ostree"])
def test_commands_are_what_a_shell_takes(target: str, tmp_path: Path) -> None:
    (file,) = rendered(undone(), (target,), PLAIN)
    assert file.mode == 0o755
    for name in ("grubby", "rpm-ostree"):
        (tmp_path / name).write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", file.text], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    assert [line.partition("=")[2] for line in done.stdout.splitlines() if "iommu" in line] in (
        ["intel_iommu=off iommu=off", "intel_iommu=on"],
        ["intel_iommu=off", "iommu=off", "intel_iommu=on"],
    )


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("{name: openshift, version: 4.20}", ("butane", "machineconfig", "hyperconverged")),
        ("{name: fcos, version: 1.5.0}", ("butane", "kubevirt")),
        ("{name: rhel}", ("modprobe", "modules-load", "dracut", "systemd", "kargs-grubby", "kubevirt")),
        ("{name: debian}", ("modprobe", "modules-load", "initramfs-tools", "systemd", "kargs-grub", "kubevirt")),
        ("{name: ubuntu}", ("modprobe", "modules-load", "initramfs-tools", "systemd", "kargs-grub", "kubevirt")),
        ("{name: suse}", ("modprobe", "modules-load", "dracut", "systemd", "kargs-suse", "kubevirt")),
    ],
)
def test_all_is_what_the_platform_takes(platform: str, names: tuple[str, ...]) -> None:
    with_name = planned(devices(T4, platform=platform), worker())
    assert expanded(with_name, ("all",)) == names
    assert expanded(with_name, (names[-1], "all")) == (names[-1], *names[:-1])
    without = planned(devices("id: 10de:1eb8", platform=platform), worker())
    assert expanded(without, ("all",)) == names[:-1]
    paths = [file.path for file in rendered(with_name, ("all",), PLAIN)]
    assert len(set(paths)) == len(paths) >= len(names) - 1


def test_fcos_is_told_everything_in_one_file() -> None:
    plain = MANY.replace("{size: 2M, count: 2}", "{size: 2M, count: 4}")
    (file,) = rendered(planned(profile(plain, "{name: fcos, version: 1.5.0}"), worker()), ("butane",), PLAIN)
    read = yaml.safe_load(file.text)
    assert file.path == "99-fcos-hostagent.bu"
    assert (read["variant"], read["version"]) == ("fcos", "1.5.0")
    assert read["kernel_arguments"]["should_exist"][-4:] == [
        "hugepagesz=1G",
        "hugepages=2",
        "hugepagesz=2M",
        "hugepages=4",
    ]
    assert [unit["name"] for unit in read["systemd"]["units"]] == ["hostagent-vfio-0000-02-00.0.service"]


def test_resources() -> None:
    found = many("{name: openshift, version: 4.20}")
    old, new, plain = (yaml.safe_load(one(found, name)) for name in ("hyperconverged", "hyperconverged-v1", "kubevirt"))
    listed = [
        {"pciDeviceSelector": "10DE:1EB8", "resourceName": "nvidia.com/T4"},
        {"pciDeviceSelector": "8086:10D3", "resourceName": "intel.com/82574L"},
    ]
    assert old["apiVersion"] == "hco.kubevirt.io/v1beta1"
    assert old["metadata"] == {"name": "kubevirt-hyperconverged", "namespace": "openshift-cnv"}
    assert old["spec"]["permittedHostDevices"]["pciHostDevices"] == listed
    assert new["spec"]["virtualization"]["permittedHostDevices"]["pciHostDevices"] == listed
    assert plain["spec"]["configuration"]["permittedHostDevices"]["pciHostDevices"] == [
        {"pciVendorSelector": entry["pciDeviceSelector"], "resourceName": entry["resourceName"]} for entry in listed
    ]
    elsewhere = replaced(PLAIN, namespace="virt")
    assert yaml.safe_load(one(found, "kubevirt", elsewhere))["metadata"] == {"name": "kubevirt", "namespace": "virt"}
    assert yaml.safe_load(one(many(DEBIAN), "hyperconverged"))["metadata"]["namespace"] == "kubevirt-hyperconverged"


def test_a_vm_asks_for_one_of_each_name() -> None:
    twice = planned(devices(T4, "id: 10de:1e84, resourceName: nvidia.com/TU104GL_Tesla_T4", platform=DEBIAN), worker())
    read = yaml.safe_load(one(twice, "vm-host-devices"))
    assert read["spec"]["template"]["spec"]["domain"]["devices"]["hostDevices"] == [
        {"deviceName": "nvidia.com/TU104GL_Tesla_T4", "name": "tu104gl-tesla-t4-1"}
    ]


def test_a_device_that_is_dropped_leaves_the_resource_and_others_stay() -> None:
    before = one(many("{name: openshift, version: 4.20}"), "hyperconverged")
    foreign = before.replace(
        "      - pciDeviceSelector: 10DE:1EB8\n",
        "      # of another team\n      - pciDeviceSelector: 1234:5678\n        resourceName: example.com/other\n"
        "      - pciDeviceSelector: 10DE:1EB8\n",
    )
    wishes = replaced(PLAIN, resource=foreign, owned=frozenset(("nvidia.com/T4", "intel.com/82574L")))
    only_nic = devices("address: 0000:02:00.0, resourceName: intel.com/82574L")
    text = one(planned(only_nic, worker()), "hyperconverged", wishes)
    assert text == foreign.replace("      - pciDeviceSelector: 10DE:1EB8\n        resourceName: nvidia.com/T4\n", "")
    nothing = one(planned(profile(), worker()), "hyperconverged", wishes)
    assert [
        entry["resourceName"] for entry in yaml.safe_load(nothing)["spec"]["permittedHostDevices"]["pciHostDevices"]
    ] == ["example.com/other"]


@pytest.mark.parametrize("target", ["hyperconverged", "hyperconverged-v1", "kubevirt", "vm-host-devices"])
def test_nothing_to_offer(target: str) -> None:
    with pytest.raises(RenderError, match=r"^devices: expected a resourceName in one of them, for "):
        one(planned(devices("id: 10de:1eb8"), worker()), target)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("butane", "platform.name: Butane is for openshift and fcos, not for debian"),
        ("machineconfig", "platform.name: a MachineConfig is for openshift, not for debian"),
        ("dracut", "platform.name: debian makes its initramfs with initramfs-tools, not with dracut"),
    ],
)
def test_targets_of_other_platforms(target: str, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        one(planned(devices(T4, platform=DEBIAN), worker()), target)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (
            devices("id: 10de:1eb8", "id: 10de:ffff"),
            "devices[1]: expected 10de:ffff on a node given, and found none",
        ),
        (
            devices("id: 8086:10d3"),
            (
                "devices[0]: a: expected what may be taken, and 0000:01:00.0 may not: it carries eno1: default route"
                " (proc/net/route: default route through eno1)"
            ),
        ),
        (
            profile("hugepages: {pools: [{size: 1G, count: 16}]}\n"),
            (
                "hugepages.pools[0]: a: 16384 MiB of huge pages asked for, "
                "the machine has 16384 MiB and 512 MiB stay with the host"
                " (proc/meminfo: MemTotal: 16777216 kB)"
            ),
        ),
    ],
)
def test_half_a_plan_is_not_rendered(wishes: Profile, message: str) -> None:
    found = planned(wishes, worker())
    for target in TARGETS:
        with pytest.raises(RenderError) as caught:
            rendered(found, (target,), PLAIN)
        assert str(caught.value) == message


def test_nothing_asked_is_nothing_written() -> None:
    found = planned(profile("", DEBIAN), worker())
    empty = (
        "modprobe",
        "modules-load",
        "initramfs-tools",
        "systemd",
        *(name for name in TARGETS if name.startswith("kargs")),
    )
    assert [rendered(found, (name,), PLAIN) for name in empty] == [()] * len(empty)
    assert rendered(found, ("all",), PLAIN) == ()


def test_a_file_of_two_targets_is_written_once() -> None:
    found = planned(devices(T4, platform=DEBIAN), worker())
    (file,) = rendered(found, ("modprobe", "modprobe"), PLAIN)
    assert file == File(path="/etc/modprobe.d/vfio.conf", mode=0o644, text=file.text)
