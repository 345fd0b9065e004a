"""What SR-IOV makes of its functions: PFs with VFs, and VFs in use by pods."""

from __future__ import annotations

from hostagent.plan.model import Evidence
from hostagent.plan.node import Node, data, driver_said, file_of
from hostagent.plan.protected.codes import NAMESPACE, VFS, because
from hostagent.values.pci import in_classes
from hostagent.values.vfio import lets_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.plan.protected.codes import Found

_NETWORK_CLASSES = ("02",)


def virtual(node: Node) -> Found:
    found, links = data(node.report.sriov), data(node.report.network)
    if found is None:
        return
    for physical in found.physical_functions:
        if physical.num_vfs:
            said = Evidence(path=file_of(physical.address, "sriov_numvfs"), said=str(physical.num_vfs))
            yield physical.address, because(VFS, f"{physical.num_vfs} virtual functions stand on it", said)
    here = {link.function for link in links.links} if links is not None else set()
    for virtual in found.virtual_functions:
        function = node.at.get(virtual.address)
        if function is None or function.driver is None or not in_classes(function.class_id, _NETWORK_CLASSES):
            continue
        if links is not None and virtual.address not in here and not lets_go(function.driver):
            text = "its network interface is in another network namespace: a pod uses it"
            said = Evidence(path=file_of(virtual.address, "net"), said="no link of this namespace")
            yield virtual.address, because(NAMESPACE, text, driver_said(function), said)
