"""NICs whose network interface is not to be seen: it is in another network namespace, and a pod or a service uses it."""

from __future__ import annotations

from hostagent.assess.node import Node, data, driver_said, file_of
from hostagent.assess.reasons import Evidence, Why, because
from hostagent.host.routes import NET
from hostagent.values.pci import in_classes
from hostagent.values.vfio import for_user_space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.assess.reasons import Found

_NETWORK, _ETHERNET = ("02",), ("0200",)


def namespaces(node: Node) -> Found:
    """Network controllers with a driver of the host and without a link here.

    Those that are not Ethernet may have none at all, as InfiniBand without IPoIB: which it is nobody can tell from here.
    """
    links, sriov = data(node.report.network), data(node.report.sriov)
    if links is None:
        return
    here = {link.function for link in links.links}
    virtual = {one.address for one in sriov.virtual_functions} if sriov is not None else set()
    for function in node.functions:
        if not in_classes(function.class_id, _NETWORK) or function.address in here:
            continue
        if function.driver is None or for_user_space(function.driver):
            continue
        # Where no route is known, it is suspected as every other NIC is.
        if not links.routes_known and function.address not in virtual:
            continue
        text = "its network interface is in another network namespace: a pod uses it"
        if not in_classes(function.class_id, _ETHERNET):
            text = "its network interface is not here: it has none, or one in another network namespace that a pod uses"
        said = Evidence(path=file_of(function.address, "net"), said=f"no link of this namespace in {NET}")
        yield function.address, because(Why.NAMESPACE, text, driver_said(function), said)
