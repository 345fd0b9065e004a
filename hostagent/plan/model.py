"""The plan: what the nodes given are to become. Facts for advice and renderers, no text of any file.

Everything is in a fixed order (nodes by name, functions by address, IDs and modules by name), so equal reports and profiles
make equal plans, in whatever order they were given. Page sizes are bytes, time spans seconds, IDs lower-case hex.
A plan with refusals or unmatched entries is not to be rendered: `ready` says so.
"""

from __future__ import annotations

from hostagent.assess.reasons import Reason
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

# How a function gets to vfio-pci.
IDS = "ids"  # its ID is among vfio-pci's ids: every function that has it, on every node, is to be taken
UNIT = "unit"  # a unit at boot takes the one address, after looking whose it is
METHODS = (IDS, UNIT)

# Where vfio-pci hears of its ids.
MODPROBE = "modprobe"  # options in modprobe.d
KERNEL_ARGUMENT = "kernel-argument"  # vfio-pci.ids=: modprobe.d is not read by a built-in driver

# When a pool is filled.
BOOT = "boot"  # by kernel arguments
RUN = "run"  # by a unit, on its NUMA node

# Topics of kernel arguments.
IOMMU, VFIO, HUGEPAGES, KVM = "iommu", "vfio", "hugepages", "kvm"


@record
class Protected:
    """A function that must never be taken, with every reason there is."""

    node: str
    address: PciAddress
    reasons: tuple[Reason, ...]


@record
class Refusal:
    """Something the profile asks for that is not done on a node. `entry`: its place in the profile.

    `address`: the function asked for, None where it is about a pool, the watchdog or a count.
    """

    node: str
    entry: str
    address: PciAddress | None
    reason: Reason


@record
class Unmatched:
    """An entry of the profile that names something no node has."""

    entry: str
    expected: str


@record
class Note:
    """What the reader of the plan should know, and nothing that stops it. `node` None: about all of them."""

    code: str
    node: str | None
    subject: str
    text: str


@record
class Binding:
    """A function that is to be on vfio-pci. `driver`: what it has now.

    `method`: one of METHODS, `why` it was chosen. `early`: whether the platform's early user space binds it to its host driver
    before any file of this host is read. `entry`: the profile's place that asks for it; None for a companion,
    which is only taken because it shares an IOMMU group. `twins`: functions of this node with the same ID that stay.
    """

    node: str
    address: PciAddress
    vendor_id: str
    device_id: str
    subsystem_vendor_id: str | None
    subsystem_device_id: str | None
    class_id: str
    iommu_group: int | None
    driver: str | None
    method: str
    why: str
    early: bool
    entry: str | None
    resource_name: str | None
    twins: tuple[PciAddress, ...]


@record
class Identity:
    """What has to be at an address before a unit takes it.

    `path`: where on the bus, in numbers that do not move (hostagent.assess.topology); None where it is not known.
    """

    vendor_id: str
    device_id: str
    subsystem_vendor_id: str | None
    subsystem_device_id: str | None
    path: str | None


@record
class AddressUnit:
    """One unit: takes `address` if one of `identities` is there. `nodes`: those where it does.

    `disk`: whether disks may be on it, whose mounts the unit waits for.
    """

    address: PciAddress
    identities: tuple[Identity, ...]
    nodes: tuple[str, ...]
    disk: bool


@record
class Softdep:
    """`softdep <module> pre: vfio-pci`: a module that would take one of the IDs first."""

    module: str
    why: str


@record
class VfioPlan:
    """Everything about binding. `ids`: for vfio-pci's ids, `10de:1eb8` or `8086:1521:15d9:1521`, given through `channel`.

    `built_in`: whether vfio-pci is built into the kernel of any node.
    """

    channel: str
    built_in: bool
    ids: tuple[str, ...]
    units: tuple[AddressUnit, ...]
    softdeps: tuple[Softdep, ...]


@record
class KernelArgument:
    """One item of the kernel command line: `words` stay together and in order (`hugepagesz=1G`, `hugepages=16`)."""

    words: tuple[str, ...]
    topic: str
    why: str


@record
class PoolPlan:
    """Pages of one size; `numa_node` None: spread by the kernel. `when`: BOOT or RUN."""

    page_size: int
    numa_node: int | None
    pages: int
    when: str


@record
class WatchdogPlan:
    """Who keeps which watchdog. `keeper`: systemd or watchdog. `module`: to be loaded, None where hardware asks for it."""

    device: str
    runtime_timeout: int
    reboot_timeout: int
    module: str | None
    keeper: str


@record
class ModuleOption:
    """`options <module> <name>=<value>` of modprobe.d."""

    module: str
    name: str
    value: str
    why: str


@record
class PermittedDevice:
    """What KubeVirt is to offer: `selector` is vendor:device. `external`: another plugin hands it out."""

    selector: str
    resource_name: str
    external: bool


@record
class Initramfs:
    """`kind`: GENERIC, DRACUT or INITRAMFS_TOOLS. `modules`: what has to be put in; empty where nothing has, or can, be."""

    kind: str
    modules: tuple[str, ...]


@record
class PlatformPlan:
    """What is rendered for, from the profile. `role` None but on openshift."""

    name: str
    version: str | None
    role: str | None


@record
class UnsafeNode:
    """A node on which this configuration would do harm, or not what was asked."""

    node: str
    reasons: tuple[Reason, ...]


@record
class RoleProposal:
    """Nodes with the same hardware, to be given a role of their own; `ready`: the profile can be done on all of them."""

    name: str
    nodes: tuple[str, ...]
    hardware: tuple[str, ...]
    ready: bool


@record
class Fleet:
    """Whether one configuration fits all nodes: `unsafe` is empty then. `roles`: a proposal where it does not."""

    unsafe: tuple[UnsafeNode, ...]
    roles: tuple[RoleProposal, ...]


@record
class Plan:
    """The target state of all nodes given.

    `kernel_arguments` in the order they are to be given; `remove_arguments`: words on the nodes' command lines that undo
    them. `modules_load`: for modules-load.d.
    """

    platform: PlatformPlan
    nodes: tuple[str, ...]
    kernel_arguments: tuple[KernelArgument, ...]
    remove_arguments: tuple[str, ...]
    bindings: tuple[Binding, ...]
    vfio: VfioPlan
    modules_load: tuple[str, ...]
    module_options: tuple[ModuleOption, ...]
    initramfs: Initramfs
    default_page_size: int | None
    pools: tuple[PoolPlan, ...]
    watchdog: WatchdogPlan | None
    permitted: tuple[PermittedDevice, ...]
    protected: tuple[Protected, ...]
    refused: tuple[Refusal, ...]
    unmatched: tuple[Unmatched, ...]
    notes: tuple[Note, ...]
    fleet: Fleet


def ready(plan: Plan) -> bool:
    """Whether the plan does everything that was asked, on every node."""
    return not plan.refused and not plan.unmatched
