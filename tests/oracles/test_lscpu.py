"""CPUs and NUMA nodes agree with util-linux' lscpu and with numactl, on every machine at hand.

lscpu gives up without sys/devices/system/cpu/{possible,online}, which some captures lack: there they are written from
/proc/cpuinfo. The machines we booted also hold what lscpu, lsmem and numactl said inside them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hostagent.areas.cpu import Cpu
from hostagent.areas.cpu import probe as probe_cpu
from hostagent.areas.memory import probe as probe_memory
from hostagent.areas.numa import Numa
from hostagent.areas.numa import probe as probe_numa
from hostagent.host import Host
from hostagent.values.cpuinfo import parse
from hostagent.values.cpuset import CpuSet
from tests.roots import roots, unpacked

EXTENSIONS = {"VT-x": "vmx", "AMD-V": "svm"}
READ = ("proc/cpuinfo", "proc/meminfo", "sys/devices/system", "EXPECT")
UNITS = {"G": 1 << 30, "M": 1 << 20}


def flat(entries: list[dict[str, Any]]) -> dict[str, str]:
    """field -> data of `lscpu -J`, whose fields nest in some versions."""
    found: dict[str, str] = {}
    for entry in entries:
        found |= {entry["field"].rstrip(":"): entry["data"]} | flat(entry.get("children", []))
    return found


def lscpu(place: Path) -> dict[str, str]:
    """What lscpu says of a root; empty where it cannot."""
    root = [] if place == Path("/") else ["--sysroot", str(place)]
    done = subprocess.run(["lscpu", "-J", *root], capture_output=True, text=True, check=False)
    return flat(json.loads(done.stdout)["lscpu"]) if done.returncode == 0 else {}


def words(text: str) -> str:
    """lscpu turns some of the kernel's colons into semicolons, others into nothing; which depends on its version."""
    return re.sub(r"[:;]", "", text)


def copied(machine: Path, into: Path) -> Path:
    """What lscpu reads of a machine, as files that may be written to."""
    (into / "sys").mkdir()
    for name in READ:
        place = machine / name
        if place.is_dir():
            shutil.copytree(place, into / name, symlinks=True, dirs_exist_ok=True)
        elif place.exists():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, into / name)
    return into


@pytest.fixture(scope="module", params=roots())
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a machine, complete enough for lscpu where it has a /proc/cpuinfo at all."""
    found = unpacked(request.param)
    if found != Path(request.param):  # an archive's, which all tests share
        found = copied(found, tmp_path_factory.mktemp("machine"))
    directory = found / "sys/devices/system/cpu"
    cpuinfo = found / "proc/cpuinfo"
    if found != Path("/") and cpuinfo.exists() and directory.exists():
        listed = CpuSet(sorted(parse(cpuinfo.read_text()).processors))
        for name in ("possible", "online"):
            if not (directory / name).exists():
                (directory / name).write_text(f"{listed}\n")
    return found


def agree(cpu: Cpu, numa: Numa, said: dict[str, str]) -> None:
    """Every field of lscpu that we have too."""
    sockets, cores, threads = cpu.topology.sockets, cpu.topology.cores, cpu.topology.threads
    assert sockets is not None
    assert cores is not None
    assert threads is not None
    ours: dict[str, object] = {"Vendor ID": cpu.vendor, "Core(s) per socket": cores // sockets}
    if cpu.architecture == "x86_64":
        # On Arm lscpu calls the revision a model; names come from a list of its own.
        ours |= {"Model name": cpu.model_name, "CPU family": cpu.family, "Model": cpu.model, "Stepping": cpu.stepping}
        bits = f"{cpu.physical_bits} bits physical, {cpu.virtual_bits} bits virtual"
        ours |= {"Address sizes": bits, "Socket(s)": sockets}
    if threads % cores == 0:
        # Hybrid parts: lscpu gives that of the cores that have most.
        ours["Thread(s) per core"] = threads // cores
    assert {key: str(value) for key, value in ours.items()} == {key: said.get(key) for key in ours}
    assert CpuSet.parse(said["On-line CPU(s) list"]) == cpu.topology.online
    assert EXTENSIONS.get(said.get("Virtualization", "")) == cpu.virtualization
    assert frozenset(said["Flags"].split()) == frozenset(cpu.flags)
    assert int(said.get("NUMA node(s)", "0")) == len(numa.nodes)
    for node in numa.nodes:
        assert CpuSet.parse(said[f"NUMA node{node.number} CPU(s)"]) == node.cpus
    assert {f"Vulnerability {v.name.replace('_', ' ').capitalize()}": words(v.text) for v in cpu.vulnerabilities} == {
        key: words(text) for key, text in said.items() if key.startswith("Vulnerability ")
    }


@pytest.mark.skipif(shutil.which("lscpu") is None, reason="lscpu is missing: install util-linux")
def test_lscpu_agrees(place: Path) -> None:
    said = lscpu(place)
    if "Flags" not in said:
        pytest.skip("lscpu cannot read this machine")
    host = Host(str(place))
    agree(probe_cpu(host.reader()), probe_numa(host.reader()), said)


def test_what_was_said_inside_agrees(place: Path) -> None:
    witness = place / "EXPECT"
    if not (witness / "lscpu.json").exists():
        pytest.skip("this machine holds no witness")
    host = Host(str(place))
    cpu, numa, memory = probe_cpu(host.reader()), probe_numa(host.reader()), probe_memory(host.reader())
    agree(cpu, numa, flat(json.loads((witness / "lscpu.json").read_text())["lscpu"]))
    lines = (witness / "numactl-H.txt").read_text().splitlines()
    sizes = {int(m[1]): int(m[2]) for line in lines if (m := re.match(r"node (\d+) size: (\d+) MB", line))}
    assert {node.number: (node.memory_total or 0) >> 20 for node in numa.nodes} == sizes
    rows = {int(m[1]): m[2].split() for line in lines if (m := re.match(r" +(\d+): +(.*)", line))}
    assert {node.number: list(map(str, node.distances)) for node in numa.nodes} == rows
    # The kernel keeps some of what is plugged in to itself.
    blocks = json.loads((witness / "lsmem.json").read_text())["memory"]
    plugged = sum(int(float(block["size"][:-1]) * UNITS[block["size"][-1]]) for block in blocks)
    assert memory.total is not None
    assert 0.85 * plugged < memory.total < plugged


def test_sockets_and_cores_are_the_same_from_sysfs(place: Path) -> None:
    """The two sources of x86: `cpu cores` of /proc/cpuinfo, and which CPUs share a core in sysfs."""
    topology = probe_cpu(Host(str(place)).reader()).topology
    cpus = sorted((place / "sys/devices/system/cpu").glob("cpu[0-9]*/topology"))
    if not all((cpu / "thread_siblings_list").exists() for cpu in cpus):
        pytest.skip("a capture of ours: it holds the newer names of these files only, which the survey itself reads")
    cores = {(cpu / "thread_siblings_list").read_text() for cpu in cpus}
    sockets = {(cpu / "core_siblings_list").read_text() for cpu in cpus}
    if not cores or len(cpus) != topology.threads:
        pytest.skip("this machine's topology directories are missing or incomplete")
    assert (topology.sockets, topology.cores) == (len(sockets), len(cores))
