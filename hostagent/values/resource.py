"""Names of host device resources, as Kubernetes, the kubelet and KubeVirt will take them.

Nobody else checks them: HyperConverged and KubeVirt accept any text, and fail later. The rules, each with who holds it:

- a qualified name with a prefix: `nvidia.com/TU104GL_Tesla_T4` (apimachinery, IsQualifiedName; the KubeVirt device manager)
- not in a `kubernetes.io/` domain, and no `requests.` in front: it would be no extended resource (IsExtendedResourceName)
- the socket of its device plugin, /var/lib/kubelet/device-plugins/kubevirt-<name>.sock, fits sun_path (108 bytes with its NUL)
- no second name with the same PCI_RESOURCE_<NAME> variable, which is upper case with `/` and `.` as `_`
"""

from __future__ import annotations

from hostagent.values.labels import is_name, is_prefix

SOCKET_LIMIT = 108
_SOCKET = "/var/lib/kubelet/device-plugins/kubevirt-{}.sock"


def resource_name_fault(name: str) -> str | None:
    """What is wrong with a resource name, said as what was expected; None where nothing is."""
    prefix, slash, own = name.partition("/")
    if not slash:
        return "expected a prefix, as in nvidia.com/TU104GL_Tesla_T4"
    if not is_prefix(prefix) or prefix.startswith("requests."):
        return f"expected a lower-case DNS name before the slash, as in nvidia.com/..., not {prefix!r}"
    if prefix == "kubernetes.io" or prefix.endswith(".kubernetes.io"):
        return "expected a domain outside kubernetes.io, which holds no extended resources"
    if not is_name(own):
        return (
            "expected at most 63 of A-Z a-z 0-9 - _ . after the slash, with a letter or digit at both ends, "
            f"not {own!r}"
        )
    length = len(socket_path(name))
    if length >= SOCKET_LIMIT:
        return (
            f"expected at most {SOCKET_LIMIT - 1 - len(_SOCKET.format(''))} letters: "
            f"its device plugin's socket path has {length} bytes and must have fewer than {SOCKET_LIMIT}"
        )
    return None


def socket_path(name: str) -> str:
    """Where KubeVirt's device plugin for this resource listens."""
    return _SOCKET.format(name.replace("/", "-"))


def variable(name: str) -> str:
    """The variable that tells virt-launcher the addresses: two names that share it are one to a guest."""
    return "PCI_RESOURCE_" + name.upper().replace("/", "_").replace(".", "_")
