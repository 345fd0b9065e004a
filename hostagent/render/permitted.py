"""permittedHostDevices: which devices KubeVirt offers to virtual machines, and under which resource name.

What KubeVirt would fail at later is refused here, by the rules of `hostagent.values.kubevirt`: selectors that are none, names
that are no extended resource names, sockets longer than a Unix address, and pairs of entries that KubeVirt cannot keep apart.
"""

from __future__ import annotations

from hostagent.render import yaml
from hostagent.render.files import RenderError
from hostagent.values.kubevirt import (
    HYPERCONVERGED,
    KUBEVIRT,
    PCI_LIST,
    PERMITTED,
    clash,
    resource_name_fault,
    selector_fault,
    socket_fault,
)
from hostagent.values.record import record


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
        _refuse(f"{place}.selector", entry.selector, selector_fault(entry.selector))
        _refuse(f"{place}.resourceName", entry.resource, resource_name_fault(entry.resource))
        if not entry.external:
            _refuse(f"{place}.resourceName", entry.resource, socket_fault(entry.resource))
        for earlier in entries[:number]:
            check_apart(place, earlier, entry)
    upper = (
        Permitted(selector=entry.selector.upper(), resource=entry.resource, external=entry.external)
        for entry in entries
    )
    return tuple(sorted(upper, key=lambda entry: (entry.selector, entry.resource)))


def _refuse(place: str, text: str, fault: str | None) -> None:
    if fault is not None:
        raise RenderError(place, f"{text!r}: {fault}")


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
    why = clash(earlier.resource, entry.resource)
    if why is not None:
        raise RenderError(place, f"{earlier.resource} and {entry.resource}: {why}")


def item(entry: Permitted, selector: str) -> dict[str, yaml.Value]:
    """One entry of `pciHostDevices`, its selector under the key that the resource's kind uses."""
    written: dict[str, yaml.Value] = {selector: entry.selector, "resourceName": entry.resource}
    return written | {"externalResourceProvider": True} if entry.external else written


def hyperconverged(entries: tuple[Permitted, ...], *, version: str, namespace: str) -> str:
    """The HyperConverged resource with exactly these PCI devices; `version` is v1beta1 or v1."""
    kind = (f"hco.kubevirt.io/{version}", HYPERCONVERGED)
    if kind not in PERMITTED:
        known = [api.rpartition("/")[2] for api, name in PERMITTED if name == HYPERCONVERGED]
        raise RenderError("hyperconverged", f"version {version!r}: expected {' or '.join(known)}")
    return _resource(kind, "kubevirt-hyperconverged", namespace, entries)


def kubevirt(entries: tuple[Permitted, ...], *, namespace: str) -> str:
    """The KubeVirt resource with exactly these PCI devices, for clusters without HyperConverged."""
    note = "# KubeVirt heeds this with HostDevices among spec.configuration.developerConfiguration.featureGates.\n"
    return note + _resource(("kubevirt.io/v1", KUBEVIRT), "kubevirt", namespace, entries)


def vm_host_devices(resources: tuple[str, ...]) -> str:
    """The part of a VirtualMachine that asks for one device of each resource given; a name may come twice."""
    devices: list[yaml.Value] = []
    for number, resource in enumerate(resources):
        _refuse(f"hostDevices[{number}].deviceName", resource, resource_name_fault(resource))
        name = resource.partition("/")[2].lower().replace("_", "-").replace(".", "-")
        devices.append({"deviceName": resource, "name": f"{name}-{number + 1}"})
    wrapped: yaml.Value = {"devices": {"hostDevices": devices}}
    return yaml.emit({"spec": {"template": {"spec": {"domain": wrapped}}}}, sort=False)


def _resource(kind: tuple[str, str], name: str, namespace: str, entries: tuple[Permitted, ...]) -> str:
    path, selector = PERMITTED[kind]
    inner: yaml.Value = [item(entry, selector) for entry in checked(entries)]
    for key in (PCI_LIST, *reversed(path)):
        inner = {key: inner}
    assert isinstance(inner, dict)
    head: dict[str, yaml.Value] = {"apiVersion": kind[0], "kind": kind[1]}
    metadata: dict[str, yaml.Value] = {"metadata": {"name": name, "namespace": namespace}}
    return yaml.emit(head | metadata | inner, sort=False)
