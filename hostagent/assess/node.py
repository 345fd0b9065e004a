"""One report as planning looks at it: its functions by address, ID and group, and facts with what to believe without them."""

from __future__ import annotations

from hostagent.assess.reasons import Evidence
from hostagent.assess.topology import Topology
from hostagent.host.groups import NOIOMMU, IommuGroup
from hostagent.host.modules import BUILT_IN
from hostagent.host.pci import DEVICES, PciFunction
from hostagent.report import NodeReport, problems
from hostagent.values.pci import PciAddress
from hostagent.values.vfio import lets_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from hostagent.area import Probed
    from hostagent.assess.model import Assessment
    from hostagent.assess.reasons import Reason

    T = TypeVar("T")

INTEL, AMD, ARM = "intel", "amd", "arm"
_CPU_VENDORS = {"GenuineIntel": INTEL, "AuthenticAMD": AMD, "HygonGenuine": AMD}
_BRIDGE = "06"


def data(probed: Probed[T] | None) -> T | None:
    """What an area found; None where it was not asked for or failed."""
    return None if probed is None else probed.data


class Node:
    """A named report. `groups` leaves out those that vfio made up for devices without an IOMMU."""

    def __init__(self, name: str, report: NodeReport) -> None:
        self.name = name
        self.report = report
        pci, iommu = data(report.pci), data(report.iommu)
        self.functions: tuple[PciFunction, ...] = () if pci is None else pci.functions
        self.at: dict[PciAddress, PciFunction] = {function.address: function for function in self.functions}
        listed = () if iommu is None else iommu.groups
        unsafe = {group.number for group in listed if group.name == NOIOMMU}
        self.groups: dict[int, IommuGroup] = {group.number: group for group in listed if group.number not in unsafe}
        # A function whose own link is not there is a member all the same of the group that lists it.
        self._group_of = {address: group.number for group in self.groups.values() for address in group.members}
        self._members: dict[int, list[PciFunction]] = {}
        for function in self.functions:
            if function.iommu_group is not None and function.iommu_group not in unsafe:
                self._group_of[function.address] = function.iommu_group
            number = self._group_of.get(function.address)
            if number is not None:
                self._members.setdefault(number, []).append(function)
        sriov = data(report.sriov)
        virtual = frozenset(one.address for one in sriov.virtual_functions) if sriov is not None else frozenset()
        self.topology = Topology(pci, virtual)
        self._expected: dict[str, list[PciFunction]] = {}
        for function in self.functions:
            if function.address not in self._group_of:
                self._expected.setdefault(self.topology.expected_group(function.address), []).append(function)
        self._troubled = frozenset(problem.path for _, problem in problems(report))
        # Conclusions, made once and where somebody asks: by hostagent.assess.protected and hostagent.assess.assessing.
        self.stays: dict[PciAddress, tuple[Reason, ...]] | None = None
        self.assessment: Assessment | None = None

    @property
    def unread(self) -> bool:
        """Whether it may have functions nobody could read, with any ID."""
        pci = self.report.pci
        return pci is None or pci.data is None or any(_is_function(problem.path) for problem in pci.problems)

    def troubled(self, path: str) -> bool:
        """Whether a file was there and could not be read, or did not say what it has to."""
        return path in self._troubled

    def drives(self, function: PciFunction) -> bool:
        """Whether a driver of the host uses a function; one whose link cannot be read is taken to be one."""
        if function.driver is None:
            return any(self.troubled(file_of(function.address, name)) for name in ("driver", "uevent"))
        return not lets_go(function.driver)

    def has_built_in(self, module: str) -> bool:
        """Whether a module is known to be built into its kernel."""
        kernel = data(self.report.kernel)
        return kernel is not None and any(found.name == module and found.state == BUILT_IN for found in kernel.modules)

    def command_line(self) -> tuple[str, ...]:
        """The words it was booted with; none where nobody knows."""
        kernel = data(self.report.kernel)
        return () if kernel is None else kernel.command_line or ()

    def cpu_vendor(self) -> str | None:
        """INTEL, AMD or ARM, whose KVM module and whose IOMMU go with the CPU; None for others."""
        cpu = data(self.report.cpu)
        if cpu is None or cpu.architecture == "aarch64":
            return None if cpu is None else ARM
        return _CPU_VENDORS.get(cpu.vendor or "")

    def iommu_vendor(self) -> str | None:
        """Whose IOMMU it is: what firmware describes or the kernel drives, else what goes with the CPU."""
        iommu = data(self.report.iommu)
        named = None if iommu is None else iommu.vendor
        return named if named in (INTEL, AMD, ARM) else self.cpu_vendor()

    def group(self, function: PciFunction) -> int | None:
        """The number of its IOMMU group, None where nothing translates for it."""
        return self._group_of.get(function.address)

    def members(self, number: int) -> tuple[PciAddress, ...]:
        """Addresses the kernel lists in a group, whether their functions could be read or not."""
        return self.groups[number].members if number in self.groups else ()

    def companions(self, function: PciFunction) -> tuple[PciFunction, ...]:
        """The other functions of its group, bridges too."""
        number = self.group(function)
        members = () if number is None else self._members[number]
        return tuple(member for member in members if member.address != function.address)

    def expected(self, function: PciFunction) -> tuple[PciFunction, ...]:
        """The other functions, bridges too, that its group is expected to have once an IOMMU translates for it."""
        members = self._expected.get(self.topology.expected_group(function.address), ())
        return tuple(member for member in members if member.address != function.address)

    def along(self, function: PciFunction) -> tuple[PciFunction, ...]:
        """What goes where a function goes: the others of its group, or of the one to be expected, without bridges."""
        found = self.companions(function) if self.group(function) is not None else self.expected(function)
        return tuple(other for other in found if not is_bridge(other))


def _is_function(path: str) -> bool:
    head, _, last = path.rpartition("/")
    return head == DEVICES and PciAddress.parse(last) is not None


def pci_id(function: PciFunction) -> str:
    """`10de:1eb8`."""
    return f"{function.vendor_id}:{function.device_id}"


def subsystem(function: PciFunction) -> str | None:
    """`10de:12a2`, None where the host does not say."""
    if function.subsystem_vendor_id is None or function.subsystem_device_id is None:
        return None
    return f"{function.subsystem_vendor_id}:{function.subsystem_device_id}"


def is_bridge(function: PciFunction) -> bool:
    """Whether it is of the class that is never given away and keeps no group."""
    return function.class_id.startswith(_BRIDGE)


def file_of(address: PciAddress, name: str) -> str:
    """The path of one of its attributes."""
    return f"{DEVICES}/{address}/{name}"


def class_said(function: PciFunction) -> Evidence:
    """Its class as uevent gives it: hex, upper case, not padded."""
    return Evidence(path=file_of(function.address, "uevent"), said=f"PCI_CLASS={int(function.class_id, 16):X}")


def id_said(function: PciFunction) -> Evidence:
    """Its ID as uevent gives it."""
    return Evidence(path=file_of(function.address, "uevent"), said=f"PCI_ID={pci_id(function).upper()}")


def driver_said(function: PciFunction) -> Evidence:
    """Its driver."""
    return Evidence(path=file_of(function.address, "driver"), said=function.driver or "no such link")
