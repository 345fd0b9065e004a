"""permittedHostDevices: which devices KubeVirt offers to virtual machines, and under which resource name.

HyperConverged (`hco.kubevirt.io/v1beta1` spec.permittedHostDevices, `v1` spec.virtualization.permittedHostDevices)
names the pair `pciDeviceSelector`, KubeVirt itself (spec.configuration.permittedHostDevices) `pciVendorSelector`. Neither
looks at what it is given, and a bad entry fails later, in the device plugin or at a VM's start. What is refused here:
selectors that are not vendor:device, names that are no extended resource names, plugin sockets longer than a Unix
address, and pairs of entries that KubeVirt cannot keep apart.
"""

from __future__ import annotations

from hostagent.render import yaml
from hostagent.render.files import RenderError
from hostagent.values.labels import is_name, is_prefix
from hostagent.values.pci import hex_id
from hostagent.values.record import record
from hostagent.values.resource import socket_path, variable

# sun_path of struct sockaddr_un holds 108 bytes, the final zero among them.
SOCKET_LIMIT = 107
HCO_PATHS = {
    "v1beta1": ("spec", "permittedHostDevices"),
    "v1": ("spec", "virtualization", "permittedHostDevices"),
}
KUBEVIRT_PATH = ("spec", "configuration", "permittedHostDevices")
HCO_SELECTOR = "pciDeviceSelector"
KUBEVIRT_SELECTOR = "pciVendorSelector"


@record
class Permitted:
    """A vendor:device pair and the resource its devices are; `external` if another device plugin serves them."""

    selector: str
    resource: str
    external: bool


def checked(entries: tuple[Permitted, ...]) -> tuple[Permitted, ...]:
    """The entries sorted, selectors in upper case (KubeVirt before 0.38 took no other), or RenderError."""
    for number, entry in enumerate(entries):
        place = f"pciHostDevices[{number}]"
        check_selector(f"{place}.selector", entry.selector)
        check_resource(f"{place}.resourceName", entry.resource)
        if not entry.external:
            check_socket(f"{place}.resourceName", entry.resource)
        for earlier in entries[:number]:
            check_apart(place, earlier, entry)
    upper = (
        Permitted(selector=entry.selector.upper(), resource=entry.resource, external=entry.external)
        for entry in entries
    )
    return tuple(sorted(upper, key=lambda entry: (entry.selector, entry.resource)))


def check_selector(place: str, text: str) -> None:
    """Raise RenderError unless `text` is `vvvv:dddd`."""
    parts = text.split(":")
    if len(parts) != 2 or any(hex_id(part, 4) is None or "x" in part.lower() for part in parts):
        expected = "expected vendor:device of four hex digits each, such as 10DE:1EB8"
        raise RenderError(place, f"{text!r}: {expected}; KubeVirt knows no address, class, subsystem or wildcard here")


def check_resource(place: str, text: str) -> None:
    """Raise RenderError unless the kubelet would take `text` as an extended resource."""
    prefix, slash, name = text.partition("/")
    if not slash:
        raise RenderError(place, f"{text!r} has no prefix: expected something like nvidia.com/{text or 'NAME'}")
    # The quota for a resource is named requests.PREFIX/NAME and has to be a name, too.
    if not is_prefix(prefix) or len(f"requests.{prefix}") > 253:
        raise RenderError(place, f"{text!r}: the prefix {prefix!r} is not a lower-case DNS name")
    if not is_name(name):
        expected = "expected 1 to 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends"
        raise RenderError(place, f"{text!r}: the name {name!r} is not one: {expected}")
    if prefix.endswith("kubernetes.io") or prefix.startswith("requests."):
        raise RenderError(place, f"{text!r}: Kubernetes keeps the prefix {prefix!r} for itself")


def check_socket(place: str, resource: str) -> None:
    """Raise RenderError if KubeVirt's device plugin could not bind the socket it makes of this name."""
    path = socket_path(resource)
    if len(path) > SOCKET_LIMIT:
        over = len(path) - SOCKET_LIMIT
        raise RenderError(place, f"{resource!r} is {over} too long: {path} has to fit into {SOCKET_LIMIT} bytes")


def check_apart(place: str, earlier: Permitted, entry: Permitted) -> None:
    """Raise RenderError if KubeVirt takes the two entries, or the names in them, for one."""
    if earlier.selector.lower() == entry.selector.lower():
        if earlier.selector != entry.selector:
            raise RenderError(place, f"{entry.selector} and {earlier.selector} are one selector, whatever their case")
        if earlier.resource != entry.resource:
            raise RenderError(place, f"{entry.selector} is given to {earlier.resource} and to {entry.resource}")
        raise RenderError(place, f"{entry.selector} as {entry.resource} is listed twice")
    if earlier.resource == entry.resource:
        if earlier.external != entry.external:
            raise RenderError(place, f"{entry.resource} cannot be served by KubeVirt and by another plugin at once")
        return
    if variable(earlier.resource) == variable(entry.resource):
        both = f"{earlier.resource} and {entry.resource}"
        raise RenderError(place, f"{both} both become {variable(entry.resource)} in the VM's pod; rename one")
    if socket_path(earlier.resource) == socket_path(entry.resource):
        both = f"{earlier.resource} and {entry.resource}"
        raise RenderError(place, f"{both} both become the socket {socket_path(entry.resource)}; rename one")


def item(entry: Permitted, selector: str) -> dict[str, yaml.Value]:
    """One entry of `pciHostDevices`, its selector under the key that the resource's kind uses."""
    written: dict[str, yaml.Value] = {selector: entry.selector, "resourceName": entry.resource}
    return written | {"externalResourceProvider": True} if entry.external else written


def hyperconverged(entries: tuple[Permitted, ...], *, version: str, namespace: str) -> str:
    """The HyperConverged resource with exactly these PCI devices; `version` is v1beta1 or v1."""
    if version not in HCO_PATHS:
        raise RenderError("hyperconverged", f"version {version!r}: expected {' or '.join(HCO_PATHS)}")
    head = {"apiVersion": f"hco.kubevirt.io/{version}", "kind": "HyperConverged"}
    return _resource(head, "kubevirt-hyperconverged", namespace, _nested(HCO_PATHS[version], entries, HCO_SELECTOR))


def kubevirt(entries: tuple[Permitted, ...], *, namespace: str) -> str:
    """The KubeVirt resource with exactly these PCI devices, for clusters without HyperConverged."""
    head = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt"}
    note = "# KubeVirt heeds this with HostDevices among spec.configuration.developerConfiguration.featureGates.\n"
    return note + _resource(head, "kubevirt", namespace, _nested(KUBEVIRT_PATH, entries, KUBEVIRT_SELECTOR))


def vm_host_devices(resources: tuple[str, ...]) -> str:
    """The part of a VirtualMachine that asks for one device of each resource given; a name may come twice."""
    devices: list[yaml.Value] = []
    for number, resource in enumerate(resources):
        check_resource(f"hostDevices[{number}].deviceName", resource)
        name = resource.partition("/")[2].lower().replace("_", "-").replace(".", "-")
        devices.append({"deviceName": resource, "name": f"{name}-{number + 1}"})
    wrapped: yaml.Value = {"devices": {"hostDevices": devices}}
    return yaml.emit({"spec": {"template": {"spec": {"domain": wrapped}}}}, sort=False)


def _nested(path: tuple[str, ...], entries: tuple[Permitted, ...], selector: str) -> dict[str, yaml.Value]:
    inner: yaml.Value = [item(entry, selector) for entry in checked(entries)]
    for key in ("pciHostDevices", *path[:0:-1]):
        inner = {key: inner}
    return {path[0]: inner}


def _resource(head: dict[str, str], name: str, namespace: str, spec: dict[str, yaml.Value]) -> str:
    metadata: dict[str, yaml.Value] = {"metadata": {"name": name, "namespace": namespace}}
    return yaml.emit(head | metadata | spec, sort=False)
