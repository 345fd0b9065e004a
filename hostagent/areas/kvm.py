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
    """Whether guests, nested and confidential ones can run here."""

    available: bool
    """Whether the kernel runs guests with hardware help now: sys/class/misc/kvm is registered; where nothing is to be
    seen there, dev/kvm is there."""
    kvm: str | None
    """State of the module: built-in, loaded, available (a file of the running release holds it) or absent;
    proc/modules, sys/module, modules.dep. Null where it is not in the kernel and the root has no modules.dep."""
    kvm_intel: str | None
    """State of the module, as `kvm`. Null where it is not in the kernel and the root has no modules.dep."""
    kvm_amd: str | None
    """State of the module, as `kvm`. Null where it is not in the kernel and the root has no modules.dep."""
    nested: bool | None
    """Whether guests may run guests; nested of kvm_intel, kvm_amd, kvm (s390x) or kvm_hv in sys/module. Null where none
    shows it."""
    sev: bool | None
    """Whether KVM offers SEV guests; sys/module/kvm_amd/parameters/sev. Null where there is no such file."""
    sev_es: bool | None
    """Whether KVM offers SEV-ES guests; sys/module/kvm_amd/parameters/sev_es. Null where there is no such file."""
    sev_snp: bool | None
    """Whether KVM offers SEV-SNP guests; sys/module/kvm_amd/parameters/sev_snp. Null where there is no such file."""
    tdx: bool | None
    """Whether KVM offers TDX guests; sys/module/kvm_intel/parameters/tdx. Null where there is no such file."""
    kvm_node: bool | None
    """Whether the host has /dev/kvm: registered in sys/class/misc, there, or made at boot (modules.devname). Null where
    dev is a container's own and the root has no modules.devname."""
    tun_node: bool | None
    """Whether the host has /dev/net/tun, found likewise. Null where dev is a container's own and no modules.devname is
    seen."""
    vhost_net_node: bool | None
    """Whether the host has /dev/vhost-net, found likewise. Null where dev is a container's own and no modules.devname
    is seen."""
    vhost_vsock_node: bool | None
    """Whether the host has /dev/vhost-vsock, found likewise. Null where dev is a container's own and no modules.devname
    is seen."""
    sev_node: bool | None
    """Whether the host has /dev/sev, found likewise. Null where dev is a container's own and no modules.devname is
    seen."""


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
