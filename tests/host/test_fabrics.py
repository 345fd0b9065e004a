"""Which adapter carries a disk over a fabric or a network, and that it is lost where nothing tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.areas.blocks import Machine, carriers
from tests.host.test_descent import walked

ADAPTER = "pci0000:00/0000:05:00.0"
CONTROLLER = "virtual/nvme-fabrics/ctl/nvme4"


def nvme(transport: str, address: str) -> Machine:
    built = Machine()
    built.device("nvme4n1", CONTROLLER, "259:9")
    built.files[f"sys/devices/{CONTROLLER}/transport"] = f"{transport}\n"
    built.files[f"sys/devices/{CONTROLLER}/address"] = f"{address}\n"
    built.links["sys/class/nvme/nvme4"] = f"../../devices/{CONTROLLER}"
    built.mounted("259:9 / / xfs /dev/nvme4n1")
    return built


def nic(built: Machine, *, vlan: str | None = None) -> None:
    built.files[f"sys/devices/{ADAPTER}/net/eth1/operstate"] = "up\n"
    built.links["sys/class/net/eth1"] = f"../../devices/{ADAPTER}/net/eth1"
    if vlan is not None:
        built.links[f"sys/devices/virtual/net/{vlan}/lower_eth1"] = f"../../../{ADAPTER}/net/eth1"
        built.links[f"sys/class/net/{vlan}"] = f"../../devices/virtual/net/{vlan}"


def test_nvme_over_fibre_channel_is_on_the_adapter_with_the_port(tmp_path: Path) -> None:
    built = nvme("fc", "traddr=nn-0x1:pn-0x2,host_traddr=nn-0x3:pn-0x4")
    for number, port in enumerate(("0x9", "0x4")):
        at = f"sys/devices/pci0000:00/0000:0{4 + number}:00.0/host{number}/fc_host/host{number}"
        built.files[f"{at}/port_name"] = f"{port}\n"
        built.links[f"sys/class/fc_host/host{number}"] = "../../" + at.removeprefix("sys/")
    assert walked(built, tmp_path) == {"/": carriers("0000:05:00.0", chain="nvme4n1")}


@pytest.mark.parametrize("transport", ["tcp", "rdma"])
@pytest.mark.parametrize("link", ["eth1", "eth1.100"])
def test_nvme_over_a_network_is_on_the_link_it_is_bound_to(tmp_path: Path, transport: str, link: str) -> None:
    built = nvme(transport, f"traddr=192.0.2.1,trsvcid=4420,host_iface={link}")
    nic(built, vlan="eth1.100")
    assert walked(built, tmp_path) == {"/": carriers("0000:05:00.0", chain="nvme4n1", network=True)}


@pytest.mark.parametrize(("vlan", "found"), [("eth1.100", True), ("eth9.100", False)])
def test_fibre_channel_over_ethernet_on_a_vlan(tmp_path: Path, vlan: str, *, found: bool) -> None:
    built = Machine()
    built.device("sda", f"virtual/net/{vlan}/ctlr_0/host7/rport-7:0-0/target7:0:0/7:0:0:0/block", "8:0")
    nic(built, vlan="eth1.100")
    built.mounted("8:0 / / xfs /dev/sda")
    why = "sda: Fibre Channel over eth9.100, and sysfs does not say through which adapter"
    expected = (
        carriers("0000:05:00.0", chain="sda", network=True)
        if found
        else carriers(chain="sda", network=True, unresolved=(why,), suspects=("02",))
    )
    assert walked(built, tmp_path) == {"/": expected}


def test_iscsi_is_on_the_link_or_the_adapter_of_its_host(tmp_path: Path) -> None:
    built = Machine()
    nic(built)
    built.files["sys/class/iscsi_host/host3/netdev"] = "eth1\n"
    built.device("sda", "platform/host3/session1/target3:0:0/3:0:0:0/block", "8:0")
    built.device("sdb", "pci0000:00/0000:06:00.0/host4/session2/target4:0:0/4:0:0:0/block", "8:16")
    built.mounted("8:0 / / xfs /dev/sda", "8:16 / /srv xfs /dev/sdb")
    assert walked(built, tmp_path) == {
        "/": carriers("0000:05:00.0", chain="sda", network=True),
        "/srv": carriers("0000:06:00.0", chain="sdb", network=True),
    }


def test_a_host_below_nothing_is_lost(tmp_path: Path) -> None:
    built = Machine()
    built.device("sda", "platform/host3/target3:0:0/3:0:0:0/block", "8:0")
    built.device("mmcblk0", "platform/80860F14:00/mmc_host/mmc0/mmc0:0001/block", "179:0")
    built.mounted("8:0 / / xfs /dev/sda", "179:0 / /boot ext4 /dev/mmcblk0")
    assert walked(built, tmp_path) == {
        "/": carriers(chain="sda", unresolved=("sda: sysfs does not say what it stands on",)),
        "/boot": carriers(chain="mmcblk0"),
    }
