"""The kubelet of this host: its resource managers, and the device plugins that talk to it.

Files are listed in `hostagent.host.kubelet_files`. Most are readable by root only (docs/root-only-facts.md): an agent without
privilege reports that as a problem and the fact as unknown.
"""

from __future__ import annotations

from hostagent.area import Area, LabelOptions, Metric, Sample, nothing_unseen
from hostagent.host import Reader
from hostagent.host.kubelet_files import CONFIGS, HOME, STATES, KubeletSetting, listed, manager_state, settings
from hostagent.values.cpuset import CpuSet
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGINS = f"{HOME}/device-plugins"
_SOCKET = ".sock"
# Directories of KubeVirt's node components.
_KUBEVIRT = ("run/kubevirt", "var/run/kubevirt", "var/lib/kubevirt", "var/lib/kubevirt-node-labeller")


@record
class Kubelet:
    """The kubelet of this host. Most of its files are readable by root only."""

    present: bool
    """Whether a kubelet has ever run here: var/lib/kubelet or a configuration file of it is there."""
    cpu_manager_policy: str | None
    """none or static, which is in force; var/lib/kubelet/cpu_manager_state. Null where there is no such file, or it is
    not shown to us."""
    shared_cpus: CpuSet | None
    """CPUs of containers that have none of their own, as in 0-1,8; var/lib/kubelet/cpu_manager_state. Null where that
    does not name them."""
    memory_manager_policy: str | None
    """None or Static, which is in force; var/lib/kubelet/memory_manager_state. Null where there is no such file, or it
    is not shown to us."""
    device_plugins: tuple[str, ...] | None
    """Names of the sockets in var/lib/kubelet/device-plugins without .sock, the kubelet's own left out. Null where that
    is not there, or not shown to us."""
    settings: tuple[KubeletSetting, ...]
    """What its configuration files say, in the order they apply: later ones win."""
    kubevirt: bool
    """Whether KubeVirt has left its directories (run/kubevirt, var/lib/kubevirt ...)."""


def probe(reader: Reader) -> Kubelet:
    """What the kubelet left on disk."""
    cpu, memory = (manager_state(reader, path) for path in STATES)
    sockets = listed(reader, PLUGINS)
    shared = cpu.get("defaultCpuSet")
    return Kubelet(
        present=any(reader.exists(path) for path in (HOME, *CONFIGS)),
        cpu_manager_policy=cpu.get("policyName"),
        shared_cpus=None if not shared else CpuSet.parse(shared),
        memory_manager_policy=memory.get("policyName"),
        device_plugins=None if sockets is None else _plugins(sockets),
        settings=settings(reader),
        kubevirt=any(reader.exists(path) for path in _KUBEVIRT),
    )


def _plugins(sockets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        name.removesuffix(_SOCKET) for name in sockets if name.endswith(_SOCKET) and name != f"kubelet{_SOCKET}"
    )


def labels(_kubelet: Kubelet, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """No labels: the cluster knows its kubelets."""
    return iter(())


_INFO = Metric(
    name="hostagent_kubelet_info",
    help="Resource managers of the kubelet as its state files name them. Always 1.",
    labels=("cpu_manager_policy", "memory_manager_policy"),
)
_PLUGINS = Metric(
    name="hostagent_kubelet_device_plugins",
    help="Sockets of device plugins.",
    labels=(),
)


def samples(kubelet: Kubelet) -> Iterator[Sample]:
    """Policies and a count."""
    policies = (kubelet.cpu_manager_policy, kubelet.memory_manager_policy)
    if any(policies):
        yield Sample(metric=_INFO, labels=tuple(policy or "" for policy in policies), value=1)
    if kubelet.device_plugins is not None:
        yield Sample(metric=_PLUGINS, labels=(), value=len(kubelet.device_plugins))


AREA = Area(
    name="kubelet",
    about="The kubelet's resource managers and device plugins",
    probe=probe,
    labels=labels,
    label_docs=(),
    samples=samples,
    metrics=(_INFO, _PLUGINS),
    guard=None,
    unseen=nothing_unseen,
)
