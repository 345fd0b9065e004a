"""The table of platforms against what Butane's documents, systemd's NEWS and the distributions say."""

from __future__ import annotations

from typing import get_args

import pytest

from hostagent.platforms import PLATFORMS
from hostagent.profile.model import Platform
from hostagent.render.targets import TARGETS

# coreos/butane docs/specs.md and docs/openshift-v4_*.md, and what Butane 0.29 prints: variant and version to Ignition's.
IGNITION = {
    "openshift": {
        "4.8": "3.2.0", "4.9": "3.2.0", "4.10": "3.2.0", "4.11": "3.2.0", "4.12": "3.2.0", "4.13": "3.2.0",
        "4.14": "3.4.0", "4.15": "3.4.0", "4.16": "3.4.0", "4.17": "3.4.0", "4.18": "3.4.0",
        "4.19": "3.5.0", "4.20": "3.5.0", "4.21": "3.5.0", "4.22": "3.5.0",
    },
    "fcos": {"1.4.0": "3.3.0", "1.5.0": "3.4.0", "1.6.0": "3.5.0", "1.7.0": "3.6.0"},
}  # fmt: skip
# systemd 244 (2019) renamed ShutdownWatchdogSec=: RHEL 8 has 239, SLE 15 first had 234, and OpenShift is RHEL 8 up to 4.12.
BEFORE_244 = {"rhel": ["8"], "suse": ["15"], "openshift": ["4.8", "4.9", "4.10", "4.11", "4.12"]}
RELEASES = {
    "rhel": ["8", "9", "10"],
    "debian": ["11", "12", "13"],
    "ubuntu": ["20.04", "22.04", "24.04", "25.10", "26.04"],
    "suse": ["15", "16"],
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_row(name: str) -> None:
    row = PLATFORMS[name]
    given = {one.name: one.ignition for one in row.versions}
    assert given == IGNITION.get(name, dict.fromkeys(RELEASES.get(name, ())))
    assert [one.name for one in row.versions if one.old_systemd] == BEFORE_244.get(name, [])
    assert row.needs_version == (name in IGNITION)
    assert set(row.targets) <= set(TARGETS)


def test_who_makes_the_initramfs() -> None:
    assert {name: row.initramfs for name, row in PLATFORMS.items()} == {
        "openshift": "generic",
        "fcos": "generic",
        "rhel": "dracut",
        "debian": "initramfs-tools",
        "ubuntu": "initramfs-tools",
        "suse": "dracut",
    }


def test_what_all_makes() -> None:
    assert {name: " ".join(row.targets) for name, row in PLATFORMS.items()} == {
        "openshift": "butane machineconfig hyperconverged",
        "fcos": "butane kubevirt",
        "rhel": "modprobe modules-load dracut systemd kargs-grubby kubevirt",
        "debian": "modprobe modules-load initramfs-tools systemd kargs-grub kubevirt",
        "ubuntu": "modprobe modules-load initramfs-tools systemd kargs-grub kubevirt",
        "suse": "modprobe modules-load dracut systemd kargs-suse kubevirt",
    }


def test_roles_and_namespaces() -> None:
    assert {name: row.role for name, row in PLATFORMS.items() if row.role} == {"openshift": "worker"}
    assert {name for name, row in PLATFORMS.items() if row.namespace == "openshift-cnv"} == {"openshift"}


@pytest.mark.parametrize(
    ("platform", "given", "release"),
    [
        ("openshift", "4.20.0", "4.20"),
        ("openshift", "4.20.7", "4.20"),
        ("openshift", "4.20", "4.20"),
        ("fcos", "1.5.0", "1.5.0"),
        ("rhel", "9.4", "9"),
        ("ubuntu", "24.04.1", "24.04"),
        ("debian", "12.5", "12"),
        ("suse", "15.6", "15"),
        ("rhel", "9-beta", "9-beta"),
        ("openshift", "4.20.0.1", "4.20.0.1"),
    ],
)
def test_how_a_version_is_spelt(platform: str, given: str, release: str) -> None:
    assert PLATFORMS[platform].release(given) == release


def test_a_profile_names_the_same_ones() -> None:
    name, version = (Platform.model_fields[field] for field in ("name", "version"))
    assert get_args(name.annotation) == tuple(PLATFORMS)
    openshift, fcos = (PLATFORMS[one].versions for one in ("openshift", "fcos"))
    assert f"openshift: {openshift[0].name} to {openshift[-1].name};" in str(version.description)
    assert f", {fcos[0].name} to {fcos[-1].name};" in str(version.description)
