from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from hostagent.area import LabelOptions
from hostagent.areas.cpu import Cpu, Smt, labels, probe, samples
from hostagent.host import Problem
from hostagent.host.cpu_parts import CpuPart, DifferingFlag
from hostagent.host.problem import MALFORMED
from hostagent.host.topology import Topology
from hostagent.host.vulnerabilities import Vulnerability
from hostagent.values.cpuset import CpuSet
from hostagent.values.record import replaced
from tests.plant import plant, reader

BASE = "sys/devices/system/cpu"
OPTIONS = LabelOptions(pci_classes=(), cpu_features=("vmx", "avx", "not a label", "sse2"))

TOPOLOGY = Topology(
    sockets=None,
    cores=None,
    threads=None,
    online=None,
    offline=None,
    possible=None,
    present=None,
    isolated=None,
    nohz_full=None,
)
NOTHING = Cpu(
    architecture=None,
    vendor=None,
    family=None,
    model=None,
    stepping=None,
    model_name=None,
    microcode=None,
    physical_bits=None,
    virtual_bits=None,
    virtualization=None,
    hypervisor=None,
    x86_64_level=None,
    topology=TOPOLOGY,
    smt=Smt(control=None, active=None),
    parts=(),
    flags=(),
    differing=(),
    vulnerabilities=(),
)
V1 = "cmov cx8 fpu fxsr lm mmx sse sse2 syscall"


def block(number: int, flags: str = V1, **fields: object) -> str:
    """One CPU of a Xeon with a single core, and what `fields` change (`core_id` for `core id`)."""
    said = {
        "vendor_id": "GenuineIntel",
        "cpu family": 6,
        "model": 85,
        "model name": "Xeon",
        "stepping": 4,
        "microcode": "0x1",
        "physical id": 0,
        "cpu cores": 1,
        "flags": flags,
        "address sizes": "46 bits physical, 48 bits virtual",
    } | {name.replace("_", " ") if name != "vendor_id" else name: value for name, value in fields.items()}
    return "".join(f"{name}\t: {value}\n" for name, value in {"processor": number, **said}.items()) + "\n"


def part(cpus: str, **facts: Any) -> CpuPart:
    known = {
        "kind": None,
        "vendor": "GenuineIntel",
        "family": 6,
        "model": 85,
        "stepping": 4,
        "model_name": "Xeon",
        "microcode": "0x1",
    }
    found = CpuSet.parse(cpus)
    assert found is not None
    return CpuPart(cpus=found, **(known | facts))


def cpu(root: Path, cpuinfo: str, files: dict[str, str] | None = None) -> Cpu:
    """What is found, with no problem."""
    look = reader(plant(root, {"proc/cpuinfo": cpuinfo, **(files or {})}))
    found = probe(look)
    assert look.problems == []
    return found


def test_a_machine_that_says_nothing(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {}))
    assert probe(look) == NOTHING
    assert look.problems == []
    assert list(labels(NOTHING, OPTIONS)) == []
    assert list(samples(NOTHING)) == []


def test_everything(tmp_path: Path) -> None:
    files = {
        f"{BASE}/online": "0-1\n",
        f"{BASE}/offline": "2-7\n",
        f"{BASE}/possible": "0-7\n",
        f"{BASE}/present": "0-3\n",
        f"{BASE}/isolated": "1\n",
        f"{BASE}/nohz_full": "(null)\n",
        f"{BASE}/smt/control": "off\n",
        f"{BASE}/smt/active": "0\n",
        f"{BASE}/vulnerabilities/meltdown": "Mitigation: PTI\n",
        "proc/sys/kernel/arch": "x86_64\n",
    }
    found = cpu(tmp_path, block(0, f"{V1} vmx") + block(1, f"{V1} vmx", physical_id=3), files)
    assert found == Cpu(
        architecture="x86_64",
        vendor="GenuineIntel",
        family=6,
        model=85,
        stepping=4,
        model_name="Xeon",
        microcode="0x1",
        physical_bits=46,
        virtual_bits=48,
        virtualization="vmx",
        hypervisor=False,
        x86_64_level=1,
        topology=Topology(
            sockets=2,
            cores=2,
            threads=2,
            online=CpuSet((0, 1)),
            offline=CpuSet(range(2, 8)),
            possible=CpuSet(range(8)),
            present=CpuSet(range(4)),
            isolated=CpuSet((1,)),
            nohz_full=CpuSet(()),
        ),
        smt=Smt(control="off", active=False),
        parts=(part("0-1"),),
        flags=tuple(sorted([*V1.split(), "vmx"])),
        differing=(),
        vulnerabilities=(Vulnerability(name="meltdown", state="mitigated", text="Mitigation: PTI"),),
    )
    assert list(labels(found, OPTIONS)) == [
        ("cpu.vendor", "Intel"),
        ("cpu.level", "1"),
        ("cpu-feature.sse2", "true"),
        ("cpu-feature.vmx", "true"),
    ]
    assert [(s.metric.name, s.labels, s.value) for s in samples(found)] == [
        ("hostagent_cpu_info", ("0-1", "x86_64", "GenuineIntel", "6", "85", "4", "Xeon", "0x1"), 1),
        ("hostagent_cpu_sockets", (), 2),
        ("hostagent_cpu_cores", (), 2),
        ("hostagent_cpu_threads", (), 2),
        ("hostagent_cpu_isolated_threads", (), 1),
        ("hostagent_cpu_x86_64_level", (), 1),
        ("hostagent_cpu_smt_active", (), False),
        ("hostagent_cpu_differing_flags", (), 0),
        ("hostagent_cpu_vulnerability_info", ("meltdown", "mitigated"), 1),
    ]


def test_flags_are_those_of_all_cpus(tmp_path: Path) -> None:
    cpuinfo = block(0, f"{V1} vmx avx") + block(1, f"{V1} vmx") + block(2, f"{V1} vmx avx") + block(5, f"avx {V1}")
    found = cpu(tmp_path, cpuinfo)
    assert found.flags == tuple(sorted(V1.split()))
    assert found.differing == (
        DifferingFlag(flag="avx", cpus=CpuSet((0, 2, 5))),
        DifferingFlag(flag="vmx", cpus=CpuSet((0, 1, 2))),
    )
    # A guest may run on CPU 5.
    assert found.virtualization is None
    assert ("cpu-feature.vmx", "true") not in set(labels(found, OPTIONS))
    assert {s.value for s in samples(found) if s.metric.name == "hostagent_cpu_differing_flags"} == {2}


def test_hybrid_parts(tmp_path: Path) -> None:
    files = {"sys/devices/cpu_core/cpus": "0-1\n", "sys/devices/cpu_atom/cpus": "2\n"}
    cpuinfo = (
        block(0, cpu_cores=2) + block(1, cpu_cores=2) + block(2, cpu_cores=2) + block(3, cpu_cores=2, microcode="0x2")
    )
    assert cpu(tmp_path, cpuinfo, files).parts == (
        part("0-1", kind="core"),
        part("2", kind="atom"),
        part("3", microcode="0x2"),
    )


@pytest.mark.parametrize(("flags", "extension"), [("vmx", "vmx"), ("svm", "svm"), ("avx", None)])
def test_virtualization(flags: str, extension: str | None, tmp_path: Path) -> None:
    assert cpu(tmp_path, block(0, flags)).virtualization == extension


def test_a_guest(tmp_path: Path) -> None:
    assert cpu(tmp_path, block(0, "hypervisor")).hypervisor is True


def test_arm64_says_nothing_of_hypervisors(tmp_path: Path) -> None:
    cpuinfo = "processor: 0\nFeatures: fp asimd hypervisor svm\nCPU implementer: 0x41\nCPU architecture: 8\n"
    found = cpu(tmp_path, cpuinfo)
    assert (found.architecture, found.hypervisor, found.virtualization, found.x86_64_level) == (
        "aarch64",
        None,
        None,
        None,
    )
    assert found.flags == ("asimd", "fp", "hypervisor", "svm")
    assert list(labels(found, OPTIONS)) == [("cpu.vendor", "ARM")]


def test_vendors_that_no_label_can_hold(tmp_path: Path) -> None:
    assert list(labels(replaced(NOTHING, vendor="IBM/S390"), OPTIONS)) == [("cpu.vendor", "IBM_S390")]
    assert list(labels(replaced(NOTHING, vendor="???"), OPTIONS)) == []


def topology_files(groups: dict[str, str], name: str) -> dict[str, str]:
    """The file `name` of each first CPU of a group only: a second one must not be needed."""
    return {f"{BASE}/cpu{first}/topology/{name}": f"{members}\n" for first, members in groups.items()}


ARM_CPUS = "".join(f"processor: {number}\nCPU implementer: 0x41\n\n" for number in range(8))


@pytest.mark.parametrize(
    ("core", "package"), [("core_cpus_list", "package_cpus_list"), ("thread_siblings_list", "core_siblings_list")]
)
def test_topology_from_one_file_a_group(core: str, package: str, tmp_path: Path) -> None:
    files = topology_files({"0": "0,4", "1": "1,5", "2": "2,6", "3": "3,7"}, core)
    files |= topology_files({"0": "0-1,4-5", "2": "2-3,6-7"}, package)
    found = cpu(tmp_path, ARM_CPUS, files).topology
    assert (found.sockets, found.cores, found.threads) == (2, 4, 8)


def test_topology_of_which_a_file_is_missing(tmp_path: Path) -> None:
    found = cpu(tmp_path, ARM_CPUS, topology_files({"0": "0,4", "1": "1,5"}, "core_cpus_list")).topology
    assert (found.sockets, found.cores, found.threads) == (None, None, 8)


def test_more_cores_announced_than_cpus(tmp_path: Path) -> None:
    files = topology_files({"0": "0-1"}, "core_cpus_list") | topology_files({"0": "0-1"}, "package_cpus_list")
    found = cpu(tmp_path, block(0, cpu_cores=16) + block(1, cpu_cores=16), files).topology
    assert (found.sockets, found.cores, found.threads) == (1, 1, 2)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Not affected", "not-affected"),
        ("Mitigation: Clear CPU buffers; SMT vulnerable", "mitigated"),
        ("KVM: Mitigation: VMX disabled", "mitigated"),
        ("Vulnerable", "vulnerable"),
        ("Vulnerable: Safe RET, no microcode", "vulnerable"),
        ("KVM: Vulnerable", "vulnerable"),
        ("Processor vulnerable", "vulnerable"),
        ("Unknown: Dependent on hypervisor status", "unknown"),
        ("", "unknown"),
    ],
)
def test_vulnerability(text: str, state: str, tmp_path: Path) -> None:
    found = probe(reader(plant(tmp_path, {f"{BASE}/vulnerabilities/srbds": f"{text}\n"})))
    assert found.vulnerabilities == (Vulnerability(name="srbds", state=state, text=text),)


def test_files_that_do_not_parse(tmp_path: Path) -> None:
    files = {"proc/cpuinfo": "\x01\x02", f"{BASE}/online": "everything\n", f"{BASE}/smt/active": "2\n"}
    look = reader(plant(tmp_path, files))
    assert probe(look) == NOTHING
    assert look.problems == [
        Problem(
            path="proc/cpuinfo", kind=MALFORMED, detail="expected blocks that begin with `processor`, saw '\\x01\\x02'"
        ),
        Problem(
            path=f"{BASE}/online", kind=MALFORMED, detail="expected a list of CPUs such as 0-3,8, saw 'everything'"
        ),
        Problem(path=f"{BASE}/smt/active", kind=MALFORMED, detail="expected Y, N, 1 or 0, saw '2'"),
    ]


def test_addresses_of_absurd_width(tmp_path: Path) -> None:
    found = cpu(tmp_path, block(0, address_sizes=f"{'9' * 5000} bits physical, 48 bits virtual, more"))
    assert (found.physical_bits, found.virtual_bits) == (None, 48)


def test_as_many_distinct_flags_as_cpus_take_no_time(tmp_path: Path) -> None:
    """Five times as many take five times the steps; 25 when every flag was looked up in every set."""

    def steps(cpus: int) -> int:
        blocks = "".join(f"processor : {cpu}\nflags : f{cpu}\n\n" for cpu in range(cpus))
        seen, count = reader(plant(tmp_path, {"proc/cpuinfo": blocks})), 0

        def trace(frame: FrameType, event: str, _: object) -> Any:
            nonlocal count
            frame.f_trace_opcodes = True
            count += event == "opcode"
            return trace

        sys.settrace(trace)
        try:
            found = probe(seen)
        finally:
            sys.settrace(None)
        assert len(found.differing) == cpus
        assert found.differing[-1].flag == "f99"
        return count

    assert steps(500) < 8 * steps(100)
