"""KVM: what counts as available, and switches that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.area import LabelOptions
from hostagent.areas.kvm import AREA, Kvm, probe
from hostagent.values.record import replaced
from tests.plant import plant, reader
from tests.roots import CAPTURES, unpacked

OPTIONS = LabelOptions(pci_classes=(), cpu_features=())
NONE = Kvm(
    available=False, kvm=None, kvm_intel=None, kvm_amd=None, nested=None, sev=None, sev_es=None, sev_snp=None, tdx=None,
    kvm_node=False, tun_node=False, vhost_net_node=False, vhost_vsock_node=False, sev_node=False,
)  # fmt: skip


def test_an_empty_machine(tmp_path: Path) -> None:
    assert probe(reader(plant(tmp_path, {}))) == NONE
    assert dict(AREA.labels(NONE, OPTIONS)) == {"kvm.available": "false"}
    assert [(sample.metric.name, sample.value) for sample in AREA.samples(NONE)] == [("hostagent_kvm_available", 0)]


def test_an_amd_host(tmp_path: Path) -> None:
    files = {
        "proc/modules": "kvm_amd 208896 0 - Live 0x0\nkvm 1441792 1 kvm_amd, Live 0x0\n",
        "sys/module/kvm_amd/parameters/nested": "1\n",
        "sys/module/kvm_amd/parameters/sev": "Y\n",
        "sys/module/kvm_amd/parameters/sev_es": "Y\n",
        "sys/module/kvm_amd/parameters/sev_snp": "N\n",
    } | {f"sys/class/misc/{name}/dev": "10:1\n" for name in ("kvm", "tun", "vhost-net", "vhost-vsock", "sev")}
    found = probe(reader(plant(tmp_path, files)))
    assert found == replaced(
        NONE, available=True, kvm="loaded", kvm_amd="loaded", nested=True, sev=True, sev_es=True, sev_snp=False,
        kvm_node=True, tun_node=True, vhost_net_node=True, vhost_vsock_node=True, sev_node=True,
    )  # fmt: skip
    assert dict(AREA.labels(found, OPTIONS)) == {"kvm.available": "true", "kvm.nested": "true"}
    assert [(sample.metric.name, sample.labels, sample.value) for sample in AREA.samples(found)] == [
        ("hostagent_kvm_available", (), 1),
        ("hostagent_kvm_nested", (), 1),
        ("hostagent_kvm_confidential", ("sev",), 1),
        ("hostagent_kvm_confidential", ("sev_es",), 1),
        ("hostagent_kvm_confidential", ("sev_snp",), 0),
    ]


@pytest.mark.parametrize(
    ("files", "nested", "tdx"),
    [
        ({"kvm_intel/parameters/nested": "Y\n", "kvm_intel/parameters/tdx": "N\n"}, True, False),
        ({"kvm_intel/parameters/nested": "N\n", "kvm_intel/parameters/tdx": "Y\n"}, False, True),
        ({"kvm/parameters/nested": "0\n"}, False, None),
        ({"kvm_hv/parameters/nested": "Y\n"}, True, None),
        ({"kvm_intel/parameters/ept": "Y\n"}, None, None),
    ],
)
def test_switches(tmp_path: Path, files: dict[str, str], *, nested: bool | None, tdx: bool | None) -> None:
    found = probe(reader(plant(tmp_path, {f"sys/module/{name}": text for name, text in files.items()})))
    assert (found.nested, found.tdx) == (nested, tdx)


NODES = {f"dev/{name}": "" for name in ("kvm", "net/tun", "vhost-net", "vhost-vsock", "sev")}


def test_static_nodes_are_nodes_and_prove_nothing_where_registration_can_be_seen(tmp_path: Path) -> None:
    """kmod makes /dev/kvm for a module that refused this CPU."""
    found = probe(reader(plant(tmp_path, NODES | {"sys/class/misc/loop-control/dev": "10:237\n"})))
    assert found == replaced(
        NONE, kvm_node=True, tun_node=True, vhost_net_node=True, vhost_vsock_node=True, sev_node=True
    )  # fmt: skip


def test_where_registration_cannot_be_seen_the_node_is_all_there_is(tmp_path: Path) -> None:
    assert probe(reader(plant(tmp_path, {"dev/kvm": ""}))) == replaced(NONE, available=True, kvm_node=True)


PRIVATE = {"sys/class/misc/kvm/dev": "10:232\n", "dev/null": ""}  # as PrivateDevices= and containers make it


def test_a_dev_of_our_own_says_nothing_of_the_hosts(tmp_path: Path) -> None:
    assert probe(reader(plant(tmp_path, PRIVATE))) == replaced(
        NONE, available=True, kvm_node=True, tun_node=None, vhost_net_node=None, vhost_vsock_node=None, sev_node=None
    )  # fmt: skip


def test_behind_a_dev_of_our_own_the_index_of_static_nodes_tells(tmp_path: Path) -> None:
    index = {
        "proc/sys/kernel/osrelease": "6.1.0\n",
        "run/hostagent-modules/6.1.0/modules.devname": "tun net/tun c10:200\nvhost_net vhost-net c10:238\n",
    }
    found = probe(reader(plant(tmp_path, PRIVATE | index)))
    nodes = found.tun_node, found.vhost_net_node, found.vhost_vsock_node, found.sev_node
    assert nodes == (True, True, False, False)


def test_the_hosts_dev_is_believed(tmp_path: Path) -> None:
    assert probe(reader(plant(tmp_path, PRIVATE | {"dev/kmsg": ""}))).vhost_net_node is False


def test_nodes_are_never_opened(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, NODES))
    probe(look)
    assert {operation for operation, path in look.host.memory if path.startswith("dev/")} == {"status"}


def test_captures() -> None:
    archive = CAPTURES / "lab-amd.tar.gz"
    if not archive.exists():
        pytest.skip(f"no {archive}")
    root = unpacked(str(archive))
    found = probe(reader(root))
    loaded = {line.split()[0] for line in (root / "EXPECT/lsmod.txt").read_text().splitlines()[1:]}
    assert ({"kvm", "kvm_amd", "kvm_intel"} & loaded) == {"kvm", "kvm_amd"}
    assert (found.kvm, found.kvm_amd, found.kvm_intel, found.available) == ("loaded", "loaded", "available", True)
    assert found.kvm_node is (" /dev/kvm" in (root / "EXPECT/dev.txt").read_text())
