"""Addresses and routes from the kernel, with pyroute2 as the witness: of this machine, and in a namespace of many cases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from hostagent.host import Host, rtnetlink
from hostagent.host.addresses import RECORD, addresses, collected

# The same three answers through pyroute2, in a process that may be in a network namespace of its own.
_WITNESS = """
import json
from pyroute2 import IPRoute
from hostagent.host.rtnetlink import spoken

found = spoken()
names, families, tables = {}, {}, {}
with IPRoute() as ip:
    for link in ip.link("dump"):
        names[link["index"]] = link.get_attr("IFLA_IFNAME")
    for address in ip.addr("dump"):
        both = [text for text in (address.get_attr("IFA_ADDRESS"), address.get_attr("IFA_LOCAL")) if text]
        if not all(text[:3] in ("fe8", "fe9", "fea", "feb") for text in both):
            families.setdefault(address["index"], set()).add("ipv6" if address["family"] == 10 else "ipv4")
    hops = {}
    for hop in ip.nexthop("dump") if hasattr(ip, "nexthop") else ():
        hops[hop.get_attr("NHA_ID")] = hop.get_attr("NHA_OIF")
    for family in (2, 10):
        for route in ip.route("dump", family=family):
            text = route.get_attr("RTA_DST") or ""
            if route["type"] in (6, 7, 8, 9) or route["flags"] & 0x200 or text[:4] in ("fe80", "ff00"):
                continue
            links = [route.get_attr("RTA_OIF")] if route.get_attr("RTA_OIF") else []
            links += [one["oif"] for one in route.get_attr("RTA_MULTIPATH") or ()]
            table = route.get_attr("RTA_TABLE") or route["table"]
            for link in links:
                of = tables.setdefault(link, {})
                of[table] = of.get(table, False) or route["dst_len"] == 0
assert found.names == names, (found.names, names)
assert found.families == families, (found.families, families)
assert found.tables == tables, (found.tables, tables)
said = {names[link]: sorted(one.items()) for link, one in tables.items()}
print(json.dumps([said, {names[link]: sorted(one) for link, one in families.items()}]))
"""
_SETUP = """
ip link set lo up
ip link add va type veth peer name vb
ip link set va up; ip link set vb up
ip address add 192.0.2.1/24 dev va
ip -6 address add 2001:db8::1/64 dev vb nodad
ip route add 198.51.100.0/24 nexthop via 192.0.2.7 dev va nexthop dev vb
ip route add default via 192.0.2.9 dev va table 100
ip -6 route add default dev vb table 4000000
ip route add blackhole 203.0.113.0/24
ip -6 route add unreachable 2001:db8:1::/48
"""


def _namespaced(script: str) -> str:
    if shutil.which("unshare") is None or shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("takes root, unshare and ip")
    probe = subprocess.run(
        ["unshare", "-n", "ip", "link", "add", "va", "type", "veth"], capture_output=True, check=False
    )
    if probe.returncode:
        pytest.skip("no network namespace, or no veth in this kernel")
    done = subprocess.run(["unshare", "-n", "sh", "-ec", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _python(program: str) -> str:
    return f"{sys.executable} -c '{program.replace(chr(39), chr(34))}'"


def test_pyroute2_says_the_same_of_this_machine() -> None:
    subprocess.run([sys.executable, "-c", _WITNESS], check=True, capture_output=True)


def test_pyroute2_says_the_same_of_policy_routes_and_several_next_hops() -> None:
    tables, families = json.loads(_namespaced(_SETUP + _python(_WITNESS)))
    assert families == {"lo": ["ipv4", "ipv6"], "va": ["ipv4"], "vb": ["ipv6"]}
    assert [table for table, default in tables["va"] if default] == [100]
    assert [table for table, default in tables["vb"] if default] == [4000000]
    assert [254, False] in tables["va"]
    assert [254, False] in tables["vb"]


_HOPS = """
ip link set lo up
ip link add va type veth peer name vb
ip link set va up; ip link set vb up
ip nexthop add id 1 dev va
ip nexthop add id 2 dev vb
ip nexthop add id 3 group 1/2
ip route add 198.51.100.0/24 nhid 3
ip -6 nexthop add id 4 dev va
ip -6 route add 2001:db8::/48 nhid 4
echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode
"""
_NUMBERS = """
from hostagent.host.rtnetlink import spoken
found = spoken()
print(sorted((found.names[link], sorted(one)) for link, one in found.tables.items() if 254 in one))
"""


def test_next_hop_objects_and_groups_without_a_link_in_the_route() -> None:
    assert _namespaced(_HOPS + _python(_NUMBERS)).strip() == "[('va', [254]), ('vb', [254])]"


def _u16(value: int) -> bytes:
    return value.to_bytes(2, sys.byteorder)


def _u32(value: int) -> bytes:
    return value.to_bytes(4, sys.byteorder)


def _message(kind: int, payload: bytes, *, flags: int = 2, sequence: int = 7) -> bytes:
    data = _u32(16 + len(payload)) + _u16(kind) + _u16(flags) + _u32(sequence) + _u32(0) + payload
    return data + bytes(-len(data) % 4)


class Kernel:
    """A socket whose other end answers every request with the next of the given datagrams, by type and number of the try."""

    def __init__(self, *answers: tuple[bytes, ...]) -> None:
        self._answers = [list(answer) for answer in answers]
        self._waiting: list[bytes] = []
        self._sequence = b""

    def send(self, request: bytes) -> int:
        self._sequence = request[8:12]
        self._waiting = self._answers.pop(0)
        return len(request)

    def recv(self, _size: int) -> bytes:
        data = self._waiting.pop(0)
        # Datagrams of one message each: its sequence number is that of the request.
        return data[:8] + self._sequence + data[12:] if data else data


def _dumped(kernel: Kernel) -> list[tuple[int, bytes]]:
    return rtnetlink.dumped(kernel, 26, bytes(12))  # type: ignore[arg-type]


DONE = _message(3, _u32(0))


def test_a_dump_that_changed_is_asked_for_again() -> None:
    changed = (_message(24, b"old!", flags=0x12), DONE)
    assert _dumped(Kernel(changed, (_message(24, b"new!"), DONE))) == [(24, b"new!")]
    with pytest.raises(rtnetlink.DumpError, match="changed during each of 4 dumps"):
        _dumped(Kernel(*[changed] * 4))


def test_errors_of_the_kernel() -> None:
    refused = (0x100000000 - 1).to_bytes(4, sys.byteorder)
    for answer in (_message(2, refused + bytes(16)), _message(3, refused)):
        with pytest.raises(PermissionError):
            _dumped(Kernel((answer,)))
    with pytest.raises(rtnetlink.DumpError, match="lost"):
        _dumped(Kernel((_message(4, b""),)))


def test_an_answer_without_end_is_left() -> None:
    with pytest.raises(rtnetlink.DumpError, match="more than"):
        _dumped(Kernel(tuple(_message(24, bytes(30000)) for _ in range(99))))
    with pytest.raises(rtnetlink.DumpError, match="more than"):
        _dumped(Kernel((b"",)))


@pytest.mark.parametrize("data", [_u32(15) + bytes(12), _u32(20) + bytes(12)])
def test_messages_of_no_length(data: bytes) -> None:
    with pytest.raises(rtnetlink.DumpError):
        list(rtnetlink.messages(data, 7))


def test_messages_of_another_request_are_none() -> None:
    data = _message(24, b"mine") + _message(24, b"else", sequence=8)
    assert list(rtnetlink.messages(data, 7)) == [(24, 2, b"mine")]


@pytest.mark.parametrize("data", [_u16(3) + _u16(1), _u16(9) + _u16(1) + b"four"])
def test_attributes_of_no_length(data: bytes) -> None:
    with pytest.raises(rtnetlink.DumpError):
        rtnetlink.attributes(data, 0)


def test_a_group_of_a_next_hop_that_went_leads_to_no_link() -> None:
    """0 is the number of none: routes are lost."""
    group = bytes(8) + _u16(8) + _u16(1) + _u32(3) + _u16(12) + _u16(2) + _u32(9) + bytes(4)
    assert rtnetlink.next_hops([(104, group)]) == {3: {0}}


def test_this_machine_is_asked_once_and_only_by_its_own_root() -> None:
    host = Host("/")
    look = host.reader()
    first = addresses(look)
    assert ("read", RECORD) in host.memory
    assert addresses(host.reader()) is first


def test_a_machine_without_room_for_a_socket() -> None:
    program = (
        "import resource, _socket, hostagent.host.rtnetlink\n"
        "from hostagent.host import Host\n"
        "from hostagent.host.addresses import collected\n"
        "look = Host('/').reader()\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "print(collected(look), end='')\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert answer == "error: [Errno 24] Too many open files\n"


def test_no_address_is_recorded() -> None:
    assert "192." not in collected(Host("/").reader())
