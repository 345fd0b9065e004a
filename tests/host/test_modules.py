"""Where a module is looked for, and what each place proves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.host import Problem
from hostagent.host.modules import (
    UNIT_PLACE,
    loaded_modules,
    normal,
    parameter,
    release,
    state,
    static_nodes,
    switch,
)
from tests.plant import plant, reader, unreadable

RELEASE = "6.12.0-55.el10.x86_64"
INDEXES = {
    "proc/sys/kernel/osrelease": f"{RELEASE}\n",
    f"lib/modules/{RELEASE}/modules.builtin": "kernel/drivers/vfio/vfio.ko\nkernel/lib/vfio-pci-not.ko\n",
    f"lib/modules/{RELEASE}/modules.dep": (
        "kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/pci/vfio-pci-core.ko.xz\n"
        "kernel/drivers/vfio/pci/vfio-pci-core.ko.xz:\nkernel/net/tun.ko:\nextra/last.ko"
    ),
}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("vfio", "built-in"),
        ("vfio-pci", "available"),
        ("vfio_pci", "available"),
        ("vfio-pci-core", "available"),
        ("tun", "available"),
        ("last", "available"),
        ("vfio-pci-not", "built-in"),
        ("pci", "absent"),  # a tail of other modules' names is no module
        ("vfio_pci_co", "absent"),
        ("kvm", "loaded"),
        ("printk", "built-in"),
    ],
)
def test_state(tmp_path: Path, module: str, expected: str) -> None:
    files = {"proc/modules": "kvm 1441792 0 - Live 0x0000000000000000\n", "sys/module/printk/parameters/time": "Y\n"}
    assert state(reader(plant(tmp_path, INDEXES | files)), module) == expected


def test_without_module_files_nothing_is_known(tmp_path: Path) -> None:
    assert state(reader(plant(tmp_path, {"proc/modules": "kvm 1 0 - Live 0x0\n"})), "vfio_pci") is None


def test_module_files_of_another_release_say_nothing(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, INDEXES | {"proc/sys/kernel/osrelease": "6.1.0\n"}))
    assert (state(look, "vfio"), state(look, "vfio-pci")) == (None, None)


def test_built_in_index_alone(tmp_path: Path) -> None:
    files = {name: text for name, text in INDEXES.items() if not name.endswith("dep")}
    look = reader(plant(tmp_path, files))
    assert (state(look, "vfio"), state(look, "vfio-pci")) == ("built-in", None)


def test_merged_usr(tmp_path: Path) -> None:
    files = {name.replace("lib/modules", "usr/lib/modules"): text for name, text in INDEXES.items()}
    assert state(reader(plant(tmp_path, files)), "vfio-pci") == "available"


def test_where_a_unit_shows_the_files_the_closed_place_is_not_touched(tmp_path: Path) -> None:
    root = plant(tmp_path, {name.replace("lib/modules", UNIT_PLACE): text for name, text in INDEXES.items()})
    for name in ("modules.builtin", "modules.dep"):
        unreadable(root, f"lib/modules/{RELEASE}/{name}")
    look = reader(root)
    assert (state(look, "vfio"), state(look, "vfio-pci"), state(look, "kvm")) == ("built-in", "available", "absent")
    assert look.problems == []


def test_static_nodes(tmp_path: Path) -> None:
    text = (
        "# Device nodes to trigger on-demand module loading.\ntun net/tun c10:200\nvhost_net vhost-net c10:238\nodd\n"
    )
    files = {"proc/sys/kernel/osrelease": f"{RELEASE}\n", f"usr/lib/modules/{RELEASE}/modules.devname": text}
    assert static_nodes(reader(plant(tmp_path, files))) == frozenset({"net/tun", "vhost-net"})


def test_without_their_index_static_nodes_are_unknown(tmp_path: Path) -> None:
    assert static_nodes(reader(plant(tmp_path, INDEXES))) is None


def test_partial_root_tells_loaded_from_built_in_by_initstate(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {"sys/module/vfio_pci/initstate": "live\n", "sys/module/vfio/version": "0.3\n"}))
    assert (state(look, "vfio-pci"), state(look, "vfio"), loaded_modules(look)) == ("loaded", "built-in", None)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/sys/kernel/osrelease": "6.1.0\n"}, "6.1.0"),
        ({"proc/version": "Linux version 6.12.117+deb12-amd64 (a@b) (gcc) #1 SMP\n"}, "6.12.117+deb12-amd64"),
        ({"proc/version": "something else entirely\n"}, None),
        ({}, None),
    ],
)
def test_release(tmp_path: Path, files: dict[str, str], expected: str | None) -> None:
    assert release(reader(plant(tmp_path, files))) == expected


def test_a_release_cannot_lead_elsewhere(tmp_path: Path) -> None:
    files = {"proc/sys/kernel/osrelease": "../../x\n", "x/modules.dep": "a/vfio.ko:\n"}
    assert state(reader(plant(tmp_path, files)), "vfio") is None


def test_parameters(tmp_path: Path) -> None:
    base = "sys/module/vfio_pci/parameters"
    look = reader(
        plant(tmp_path, {f"{base}/enable_sriov": "N\n", f"{base}/nointxmask": "maybe\n", f"{base}/n": "12\n"})
    )
    assert switch(look, "vfio-pci", "enable_sriov") is False
    assert parameter(look, "vfio-pci", "n") == "12"
    assert switch(look, "vfio-pci", "absent") is None
    assert look.problems == []
    assert switch(look, "vfio-pci", "nointxmask") is None
    assert look.problems == [
        Problem(path=f"{base}/nointxmask", kind="malformed", detail="expected Y, N, 1 or 0, saw 'maybe'")
    ]


def test_unreadable_index_is_a_problem(tmp_path: Path) -> None:
    root = plant(tmp_path, INDEXES)
    unreadable(root, f"lib/modules/{RELEASE}/modules.dep")
    look = reader(root)
    assert state(look, "vfio-pci") is None
    assert [(problem.kind, problem.path) for problem in look.problems] == [
        ("unreadable", f"lib/modules/{RELEASE}/modules.dep")
    ]


@given(st.text())
def test_normal_is_idempotent(name: str) -> None:
    assert normal(normal(name)) == normal(name)
