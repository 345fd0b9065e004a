"""What SR-IOV makes of a physical function that has virtual ones."""

from __future__ import annotations

from hostagent.assess.node import Node, data, file_of
from hostagent.assess.reasons import Evidence, Why, because
from hostagent.values.pci import PciAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.assess.reasons import Found


def virtual(node: Node) -> Found:
    """Physical functions with VFs, by their number, by the links to them, or by a VF's own word."""
    found = data(node.report.sriov)
    if found is None:
        return
    of: dict[PciAddress, list[PciAddress]] = {}
    for one in found.virtual_functions:
        of.setdefault(one.physical_function, []).append(one.address)
    for physical in found.physical_functions:
        if physical.num_vfs:
            said = Evidence(path=file_of(physical.address, "sriov_numvfs"), said=str(physical.num_vfs))
            yield physical.address, because(Why.VFS, f"{physical.num_vfs} virtual functions stand on it", said)
        elif physical.address not in of and physical.num_vfs is None and physical.total_vfs != 0:
            said = Evidence(path=file_of(physical.address, "sriov_numvfs"), said="not read")
            yield physical.address, because(Why.UNKNOWN, "it is not known whether virtual functions are on it", said)
    counted = {physical.address for physical in found.physical_functions if physical.num_vfs}
    for address, vfs in of.items():
        if address not in counted:
            said = Evidence(path=file_of(vfs[0], "physfn"), said=address)
            yield address, because(Why.VFS, f"{len(vfs)} virtual functions stand on it", said)
