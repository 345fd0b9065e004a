"""Files of the kubelet, and what of them is read, reported and captured: nothing but policies.

    var/lib/kubelet/cpu_manager_state     {"policyName":"static","defaultCpuSet":"0-1,8-9","entries":{...},"checksum":1}
    var/lib/kubelet/memory_manager_state  {"policyName":"Static","machineState":{...},"entries":{...},"checksum":1}
    var/lib/kubelet/config.yaml           KubeletConfiguration of kubeadm
    etc/kubernetes/kubelet.conf           KubeletConfiguration of OpenShift; a kubeconfig with keys on kubeadm nodes
    etc/kubernetes/kubelet.conf.d/*.conf  drop-ins, in order of their names (kubelet --config-dir)
    var/lib/kubelet/device-plugins/       a socket for each plugin

Of a configuration file the lines with `WANTED` keys are looked at, of a state file two members. A capture holds no more
(`kept_lines`, `kept_state`): state files name pods, and a kubeconfig holds keys.
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.values.blanks import lines, stripped
from hostagent.values.record import record

HOME = "var/lib/kubelet"
CONFIGS = ("etc/kubernetes/kubelet.conf", f"{HOME}/config.yaml")
DROP_INS = ("etc/kubernetes/kubelet.conf.d", "etc/openshift/kubelet.conf.d")
STATES = (f"{HOME}/cpu_manager_state", f"{HOME}/memory_manager_state")
WANTED = (
    "cpuManagerPolicy",
    "topologyManagerPolicy",
    "topologyManagerScope",
    "memoryManagerPolicy",
    "reservedSystemCPUs",
    "failSwapOn",
)
_MEMBERS = ("policyName", "defaultCpuSet")


@record
class KubeletSetting:
    """One setting of a configuration file."""

    name: str
    """cpuManagerPolicy, topologyManagerPolicy, topologyManagerScope, memoryManagerPolicy, reservedSystemCPUs or
    failSwapOn."""
    value: str
    """Its value as written."""
    source: str
    """The file that says so, relative to the root."""


def settings(reader: Reader) -> tuple[KubeletSetting, ...]:
    """Settings of WANTED in the order they apply."""
    paths = list(CONFIGS)
    for directory in DROP_INS:
        paths += [f"{directory}/{name}" for name in reader.names(directory) if name.endswith(".conf")]
    return tuple(
        KubeletSetting(name=name, value=value, source=path)
        for path in paths
        for name, value in _assignments(reader.text(path) or "")
    )


def _assignments(text: str) -> list[tuple[str, str]]:
    """(key, scalar) of a YAML document, or of a JSON one with a key a line; comments and quotes go."""
    found = []
    for line in lines(text):
        key, colon, rest = stripped(line).rstrip(",").partition(":")
        name = stripped(key).strip('"')
        value = stripped(rest.partition(" #")[0]).strip("\"'")
        if colon and name in WANTED and value:
            found.append((name, value))
    return found


def kept_lines(text: str) -> str:
    """What a capture keeps of a configuration file."""
    return "".join(f"{name}: {value}\n" for name, value in _assignments(text))


def manager_state(reader: Reader, path: str) -> dict[str, str]:
    """The members of a state file that count; empty where it is absent or not one."""
    text = reader.text(path)
    if text is None:
        return {}
    members = _members(text)
    if members is None:
        # A capture keeps nothing of it, and has to say the same.
        reader.malformed(path, "the state of a resource manager", "another text")
        return {}
    return members


def _members(text: str) -> dict[str, str] | None:
    import json

    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(state, dict) or not isinstance(state.get("policyName"), str):
        return None
    return {name: value for name in _MEMBERS if isinstance(value := state.get(name), str)}


def kept_state(text: str) -> str:
    """What a capture keeps of a state file."""
    import json

    members = _members(text)
    return "" if members is None else json.dumps(members) + "\n"


def listed(reader: Reader, path: str) -> tuple[str, ...] | None:
    """The names in a directory; None where it is not there, or not shown to us (a Problem then)."""
    found = reader.names(path)
    return found if found or isinstance(reader.host.ask("names", path), (list, tuple)) else None
