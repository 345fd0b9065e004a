"""dracut's drop-in and update-initramfs' hook, as text and as their shells read them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hostagent.plan import Plan
from hostagent.render.files import File, RenderError
from hostagent.render.initramfs import dracut, initramfs, initramfs_tools
from tests.plan.machines import worker
from tests.plan.profiles import DEBIAN, planned, profile
from tests.render.tools import planted, tool

HEAD = "# Written by hostagent from a profile: change that and render again.\n"
RHEL = "{name: rhel, version: 9}"
OPENSHIFT = "{name: openshift, version: 4.20}"


def found(platform: str, body: str = "devices: [{id: '10de:1eb8'}]\nwatchdog: {module: softdog}\n") -> Plan:
    return planned(profile(body, platform), worker())


def test_dracut(tmp_path: Path) -> None:
    drop_in = File(
        path="/etc/dracut.conf.d/50-hostagent.conf",
        mode=0o644,
        text=HEAD
        + """\
# Then run: dracut -f --regenerate-all
force_drivers+=" vfio vfio_iommu_type1 vfio_pci softdog "
install_items+=" /etc/modprobe.d/vfio.conf "
""",
    )
    assert dracut(found(RHEL)) == initramfs(found(RHEL)) == (drop_in,)
    planted((drop_in,), tmp_path)
    script = f'force_drivers=" a "; . {tmp_path}{drop_in.path}; echo "$force_drivers|$install_items"'
    said = subprocess.run([tool("bash"), "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == " a  vfio vfio_iommu_type1 vfio_pci softdog | /etc/modprobe.d/vfio.conf \n"


def test_dracut_without_vfio_needs_no_modprobe_file() -> None:
    (drop_in,) = dracut(found(RHEL, "watchdog: {module: softdog}\n"))
    assert drop_in.text.splitlines()[2:] == ['force_drivers+=" softdog "']


def test_hook(tmp_path: Path) -> None:
    hook = File(
        path="/etc/initramfs-tools/hooks/hostagent",
        mode=0o755,
        text="#!/bin/sh\n"
        + HEAD
        + """\
# Then run: update-initramfs -u -k all
if [ "$1" = prereqs ]; then
    echo
    exit 0
fi
. /usr/share/initramfs-tools/hook-functions
force_load vfio
force_load vfio_iommu_type1
force_load vfio_pci
force_load softdog
""",
    )
    assert initramfs_tools(found(DEBIAN)) == initramfs(found(DEBIAN)) == (hook,)
    planted((hook,), tmp_path)
    said = subprocess.run([f"{tmp_path}{hook.path}", "prereqs"], capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("\n", "")
    functions = tmp_path / "hook-functions"
    functions.write_text('force_load() { echo "loads $1"; }\n')
    text = hook.text.replace("/usr/share/initramfs-tools/hook-functions", str(functions))
    said = subprocess.run(["sh", "-euc", text, "hook", ""], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [
        "loads",
        "vfio",
        "loads",
        "vfio_iommu_type1",
        "loads",
        "vfio_pci",
        "loads",
        "softdog",
    ]


@pytest.mark.parametrize("platform", [RHEL, DEBIAN, OPENSHIFT])
def test_nothing_to_put_in(platform: str) -> None:
    assert initramfs(found(platform, "nestedVirtualization: true\n")) == ()


def test_images_come_with_theirs() -> None:
    assert initramfs(found(OPENSHIFT)) == ()
    with pytest.raises(RenderError) as caught:
        dracut(found(OPENSHIFT))
    said = "platform.name: the initramfs of openshift comes with its image: nothing for dracut there"
    assert str(caught.value) == said


def test_the_tool_of_another_platform() -> None:
    with pytest.raises(RenderError) as caught:
        initramfs_tools(found(RHEL))
    assert str(caught.value) == "platform.name: rhel makes its initramfs with dracut, not with initramfs-tools"
    with pytest.raises(RenderError) as caught:
        dracut(found(DEBIAN))
    assert str(caught.value) == "platform.name: debian makes its initramfs with initramfs-tools, not with dracut"
