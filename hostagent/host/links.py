"""Network links as sysfs shows them. The files are listed in `hostagent.areas.network`."""

from __future__ import annotations

from hostagent.host.addresses import LOCAL, Addresses, Table, addresses
from hostagent.host.carriers import ordered, place, split, with_physical
from hostagent.host.limits import LINKS
from hostagent.host.reader import Reader
from hostagent.host.routes import NET, NO_LINKS, Lost, Routes, as_read, routes
from hostagent.host.unread import unread
from hostagent.values.blanks import fields
from hostagent.values.pci import PciAddress
from hostagent.values.record import record, replaced

OVS = "ovs"
# What a directory holds only for this kind of link, where uevent has no DEVTYPE.
_MARKS = (("bonding", "bond"), ("bridge", "bridge"), ("tun_flags", "tun"), ("wireless", "wlan"), ("phy80211", "wlan"))


@record
class Link:
    """One network link."""

    name: str
    """Name of the link; sys/class/net."""
    kind: str
    """physical, loopback, bridge, bond, vlan, ovs (a datapath), team, macvlan, tun, veth, DEVTYPE of uevent for others
    (vxlan, vrf ...), virtual where nothing says."""
    operstate: str | None
    """up, down, unknown ...; sys/class/net/<name>/operstate. Null where there is no such file."""
    mtu: int | None
    """Bytes of payload a frame holds; sys/class/net/<name>/mtu. Null where there is no such file."""
    master: str | None
    """The bond, bridge, team, VRF or OVS datapath that it is a port of; the link sys/class/net/<name>/master. Null
    where it is of none."""
    lowers: tuple[str, ...]
    """Links below it: of a VLAN, bond, bridge, team, macvlan; lower_* and brif."""
    uppers: tuple[str, ...]
    """Links above it."""
    function: PciAddress | None
    """Address of its own PCI function, by its place in sys/devices. Null where it has none, as links without
    hardware."""
    functions: tuple[PciAddress, ...]
    """Addresses of all below it: its own, its lowers', and the physical functions of VFs."""
    carries_default_route: bool
    """Whether a default route leads through it, in any table that could be read."""
    carries_routes: bool
    """Whether a route beyond the link itself leads through it, as nearly any address makes."""
    addresses: tuple[str, ...] | None
    """Families (ipv4, ipv6) of its addresses beyond fe80::/10; rtnetlink. Null where that was not asked, and in what
    was a report of schema_version 1."""
    tables: tuple[Table, ...] | None
    """Routing tables with routes through it; rtnetlink. Null where that was not asked, and in what was a report of
    schema_version 1."""


def links(reader: Reader) -> tuple[Link, ...]:
    """Every link, with what it stands on."""
    ways, said = routes(reader), addresses(reader)
    if not all_known(reader):
        reader.too_large(NET, f"{LINKS} links")
    found = {
        name: link
        for name in reader.names(NET)[:LINKS]
        if name not in NO_LINKS and (link := _link(reader, name, ways, said)) is not None
    }
    found = _joined(found)
    return tuple(
        replaced(link, functions=ordered(set(with_physical(reader, tuple(_under(found, name))))))
        for name, link in sorted(found.items())
    )


def all_known(reader: Reader) -> bool:
    """Whether there are no more links than are looked at; else what those carry that are not is not known."""
    return len(reader.names(NET)) <= LINKS


def lost(reader: Reader, found: tuple[Link, ...]) -> tuple[Lost, ...]:
    """What the host uses and no link shows: routes through none of `found`, and what of them could not be read."""
    ways, names = routes(reader), {as_read(link.name) for link in found}
    nowhere = [Lost(path=ways.paths[name], link=name) for name in ways.any if name not in names]
    asked = [("names", NET)]
    for link in found:
        path = f"{NET}/{link.name}"
        asked += [("names", path), ("resolve", path), ("resolve", f"{path}/device"), ("link", f"{path}/master")]
        asked += [("names", f"{path}/brif"), ("read", f"{path}/bonding/slaves")]
    unseen = [Lost(path=path, link=None) for operation, path in asked if unread(reader, operation, path)]
    return (*ways.lost, *addresses(reader).lost, *nowhere, *unseen)


def _link(reader: Reader, name: str, ways: Routes, asked: Addresses) -> Link | None:
    """One link by itself: no lowers but its own word, no functions but its own."""
    path = f"{NET}/{name}"
    entries = reader.names(path)
    if not entries and reader.link(path) is None:
        return None
    lowers = {entry[6:] for entry in entries if entry.startswith("lower_")}
    lowers |= set(reader.names(f"{path}/brif")) if "brif" in entries else set()
    lowers |= set(fields(reader.text(f"{path}/bonding/slaves") or "")) if "bonding" in entries else set()
    functions = split(place(reader, path) or "")[0]
    told, said = asked.links.get(as_read(name)), as_read(name)
    return Link(
        name=name,
        kind=_kind(reader, name, entries, bool(functions)),
        operstate=reader.text(f"{path}/operstate") or None,
        mtu=reader.integer(f"{path}/mtu"),
        master=reader.target(f"{path}/master") if "master" in entries else None,
        lowers=tuple(sorted(lowers - {name})),
        uppers=tuple(sorted({entry[6:] for entry in entries if entry.startswith("upper_")} - {name})),
        function=functions[-1] if functions else None,
        functions=functions,
        carries_default_route=said in ways.default
        or (told is not None and any(table.default for table in told.tables)),
        carries_routes=said in ways.any or (told is not None and any(table.number != LOCAL for table in told.tables)),
        addresses=None if told is None else told.addresses,
        tables=None if told is None else told.tables,
    )


def _kind(reader: Reader, name: str, entries: tuple[str, ...], on_pci: bool) -> str:  # noqa: FBT001
    path = f"{NET}/{name}"
    devtype = next((line[8:] for line in reader.lines(f"{path}/uevent") if line.startswith("DEVTYPE=")), None)
    told = devtype or next((kind for entry, kind in _MARKS if entry in entries), None)
    if told is not None:
        return told
    if name == "lo" or name.startswith("ovs-"):
        return "loopback" if name == "lo" else OVS
    if on_pci or "device" in entries:
        return "physical"
    if any(entry.startswith("lower_") for entry in entries):
        return "macvlan"
    # One end of a pair: the other has a number of its own, in this namespace or in another.
    own, other = reader.text(f"{path}/ifindex"), reader.text(f"{path}/iflink")
    return "veth" if own and other and own != other else "virtual"


def _joined(found: dict[str, Link]) -> dict[str, Link]:
    """Both directions of every relation: a port's master stands on it, and what stands on a link is above it."""
    lowers = {name: set(link.lowers) for name, link in found.items()}
    for name, link in found.items():
        if link.master in lowers and link.master != name:
            lowers[link.master].add(name)
    kinds = {name: _master_kind(link, lowers[name], found) for name, link in found.items()}
    ports = {port for name, kind in kinds.items() if kind == OVS for port in lowers[name]}
    for name, link in found.items():
        if (link.carries_routes or link.addresses) and kinds[name] == "virtual" and not lowers[name]:
            lowers[name] |= ports - {name}
    uppers: dict[str, set[str]] = {name: set(link.uppers) for name, link in found.items()}
    for name, below in lowers.items():
        for lower in below & uppers.keys():
            uppers[lower].add(name)
    return {
        name: replaced(
            link, kind=kinds[name], lowers=tuple(sorted(lowers[name])), uppers=tuple(sorted(uppers[name] - {name}))
        )
        for name, link in found.items()
    }


def _master_kind(link: Link, lowers: set[str], found: dict[str, Link]) -> str:
    """Teams look like a macvlan by their entries; only they are the master of what they stand on."""
    ports = {name for name in lowers if name in found and found[name].master == link.name}
    return "team" if link.kind in ("macvlan", "virtual") and ports else link.kind


def _under(found: dict[str, Link], name: str) -> list[PciAddress]:
    """Functions of a link and of everything below it."""
    seen: set[str] = set()
    waiting = [name]
    functions: list[PciAddress] = []
    while waiting:
        link = found.get(waiting.pop())
        if link is None or link.name in seen:
            continue
        seen.add(link.name)
        functions += link.functions
        waiting += link.lowers
    return functions
