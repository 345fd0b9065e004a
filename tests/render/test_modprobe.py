"""modprobe.d, as text and as kmod reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.render import modprobe
from hostagent.render.files import File
from hostagent.values.record import replaced
from tests.plan.machines import Machine, worker
from tests.plan.profiles import DEBIAN, devices, planned, profile
from tests.render.tools import kmod

T4 = "id: 10de:1eb8, resourceName: nvidia.com/T4"
TURING = "id: 10de:1e84, resourceName: nvidia.com/TU104"
HEAD = "# Written by hostagent from a profile: change that and render again.\n"


def test_ids_with_who_asks_and_what_must_wait() -> None:
    found = planned(devices(T4, TURING, platform=DEBIAN), worker())
    assert modprobe.modprobe(found) == (
        File(
            path="/etc/modprobe.d/vfio.conf",
            mode=0o644,
            text=HEAD
            + """\
# 10de:10f8: the other functions of a device's IOMMU group
# 10de:1ad8: the other functions of a device's IOMMU group
# 10de:1ad9: the other functions of a device's IOMMU group
# 10de:1e84: devices[1] (nvidia.com/TU104)
# 10de:1eb8: devices[0] (nvidia.com/T4)
options vfio-pci ids=10de:10f8,10de:1ad8,10de:1ad9,10de:1e84,10de:1eb8
softdep i2c_nvidia_gpu pre: vfio-pci
softdep nouveau pre: vfio-pci
softdep nvidia pre: vfio-pci
softdep nvidiafb pre: vfio-pci
softdep snd_hda_intel pre: vfio-pci
softdep xhci_pci pre: vfio-pci
""",
        ),
    )


def test_one_line_of_an_id_names_every_entry_that_asks() -> None:
    found = planned(devices(T4, "address: 0000:05:00.0", "class: 0302", platform=DEBIAN), worker())
    said = modprobe.modprobe(found)[0].text.splitlines()[1]
    assert said == "# 10de:1eb8: devices[0] (nvidia.com/T4)"


def test_a_subsystem_stays_with_its_id() -> None:
    other = worker().function("0000:08:00.0", "10de:1eb8", "030200", group=20, subsystem="10de:12a3")
    found = planned(devices("id: 10de:1eb8, subsystem: 10de:12a2", platform=DEBIAN), other)
    lines = modprobe.modprobe(found)[0].text.splitlines()
    assert lines[1:3] == ["# 10de:1eb8:10de:12a2: devices[0]", "options vfio-pci ids=10de:1eb8:10de:12a2"]


def test_the_manuals_file_has_the_manuals_text() -> None:
    found = planned(devices(T4), worker())
    assert modprobe.as_in_the_manual(found) == (
        File(path="/etc/modprobe.d/vfio.conf", mode=0o644, text="options vfio-pci ids=10de:1eb8\n"),
    )


def test_what_goes_beyond_the_manual_has_files_of_its_own() -> None:
    wishes = profile("devices: [{id: '10de:1e84'}, {id: '10de:10f8'}]\nnestedVirtualization: true\n")
    # OpenShift's initramfs has the USB driver: that function is bound by its address.
    found = planned(wishes, worker())
    assert modprobe.as_in_the_manual(found) == (
        File(
            path="/etc/modprobe.d/vfio.conf",
            mode=0o644,
            text="options vfio-pci ids=10de:10f8,10de:1ad9,10de:1e84\n",
        ),
        File(
            path="/etc/modprobe.d/vfio-softdep.conf",
            mode=0o644,
            text=HEAD
            + "# Drivers that would take a device before vfio-pci.\n"
            + "softdep i2c_nvidia_gpu pre: vfio-pci\nsoftdep snd_hda_intel pre: vfio-pci\n",
        ),
        File(
            path="/etc/modprobe.d/zz-hostagent.conf",
            mode=0o644,
            text=HEAD + "# kvm_intel nested=1: guests may run guests\noptions kvm_intel nested=1\n",
        ),
    )


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(worker().built_in("drivers/vfio/pci/vfio-pci"), id="built in"),
        pytest.param(Machine(), id="nothing"),
    ],
)
def test_nothing_where_nothing_belongs_there(machine: Machine) -> None:
    wishes = devices(T4) if machine.files.get("sys/devices/pci0000:00/0000:04:00.0/uevent") else profile()
    found = planned(wishes, machine)
    assert modprobe.modprobe(found) == modprobe.as_in_the_manual(found) == ()


def test_kmod_reads_what_was_written(tmp_path: Path) -> None:
    wishes = profile("devices: [{id: '10de:1e84'}]\nnestedVirtualization: false\n", DEBIAN)
    found = planned(wishes, worker())
    vfio, options = modprobe.modprobe(found)
    assert kmod(vfio.text, tmp_path) == [
        "options vfio_pci ids=10de:10f8,10de:1ad8,10de:1ad9,10de:1e84",
        *(f"softdep {one.module} pre: vfio-pci" for one in found.vfio.softdeps),
    ]
    assert kmod(options.text, tmp_path) == ["options kvm_intel nested=0"]


def test_the_last_possible_id_is_read_whole(tmp_path: Path) -> None:
    """vfio-pci's parameter holds 1,023 letters; kmod takes lines of that length."""
    ids = tuple(f"10de:{number:04x}" for number in range(102))
    found = planned(devices(T4, platform=DEBIAN), worker())
    long = replaced(found, vfio=replaced(found.vfio, ids=ids, softdeps=()))
    assert kmod(modprobe.modprobe(long)[0].text, tmp_path) == [f"options vfio_pci ids={','.join(ids)}"]
