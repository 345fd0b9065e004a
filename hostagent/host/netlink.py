"""What only netlink says: the policy of SR-IOV virtual functions (RTM_GETLINK with RTEXT_FILTER_VF, rtnetlink(7)).

Recorded in a capture as netlink/links.json; MAC addresses never leave the collector:

    {"links": [{"name": "ens1f0", "vfs": [{"index": 0, "administered_mac": true, "vlan": 100, "trust": false,
                                           "spoof_check": true, "link_state": "auto"}]}]}

pyroute2 costs 125 ms to import: ask only where there are VFs. A container that sees the host as /host, in the host's network
namespace, hears the same answers.
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

RECORD = "netlink/links.json"
_VF = 1
_SKIP_STATS = 8
# What the kernel sends where a driver does not know: -1 in 32 bits.
_UNSAID = 0xFFFFFFFF
_LINK_STATES = {0: "auto", 1: "enable", 2: "disable"}


@record
class VfPolicy:
    """What a PF's network driver was told of one VF, as rtnetlink answers (RTM_GETLINK)."""

    administered_mac: bool | None
    """Whether an administrator set its MAC address. Null where the driver does not say."""
    vlan: int | None
    """ID of the VLAN that the PF puts its traffic in. Null where none is set, or the driver does not say."""
    trust: bool | None
    """Whether it may change its filters, as to go promiscuous. Null where the driver does not say."""
    spoof_check: bool | None
    """Whether the PF drops what it sends from other addresses than its own. Null where the driver does not say."""
    link_state: str | None
    """auto, enable or disable. Null where the driver does not say."""


def vf_policies(reader: Reader) -> dict[tuple[str, int], VfPolicy]:
    """Policies by name of the PF's link and number of the VF; none, and a Problem, where netlink did not answer."""
    text = reader.recorded(RECORD, collect, anywhere=True)
    if text is None:
        return {}
    import json

    try:
        record_ = json.loads(text)
        return {
            (link["name"], vf["index"]): VfPolicy(**{name: vf[name] for name in _FIELDS})
            for link in record_["links"]
            for vf in link["vfs"]
            if _is_policy(link["name"], vf)
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        reader.malformed(RECORD, "links and their VFs", text)
        return {}


_FIELDS = ("administered_mac", "vlan", "trust", "spoof_check", "link_state")


def _is_policy(name: object, vf: dict[str, object]) -> bool:
    switches = (vf["administered_mac"], vf["trust"], vf["spoof_check"])
    numbers = (vf["index"], vf["vlan"])
    return (
        type(name) is str
        and type(vf["index"]) is int
        and all(value is None or type(value) is int for value in numbers)
        and all(value is None or type(value) is bool for value in switches)
        and vf["link_state"] in (None, *_LINK_STATES.values())
    )


def collect() -> str:
    """The JSON of the live machine; `{"error": ...}` where netlink does not answer (no permission, no such family)."""
    import json

    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute() as socket:
            return json.dumps({"links": policies(socket.link("dump", ext_mask=_VF | _SKIP_STATS))})
    except (OSError, NetlinkError) as error:
        return json.dumps({"error": str(error)})


def policies(messages: Iterable[Any]) -> list[dict[str, Any]]:
    """Links that have VFs, from pyroute2's link messages, by name."""
    found = []
    for message in messages:
        listed = message.get_attr("IFLA_VFINFO_LIST")
        if listed is not None:
            vfs = [_policy(entry) for entry in listed.get_attrs("IFLA_VF_INFO")]
            found.append({"name": message.get_attr("IFLA_IFNAME"), "vfs": vfs})
    return sorted(found, key=lambda link: str(link["name"]))


def _policy(entry: Any) -> dict[str, Any]:
    mac = entry.get_attr("IFLA_VF_MAC")
    vlan = entry.get_attr("IFLA_VF_VLAN")
    state = entry.get_attr("IFLA_VF_LINK_STATE")
    return {
        "index": None if mac is None else mac["vf"],
        # Drivers show zeros until an administrator sets an address.
        "administered_mac": None if mac is None else any(part != "00" for part in mac["mac"].split(":")),
        "vlan": vlan["vlan"] or None if vlan is not None else None,
        "trust": _said(entry.get_attr("IFLA_VF_TRUST"), "trust"),
        "spoof_check": _said(entry.get_attr("IFLA_VF_SPOOFCHK"), "spoofchk"),
        "link_state": None if state is None else _LINK_STATES.get(state["link_state"]),
    }


def _said(attribute: Any, field: str) -> bool | None:
    return None if attribute is None or attribute[field] == _UNSAID else bool(attribute[field])
