"""KubeVirt's words for host devices: where they are permitted, selectors, resource names, and what is made of a name.

    spec.permittedHostDevices                    hco.kubevirt.io/v1beta1, HyperConverged    pciDeviceSelector
    spec.virtualization.permittedHostDevices     hco.kubevirt.io/v1, HyperConverged         pciDeviceSelector
    spec.configuration.permittedHostDevices      kubevirt.io/v1, KubeVirt                   pciVendorSelector

Nobody else checks names and selectors: HyperConverged and KubeVirt accept any text, and fail later. The rules, each with who
holds it:

- a qualified name with a prefix: `nvidia.com/TU104GL_Tesla_T4` (apimachinery, IsQualifiedName; the KubeVirt device manager)
- an extended resource (component-helpers, IsExtendedResourceName): `kubernetes.io/` nowhere in it, no `requests.` in front, and
  still a qualified name with `requests.` in front, as the quota for it is named
- the socket of KubeVirt's device plugin, /var/lib/kubelet/device-plugins/kubevirt-<name>.sock, fits sun_path: 107 bytes and a NUL
- no second name with the same PCI_RESOURCE_<NAME> variable, which is upper case with `/` and `.` as `_`
"""

from __future__ import annotations

from hostagent.values.labels import is_name, is_prefix
from hostagent.values.pci import hex_id

HYPERCONVERGED, KUBEVIRT = "HyperConverged", "KubeVirt"
HCO_SELECTOR, KUBEVIRT_SELECTOR = "pciDeviceSelector", "pciVendorSelector"
# (apiVersion, kind) -> where permittedHostDevices stand, and the key of a selector in them.
PERMITTED = {
    ("hco.kubevirt.io/v1beta1", HYPERCONVERGED): (("spec", "permittedHostDevices"), HCO_SELECTOR),
    ("hco.kubevirt.io/v1", HYPERCONVERGED): (("spec", "virtualization", "permittedHostDevices"), HCO_SELECTOR),
    ("kubevirt.io/v1", KUBEVIRT): (("spec", "configuration", "permittedHostDevices"), KUBEVIRT_SELECTOR),
    ("kubevirt.io/v1alpha3", KUBEVIRT): (("spec", "configuration", "permittedHostDevices"), KUBEVIRT_SELECTOR),
}
PCI_LIST = "pciHostDevices"
# sun_path of struct sockaddr_un holds 108 bytes, the final NUL among them.
SOCKET_LIMIT = 107
_PREFIX_LIMIT = 253
_SOCKET = "/var/lib/kubelet/device-plugins/kubevirt-{}.sock"


def selector_fault(text: str) -> str | None:
    """What is wrong with a selector; None where KubeVirt can find devices by it. It knows no address, subsystem or wildcard."""
    vendor, _, device = text.partition(":")
    if any(hex_id(part, 4) is None or "x" in part.lower() for part in (vendor, device)):
        return f"expected vendor:device of four hex digits each, as in 10DE:1EB8, not {text!r}"
    return None


def resource_name_fault(name: str) -> str | None:
    """What is wrong with a resource name, said as what was expected; None where nothing is."""
    prefix, slash, own = name.partition("/")
    if not slash:
        return "expected a prefix, as in nvidia.com/TU104GL_Tesla_T4"
    if not is_prefix(prefix) or prefix.startswith("requests."):
        return f"expected a lower-case DNS name before the slash, as in nvidia.com/..., not {prefix!r}"
    if len(f"requests.{prefix}") > _PREFIX_LIMIT:
        most = _PREFIX_LIMIT - len("requests.")
        return f"expected at most {most} characters before the slash: with requests. in front it names the quota"
    if "kubernetes.io/" in name:
        return "expected a name without kubernetes.io/ in it: Kubernetes takes that for a resource of its own"
    if not is_name(own):
        return (
            "expected at most 63 of A-Z a-z 0-9 - _ . after the slash, with a letter or digit at both ends, "
            f"not {own!r}"
        )
    return None


def socket_fault(name: str) -> str | None:
    """Why KubeVirt's device plugin could not listen for a resource; None where it can. Other providers have their own sockets."""
    path = socket_path(name)
    if len(path) <= SOCKET_LIMIT:
        return None
    most = SOCKET_LIMIT - len(_SOCKET.format(""))
    return f"expected at most {most} characters: {path} is {len(path)} bytes long, and a socket's path at most {SOCKET_LIMIT}"


def clash(name: str, other: str) -> str | None:
    """Why two resource names are one to a guest or to the kubelet; None where they are not."""
    if variable(name) == variable(other):
        return f"both are {variable(name)} to a guest: expected them to differ in more than case, / and ."
    if socket_path(name) == socket_path(other):
        return f"both are the socket {socket_path(name)} to the kubelet"
    return None


def socket_path(name: str) -> str:
    """Where KubeVirt's device plugin for this resource listens."""
    return _SOCKET.format(name.replace("/", "-"))


def variable(name: str) -> str:
    """The variable that tells virt-launcher the addresses: two names that share it are one to a guest."""
    return "PCI_RESOURCE_" + name.upper().replace("/", "_").replace(".", "_")
