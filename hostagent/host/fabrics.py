"""Which adapter carries a disk that is reached over a network or a Fibre Channel fabric.

    sys/class/nvme/nvme0/address          traddr=nn-0x...:pn-0x...,host_traddr=nn-0x...:pn-0x...      transport fc
                                          traddr=192.0.2.1,trsvcid=4420,host_iface=eth1               transport tcp
    sys/class/fc_host/host3/port_name     0x...: the port of an adapter, as the second half of host_traddr
    sys/class/iscsi_host/host4/netdev     the link of a software initiator that is bound to one
    sys/devices/virtual/net/eth2.100/ctlr_0/host7     FCoE: the disk's place is below a link
    sys/class/net/bond0/lower_eth0        what a link stands on

Where nothing tells, any adapter of the kind may carry it.
"""

from __future__ import annotations

from itertools import pairwise

from hostagent.host.carriers import place, split
from hostagent.host.reader import Reader
from hostagent.values.pci import PciAddress

NET = "sys/class/net"
CONTROLLERS = "sys/class/nvme"
_FC_HOSTS = "sys/class/fc_host"
_ISCSI_HOSTS = "sys/class/iscsi_host"
# PCI classes of adapters: network controllers of any kind, Fibre Channel.
NICS, FC_ADAPTERS = ("02",), ("0c04",)


def nvme_adapters(reader: Reader, controller: str, transport: str) -> tuple[PciAddress, ...]:
    """The adapters of an NVMe controller over fc, tcp or rdma; none where nothing tells."""
    words = (reader.text(f"{CONTROLLERS}/{controller}/address") or "").split(",")
    options = {name: value for name, _, value in (word.partition("=") for word in words)}
    if transport == "fc":
        return _fc_adapters(reader, options.get("host_traddr", "").rpartition("pn-")[2])
    return link_functions(reader, options.get("host_iface", ""))


def _fc_adapters(reader: Reader, port: str) -> tuple[PciAddress, ...]:
    for host in reader.names(_FC_HOSTS) if port else ():
        if reader.text(f"{_FC_HOSTS}/{host}/port_name") == port:
            return split(place(reader, f"{_FC_HOSTS}/{host}") or "")[0]
    return ()


def iscsi_adapters(reader: Reader, parts: list[str]) -> tuple[PciAddress, ...]:
    """The adapters below an iSCSI session that has the place `parts` under sys/devices."""
    host = next((part for part in parts if part.startswith("host") and part[4:].isdecimal()), None)
    return () if host is None else link_functions(reader, reader.text(f"{_ISCSI_HOSTS}/{host}/netdev") or "")


def link_above(parts: list[str]) -> str | None:
    """The network link that a device has its place below, as disks over FCoE have."""
    return next((below for part, below in pairwise(parts) if part == "net"), None)


def link_functions(reader: Reader, name: str) -> tuple[PciAddress, ...]:
    """The PCI functions that a network link stands on, through VLANs, bonds and bridges."""
    found: dict[PciAddress, None] = {}
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        link = waiting.pop()
        if not link or "/" in link or link in seen:
            continue
        seen.add(link)
        path = f"{NET}/{link}"
        if not reader.exists(path):
            continue
        found |= dict.fromkeys(split(place(reader, path) or "")[0])
        waiting += [entry[6:] for entry in reader.names(path) if entry.startswith("lower_")]
        waiting += reader.names(f"{path}/brif")
    return tuple(found)
