"""KVM: whether this host can run guests, nested ones and confidential ones, and with which device nodes.

    /sys/class/misc/{kvm,tun,vhost-net,vhost-vsock,sev}     the driver is in the kernel and registered its node
    /dev/kvm, /dev/net/tun, /dev/vhost-net ...              the node is there; it may be a static one that loads the module
                                                            when it is opened. Looked for, never opened
    /dev/{null,kmsg}                                        only the first: a /dev that a container or PrivateDevices=
                                                            made, which says nothing of the host's
    /lib/modules/<release>/modules.devname                  static nodes of the host, where its /dev cannot be seen
    /sys/module/kvm_intel/parameters/{nested,tdx}           Y or N
    /sys/module/kvm_amd/parameters/{nested,sev,sev_es,sev_snp}   1 or 0, later Y or N

Documentation/virt/kvm/x86/nested-vmx.rst, amd-memory-encryption.rst, Documentation/arch/x86/tdx.rst.
"""

from __future__ import annotations

from hostagent.area import Area, LabelDoc, LabelOptions, Metric, Sample, nothing_unseen, truth
from hostagent.host import Reader
from hostagent.host.modules import state, static_nodes, switch
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MISC = "sys/class/misc"
# x86 by vendor, then s390, where kvm itself has the switch, and POWER.
_NESTED = ("kvm_intel", "kvm_amd", "kvm", "kvm_hv")


@record
class Kvm:
    """Module states are built-in, loaded, available, absent; None where the root does not say.

    `available`: the kernel runs guests with hardware help now (kvm_intel, kvm_amd or their like registered /dev/kvm).
    Switches of the modules are as they took effect; None where there is none. `*_node`: device node or its registration;
    None where another /dev stands before the host's.
    """

    available: bool
    kvm: str | None
    kvm_intel: str | None
    kvm_amd: str | None
    nested: bool | None
    sev: bool | None
    sev_es: bool | None
    sev_snp: bool | None
    tdx: bool | None
    kvm_node: bool | None
    tun_node: bool | None
    vhost_net_node: bool | None
    vhost_vsock_node: bool | None
    sev_node: bool | None


def probe(reader: Reader) -> Kvm:
    """Modules, their switches, and nodes."""
    registered = reader.names(_MISC)
    nested = (switch(reader, module, "nested") for module in _NESTED)
    return Kvm(
        # /dev/kvm may be a static node of a module this CPU refuses; what is registered tells, where it can be seen.
        available="kvm" in registered if registered else reader.exists("dev/kvm"),
        kvm=state(reader, "kvm"),
        kvm_intel=state(reader, "kvm_intel"),
        kvm_amd=state(reader, "kvm_amd"),
        nested=next((said for said in nested if said is not None), None),
        sev=switch(reader, "kvm_amd", "sev"),
        sev_es=switch(reader, "kvm_amd", "sev_es"),
        sev_snp=switch(reader, "kvm_amd", "sev_snp"),
        tdx=switch(reader, "kvm_intel", "tdx"),
        kvm_node=_node(reader, registered, "kvm", "kvm"),
        tun_node=_node(reader, registered, "tun", "net/tun"),
        vhost_net_node=_node(reader, registered, "vhost-net", "vhost-net"),
        vhost_vsock_node=_node(reader, registered, "vhost-vsock", "vhost-vsock"),
        sev_node=_node(reader, registered, "sev", "sev"),
    )


def _node(reader: Reader, registered: tuple[str, ...], name: str, path: str) -> bool | None:
    """Whether the host has this node: one that is registered, one in /dev, or one that is made at boot."""
    if name in registered or reader.exists(f"dev/{path}"):
        return True
    if reader.exists("dev/kmsg") or not reader.exists("dev/null"):
        return False
    static = static_nodes(reader)
    return None if static is None else path in static


def labels(kvm: Kvm, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """Whether guests run here, and whether they may run guests."""
    yield "kvm.available", truth(kvm.available)
    if kvm.nested is not None:
        yield "kvm.nested", truth(kvm.nested)


_LABELS = (
    LabelDoc(key="kvm.available", values="true, false", meaning="the kernel runs guests with hardware virtualization"),
    LabelDoc(key="kvm.nested", values="true, false", meaning="guests can run guests of their own"),
)

_AVAILABLE = Metric(
    name="hostagent_kvm_available", help="Whether the kernel runs guests with hardware help.", labels=()
)
_NESTED_ON = Metric(name="hostagent_kvm_nested", help="Whether nested virtualization is switched on.", labels=())
_CONFIDENTIAL = Metric(
    name="hostagent_kvm_confidential",
    help="Whether KVM offers this kind of confidential guest.",
    labels=("kind",),
)


def samples(kvm: Kvm) -> Iterator[Sample]:
    """Switches that exist; a kernel without one has no series for it."""
    yield Sample(metric=_AVAILABLE, labels=(), value=int(kvm.available))
    if kvm.nested is not None:
        yield Sample(metric=_NESTED_ON, labels=(), value=int(kvm.nested))
    for kind in ("sev", "sev_es", "sev_snp", "tdx"):
        offered: bool | None = getattr(kvm, kind)
        if offered is not None:
            yield Sample(metric=_CONFIDENTIAL, labels=(kind,), value=int(offered))


AREA = Area(
    name="kvm",
    about="whether guests, nested guests and confidential guests can run here",
    probe=probe,
    labels=labels,
    label_docs=_LABELS,
    samples=samples,
    metrics=(_AVAILABLE, _NESTED_ON, _CONFIDENTIAL),
    guard=None,
    unseen=nothing_unseen,
)
