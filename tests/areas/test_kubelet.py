from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.area import LabelOptions
from hostagent.areas.kubelet import Kubelet, labels, probe, samples
from hostagent.host import Problem
from hostagent.host.kubelet_files import KubeletSetting, kept_lines, kept_state
from hostagent.host.problem import MALFORMED
from hostagent.host.redact import redacted
from hostagent.values.cpuset import CpuSet
from hostagent.values.record import replaced
from tests.plant import plant, reader, unreadable

NOTHING = Kubelet(
    present=False,
    cpu_manager_policy=None,
    shared_cpus=None,
    memory_manager_policy=None,
    device_plugins=None,
    settings=(),
    kubevirt=False,
)
HOME = "var/lib/kubelet"
CPU_STATE = '{"policyName":"static","defaultCpuSet":"0-1,8-9","entries":{"7f3c-pod-uid":{"compute":"2-3"}},"checksum":1353318690}'
MEMORY_STATE = '{"policyName":"Static","machineState":{"0":{}},"entries":{"7f3c-pod-uid":{}},"checksum":1}'
CONFIG = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cpuManagerPolicy: static  # by the performance profile
cpuManagerReconcilePeriod: 5s
topologyManagerPolicy: "single-numa-node"
reservedSystemCPUs: 0-1,8-9
clusterDNS:
- 192.0.2.10
"""
OPENSHIFT = """{
  "kind": "KubeletConfiguration",
  "cpuManagerPolicy": "none",
  "memoryManagerPolicy": "Static",
  "staticPodPath": "/etc/kubernetes/manifests"
}
"""
KUBECONFIG = """apiVersion: v1
kind: Config
users:
- name: system:node:worker-7.example
  user:
    client-key-data: c2VjcmV0
"""


def test_a_root_without_kubelet(tmp_path: Path) -> None:
    seen = reader(plant(tmp_path, {}))
    kubelet = probe(seen)
    assert (kubelet, seen.problems) == (NOTHING, [])
    assert (list(labels(kubelet, LabelOptions(pci_classes=(), cpu_features=()))), list(samples(kubelet))) == ([], [])


def worker(root: Path) -> Path:
    files = {
        f"{HOME}/cpu_manager_state": CPU_STATE,
        f"{HOME}/memory_manager_state": MEMORY_STATE,
        f"{HOME}/config.yaml": CONFIG,
        "etc/kubernetes/kubelet.conf": OPENSHIFT,
        "etc/kubernetes/kubelet.conf.d/20-a.conf": "cpuManagerPolicy: none\n",
        "etc/kubernetes/kubelet.conf.d/readme": "cpuManagerPolicy: static\n",
        f"{HOME}/device-plugins/kubelet.sock": "",
        f"{HOME}/device-plugins/kubevirt-kvm.sock": "",
        f"{HOME}/device-plugins/kubelet_internal_checkpoint": "{}",
        "run/kubevirt/x": "",
    }
    return plant(root, files)


def test_a_worker(tmp_path: Path) -> None:
    seen = reader(worker(tmp_path))
    kubelet = probe(seen)
    first, second, third = (
        "etc/kubernetes/kubelet.conf",
        f"{HOME}/config.yaml",
        "etc/kubernetes/kubelet.conf.d/20-a.conf",
    )
    assert kubelet == Kubelet(
        present=True,
        cpu_manager_policy="static",
        shared_cpus=CpuSet((0, 1, 8, 9)),
        memory_manager_policy="Static",
        device_plugins=("kubevirt-kvm",),
        settings=(
            KubeletSetting(name="cpuManagerPolicy", value="none", source=first),
            KubeletSetting(name="memoryManagerPolicy", value="Static", source=first),
            KubeletSetting(name="cpuManagerPolicy", value="static", source=second),
            KubeletSetting(name="topologyManagerPolicy", value="single-numa-node", source=second),
            KubeletSetting(name="reservedSystemCPUs", value="0-1,8-9", source=second),
            KubeletSetting(name="cpuManagerPolicy", value="none", source=third),
        ),
        kubevirt=True,
    )
    assert seen.problems == []
    assert [(sample.metric.name, sample.labels, sample.value) for sample in samples(kubelet)] == [
        ("hostagent_kubelet_info", ("static", "Static"), 1),
        ("hostagent_kubelet_device_plugins", (), 1),
    ]


def test_what_a_capture_keeps_says_the_same(tmp_path: Path) -> None:
    """Neither pods nor keys nor addresses are kept, and nothing of the report is lost."""
    root = worker(tmp_path / "worker")
    kept = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(root))
            kept[name] = redacted(name, path.read_bytes()).decode()
    assert probe(reader(plant(tmp_path / "kept", kept))) == probe(reader(root))
    everything = "".join(kept.values())
    assert [secret for secret in ("pod-uid", "192.0.2", "checksum", "manifests") if secret in everything] == []
    assert redacted("etc/kubernetes/kubelet.conf", KUBECONFIG.encode()) == b""


def test_what_only_root_may_read_is_a_problem_and_unknown(tmp_path: Path) -> None:
    root = worker(tmp_path)
    for name in ("cpu_manager_state", "memory_manager_state", "device-plugins/kubelet.sock"):
        (root / HOME / name).unlink()
    for path in (root / HOME / "device-plugins").iterdir():
        path.unlink()
    (root / HOME / "device-plugins").rmdir()
    for name in ("cpu_manager_state", "memory_manager_state", "device-plugins"):
        unreadable(root, f"{HOME}/{name}")
    seen = reader(root)
    kubelet = probe(seen)
    assert kubelet == replaced(
        kubelet,
        present=True,
        cpu_manager_policy=None,
        shared_cpus=None,
        memory_manager_policy=None,
        device_plugins=None,
    )
    assert [problem.path for problem in seen.problems] == [
        f"{HOME}/cpu_manager_state",
        f"{HOME}/memory_manager_state",
        f"{HOME}/device-plugins",
    ]


def test_a_directory_without_plugins_is_known_to_be_empty(tmp_path: Path) -> None:
    kubelet = probe(reader(plant(tmp_path, {}, directories=(f"{HOME}/device-plugins",))))
    assert kubelet == replaced(NOTHING, present=True, device_plugins=())
    assert [(sample.metric.name, sample.value) for sample in samples(kubelet)] == [
        ("hostagent_kubelet_device_plugins", 0)
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"policyName": 3}', '{"defaultCpuSet": "0"}'])
def test_a_state_that_is_none(tmp_path: Path, text: str) -> None:
    seen = reader(plant(tmp_path, {f"{HOME}/cpu_manager_state": text}))
    assert probe(seen) == replaced(NOTHING, present=True)
    assert seen.problems == [
        Problem(
            path=f"{HOME}/cpu_manager_state",
            kind=MALFORMED,
            detail="expected the state of a resource manager, saw 'another text'",
        )
    ]


def test_an_empty_set_of_cpus_is_not_said(tmp_path: Path) -> None:
    """The policy none writes one: it hands out no CPUs, so all are shared."""
    files = {f"{HOME}/cpu_manager_state": '{"policyName":"none","defaultCpuSet":"","checksum":1}'}
    assert probe(reader(plant(tmp_path, files))) == replaced(NOTHING, present=True, cpu_manager_policy="none")


@given(st.text())
def test_keeping_is_done_once(text: str) -> None:
    assert kept_lines(kept_lines(text)) == kept_lines(text)
    assert kept_state(kept_state(text)) == kept_state(text)
