from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.area import LabelOptions
from hostagent.areas.kernel import Kernel, KernelModule, labels, probe, samples
from hostagent.host import Host, Problem
from hostagent.host.os_release import OsRelease, os_release, variables
from hostagent.host.problem import MALFORMED
from hostagent.values.record import replaced
from tests.plant import plant, reader

NOTHING = Kernel(
    release=None,
    architecture=None,
    command_line=None,
    modules=(),
    modules_listed=False,
    lockdown=None,
    tainted=None,
    taints=(),
    os=None,
    initramfs=(),
    boot_files=(),
)
RHCOS = """NAME="Red Hat Enterprise Linux CoreOS"
ID="rhcos"
ID_LIKE="rhel fedora"
VERSION_ID="4.16"
VARIANT=CoreOS
VARIANT_ID=coreos
OPENSHIFT_VERSION="4.16"
# a comment=1
"""


def test_a_root_that_says_nothing(tmp_path: Path) -> None:
    seen = reader(plant(tmp_path, {}))
    assert (probe(seen), seen.problems) == (NOTHING, [])
    assert list(samples(NOTHING)) == []


def test_everything(tmp_path: Path) -> None:
    running = "5.14.0-427.40.1.el9_4.x86_64"
    files = {
        "proc/sys/kernel/osrelease": f"{running}\n",
        "proc/sys/kernel/tainted": "4097\n",
        "proc/cmdline": "BOOT_IMAGE=(hd0,gpt3)/vmlinuz root=UUID=6c2f-8d1a ip=192.0.2.7::192.0.2.1:255.255.255.0:node7 "
        'rd.luks.uuid=luks-1 intel_iommu=on iommu=pt vfio-pci.ids=10de:1eb8 dyndbg="file x +p" -- 3\n',
        "proc/modules": "nvme 49152 3 - Live 0x0\nvfio_pci 16384 0 - Live 0x0\nxfs 1 1 - Live 0x0\n",
        f"lib/modules/{running}/modules.builtin": "kernel/drivers/ata/ahci.ko\n",
        f"lib/modules/{running}/modules.dep": "kernel/drivers/gpu/nouveau/nouveau.ko.xz: kernel/x.ko\n",
        "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
        "etc/os-release": RHCOS,
        "run/ostree-booted": "",
        "usr/lib/dracut/dracut-functions": "",
        "usr/bin/rpm-ostree": "",
    }
    seen = reader(plant(tmp_path, files))
    kernel = probe(seen)
    assert kernel == Kernel(
        release=running,
        architecture="x86_64",
        command_line=(
            "BOOT_IMAGE=(hd0,gpt3)/vmlinuz",
            "root=UUID=6c2f-8d1a",
            "ip=192.0.2.7::192.0.2.1:255.255.255.0:node7",
            "rd.luks.uuid=luks-1",
            "intel_iommu=on",
            "iommu=pt",
            "vfio-pci.ids=10de:1eb8",
            'dyndbg="file x +p"',
        ),
        modules=(
            KernelModule(name="ahci", state="built-in"),
            KernelModule(name="nouveau", state="available"),
            KernelModule(name="nvme", state="loaded"),
            KernelModule(name="vfio_pci", state="loaded"),
        ),
        modules_listed=True,
        lockdown="integrity",
        tainted=4097,
        taints=("P", "O"),
        os=OsRelease(
            id="rhcos",
            id_like=("rhel", "fedora"),
            version_id="4.16",
            variant_id="coreos",
            openshift_version="4.16",
            ostree=True,
        ),
        initramfs=("dracut",),
        boot_files=("usr/bin/rpm-ostree",),
    )
    assert seen.problems == []
    assert [(sample.metric.name, sample.labels, sample.value) for sample in samples(kernel)] == [
        ("hostagent_kernel_info", (running, "x86_64", "rhcos", "4.16"), 1),
        ("hostagent_kernel_tainted", (), 4097),
        ("hostagent_kernel_lockdown_info", ("integrity",), 1),
    ]
    assert list(labels(kernel, LabelOptions(pci_classes=(), cpu_features=()))) == []


@pytest.mark.parametrize(
    ("files", "architecture"),
    [
        ({"proc/sys/kernel/arch": "aarch64", "proc/sys/kernel/osrelease": "6.12.0-amd64"}, "aarch64"),
        ({"proc/sys/kernel/osrelease": "6.1.0-13-amd64"}, "x86_64"),
        ({"proc/sys/kernel/osrelease": "4.18.0-553.el8.ppc64le"}, "ppc64le"),
        ({"proc/sys/kernel/osrelease": "6.1.0-13-arm64"}, "aarch64"),
        ({"proc/sys/kernel/osrelease": "6.8.12-2-pve"}, None),
    ],
)
def test_architectures(tmp_path: Path, files: dict[str, str], architecture: str | None) -> None:
    assert probe(reader(plant(tmp_path, files))).architecture == architecture


def test_text_that_is_not_what_it_should_be(tmp_path: Path) -> None:
    files = {"sys/kernel/security/lockdown": "none integrity\n", "proc/sys/kernel/tainted": "G\n", "proc/cmdline": "\n"}
    seen = reader(plant(tmp_path, files))
    assert probe(seen) == replaced(NOTHING, command_line=())
    assert {problem.path: problem for problem in seen.problems} == {
        "sys/kernel/security/lockdown": Problem(
            path="sys/kernel/security/lockdown",
            kind=MALFORMED,
            detail="expected a list with one word in brackets, saw 'none integrity'",
        ),
        "proc/sys/kernel/tainted": Problem(
            path="proc/sys/kernel/tainted", kind=MALFORMED, detail="expected a whole number, saw 'G'"
        ),
    }


@given(st.integers(min_value=0, max_value=(1 << 24) - 1))
def test_taints_say_every_bit(tmp_path_factory: pytest.TempPathFactory, bits: int) -> None:
    root = plant(tmp_path_factory.mktemp("taint"), {"proc/sys/kernel/tainted": str(bits)})
    taints = probe(reader(root)).taints
    letters = "PFSRMBUDAWCIOELKXTNJ"
    assert sum(1 << letters.index(one) if one in letters else int(one, 16) for one in taints) == bits


def test_usr_lib_has_os_release_where_etc_has_none(tmp_path: Path) -> None:
    assert os_release(reader(plant(tmp_path, {"usr/lib/os-release": "ID=debian\nVERSION_ID=\n"}))) == OsRelease(
        id="debian", id_like=(), version_id=None, variant_id=None, openshift_version=None, ostree=False
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nB='two words'\nC=\"three\"", {"A": "1", "B": "two words", "C": "three"}),
        ('A="a \\$b"\n  D = x\n#E=1\nF\nG="', {"A": "a $b", "D ": "x", "G": '"'}),
        ("A=\nA=2", {"A": "2"}),
        ("=x", {}),
    ],
)
def test_assignments(text: str, found: dict[str, str]) -> None:
    assert variables(text) == found


@given(st.text())
def test_assignments_of_any_text(text: str) -> None:
    assert all(name and value for name, value in variables(text).items())


def test_the_live_kernel_is_the_one_uname_names() -> None:
    kernel = probe(Host().reader())
    assert kernel.release == os.uname().release
    assert kernel.architecture in (os.uname().machine, None)
