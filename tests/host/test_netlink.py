"""VF policies: from the kernel's bytes to JSON, and from JSON to records."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from hostagent.host import Host, Problem
from hostagent.host.netlink import RECORD, VfPolicy, collect, policies, vf_policies
from tests.plant import plant, reader

UNSAID = 0xFFFFFFFF
# include/uapi/linux/if_link.h
IFLA_IFNAME, IFLA_VFINFO_LIST, IFLA_VF_INFO = 3, 22, 1
IFLA_VF_MAC, IFLA_VF_VLAN, IFLA_VF_SPOOFCHK, IFLA_VF_LINK_STATE, IFLA_VF_TRUST = 1, 2, 4, 5, 9


def _attribute(kind: int, payload: bytes) -> bytes:
    """struct nlattr, padded to four bytes."""
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def _vf(index: int, *, mac: bytes, vlan: int, spoof: int, trust: int, state: int) -> bytes:
    """One IFLA_VF_INFO as rtnl_fill_vfinfo writes it."""
    body = _attribute(IFLA_VF_MAC, struct.pack("=I32s", index, mac))
    body += _attribute(IFLA_VF_VLAN, struct.pack("=III", index, vlan, 0))
    body += _attribute(IFLA_VF_SPOOFCHK, struct.pack("=II", index, spoof))
    body += _attribute(IFLA_VF_LINK_STATE, struct.pack("=II", index, state))
    body += _attribute(IFLA_VF_TRUST, struct.pack("=II", index, trust))
    return _attribute(IFLA_VF_INFO, body)


def _link(name: str, *vfs: bytes) -> ifinfmsg:
    """RTM_NEWLINK with struct ifinfomsg, decoded by pyroute2."""
    body = struct.pack("=BxHiII", 0, 1, 7, 0, 0) + _attribute(IFLA_IFNAME, name.encode() + b"\0")
    if vfs:
        body += _attribute(IFLA_VFINFO_LIST, b"".join(vfs))
    message = ifinfmsg(struct.pack("=IHHII", 16 + len(body), 16, 0, 0, 0) + body)
    message.decode()
    return message


def test_policies_of_the_kernels_bytes() -> None:
    set_up = _vf(0, mac=bytes.fromhex("525400aa0001"), vlan=100, spoof=1, trust=0, state=1)
    untouched = _vf(1, mac=bytes(6), vlan=0, spoof=UNSAID, trust=UNSAID, state=0)
    assert policies([_link("eth1", untouched, set_up), _link("lo"), _link("eth0", untouched)]) == [
        {
            "name": "eth0",
            "vfs": [
                {"index": 1, "administered_mac": False, "vlan": None, "trust": None, "spoof_check": None, "link_state": "auto"}
            ],
        },
        {
            "name": "eth1",
            "vfs": [
                {"index": 1, "administered_mac": False, "vlan": None, "trust": None, "spoof_check": None, "link_state": "auto"},
                {"index": 0, "administered_mac": True, "vlan": 100, "trust": False, "spoof_check": True, "link_state": "enable"},
            ],
        },
    ]  # fmt: skip


def test_no_mac_address_is_recorded() -> None:
    message = _link("eth0", _vf(0, mac=bytes.fromhex("525400aa0001"), vlan=1, spoof=0, trust=1, state=2))
    text = json.dumps(policies([message]))
    assert "52" not in text
    assert '"disable"' in text


def test_a_driver_that_says_nothing() -> None:
    (link,) = policies([_link("eth0", _attribute(IFLA_VF_INFO, b""))])
    assert link["vfs"] == [dict.fromkeys(("index", "administered_mac", "vlan", "trust", "spoof_check", "link_state"))]


def test_the_live_kernel_answers() -> None:
    """No assertion about VFs, which test machines rarely have: the answer is one of the two documented forms."""
    answer = json.loads(collect())
    assert list(answer) in (["links"], ["error"])


def test_the_live_machine_is_asked_once() -> None:
    host = Host("/")
    look = host.reader()
    first = vf_policies(look)
    assert ("read", RECORD) in host.memory
    assert vf_policies(host.reader()) == first


def _entry(**changes: object) -> dict[str, object]:
    entry: dict[str, object] = {
        "index": 0, "administered_mac": True, "vlan": 5, "trust": None, "spoof_check": False, "link_state": "auto",
    }  # fmt: skip
    return entry | changes


def test_a_record_is_read(tmp_path: Path) -> None:
    text = json.dumps({"links": [{"name": "eth0", "vfs": [_entry(), _entry(index=3, link_state=None, vlan=None)]}]})
    assert vf_policies(reader(plant(tmp_path, {RECORD: text}))) == {
        ("eth0", 0): VfPolicy(administered_mac=True, vlan=5, trust=None, spoof_check=False, link_state="auto"),
        ("eth0", 3): VfPolicy(administered_mac=True, vlan=None, trust=None, spoof_check=False, link_state=None),
    }


def test_no_record(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {}))
    assert (vf_policies(look), look.problems) == ({}, [])


@pytest.mark.parametrize(
    "text",
    ['{"error": "[Errno 1] Operation not permitted"}', "", "[]", "{", '{"links": [{"vfs": [{}]}]}', '{"links": 3}', "[" * 99999],
)  # fmt: skip
def test_a_record_of_another_form_is_a_problem(tmp_path: Path, text: str) -> None:
    look = reader(plant(tmp_path, {RECORD: text}))
    assert vf_policies(look) == {}
    shown = text if len(text) <= 60 else text[:57] + "..."
    assert look.problems == [
        Problem(path=RECORD, kind="malformed", detail=f"expected links and their VFs, saw {shown!r}")
    ]


@pytest.mark.parametrize(
    "changes",
    [{"index": None}, {"index": "0"}, {"vlan": "5"}, {"trust": 1}, {"link_state": "up"}, {"link_state": ["auto"]}],
)
def test_an_entry_of_another_form_is_left_out(tmp_path: Path, changes: dict[str, object]) -> None:
    text = json.dumps({"links": [{"name": "eth0", "vfs": [_entry(**changes), _entry(index=1)]}]})
    assert list(vf_policies(reader(plant(tmp_path, {RECORD: text})))) == [("eth0", 1)]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["links", "name", "vfs", "index"]), inner),
)


@given(_JSON)
def test_any_json_is_survived(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    root = plant(tmp_path_factory.mktemp("any"), {RECORD: json.dumps(value)})
    assert vf_policies(reader(root)) == {}


def test_a_machine_without_room_for_a_socket() -> None:
    """No descriptors left: in a process of its own, because the limit would be everybody's."""
    program = (
        "import json, resource, pyroute2, pyroute2.netlink.exceptions\n"
        "from hostagent.host.netlink import collect\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "print(collect())\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert json.loads(answer) == {"error": "[Errno 24] Too many open files"}
