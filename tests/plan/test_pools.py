from __future__ import annotations

import pytest

from hostagent.assess.reasons import Evidence, Reason, Why
from hostagent.plan.model import Note, PoolPlan, Refusal
from hostagent.values.cmdline import parse
from hostagent.values.hugepages import hugepage_requests
from tests.plan.machines import Machine
from tests.plan.profiles import planned, profile

GIB, MIB2 = 1 << 30, 2 << 20
SMALL = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu pse lm vmx\n\n"


def two_nodes() -> Machine:
    return Machine().put(
        {
            "sys/devices/system/node/online": "0-1\n",
            "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal: 8388608 kB\n",
            "sys/devices/system/node/node1/meminfo": "Node 1 MemTotal: 8388608 kB\n",
        }
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("pools: [{size: 2M, count: 64}]", ["hugepagesz=2M hugepages=64"]),
        (
            "defaultSize: 1G, pools: [{size: 2M, count: 64}, {size: 1G, count: 4}]",
            ["default_hugepagesz=1G", "hugepagesz=1G hugepages=4", "hugepagesz=2M hugepages=64"],
        ),
        ("pools: [{size: 1G, count: 2, node: 1}, {size: 1G, count: 1, node: 0}]", ["hugepagesz=1G hugepages=0:1,1:2"]),
        ("pools: [{size: 2M, count: 64, node: 0}]", []),
        (
            "defaultSize: 1G, pools: [{size: 2M, count: 64, node: 0}]",
            ["default_hugepagesz=1G", "hugepagesz=2M hugepages=0"],
        ),
        ("defaultSize: 2M", ["default_hugepagesz=2M"]),
    ],
)
def test_parameters(body: str, words: list[str]) -> None:
    found = planned(profile(f"hugepages: {{{body}}}"), two_nodes())
    assert [" ".join(one.words) for one in found.kernel_arguments] == words
    assert found.refused == ()
    # And the kernel, as it reads its command line, drops none of it.
    line = " ".join(words)
    asked = hugepage_requests(parse(line), sizes=(MIB2, GIB), default=MIB2, nodes=(0, 1))
    assert all(one.effective for one in asked)


def test_what_is_made_when() -> None:
    body = "hugepages: {pools: [{size: 2M, count: 64, node: 1}, {size: 2M, count: 32, node: 0}, {size: 1G, count: 4}]}"
    found = planned(profile(body), two_nodes())
    assert found.pools == (
        PoolPlan(page_size=GIB, numa_node=None, pages=4, when="boot"),
        PoolPlan(page_size=MIB2, numa_node=0, pages=32, when="run"),
        PoolPlan(page_size=MIB2, numa_node=1, pages=64, when="run"),
    )
    assert found.default_page_size is None


@pytest.mark.parametrize("kernel", ["5.14.0-427.el9.x86_64", "5.15.1", "strange", "6"])
def test_kernels_that_may_not_know_nodes(kernel: str) -> None:
    body = "hugepages: {pools: [{size: 1G, count: 4, node: 1}]}"
    old = two_nodes().put({"proc/sys/kernel/osrelease": f"{kernel}\n"})
    found = planned(profile(body), two_nodes(), old)
    assert found.pools == (PoolPlan(page_size=GIB, numa_node=1, pages=4, when="run"),)
    assert [one.words for one in found.kernel_arguments] == [("hugepagesz=1G", "hugepages=0")]
    text = (
        "made by a unit after boot, which may find no memory in one piece: "
        "not every kernel given knows hugepages=<node>:<n>"
    )
    assert found.notes == (Note(code="late-pages", node=None, subject="1G on NUMA node 1", text=text),)


@pytest.mark.parametrize("architecture", ["ppc64le", None])
def test_architectures_and_reports_without_nodes_on_the_command_line(architecture: str | None) -> None:
    machine = two_nodes()
    if architecture is None:
        machine.without("proc/sys/kernel", "lib/modules")
    else:
        machine.put({"proc/sys/kernel/arch": f"{architecture}\n"})
    found = planned(profile("hugepages: {pools: [{size: 1G, count: 4, node: 1}]}"), machine)
    assert [one.when for one in found.pools] == ["run"]


def refusals(body: str, machine: Machine) -> tuple[Refusal, ...]:
    return planned(profile(f"hugepages: {{{body}}}"), machine).refused


def refusal(entry: str, code: Why, text: str, path: str, said: str) -> Refusal:
    evidence = (Evidence(path=path, said=said),)
    return Refusal(node="a", entry=entry, address=None, reason=Reason(code=code, text=text, evidence=evidence))


def test_a_size_the_cpu_lacks() -> None:
    text = "this machine has no pages of 1G: expected one of 2M"
    assert refusals("defaultSize: 1G, pools: [{size: 1G, count: 1}]", Machine().put({"proc/cpuinfo": SMALL})) == (
        refusal("hugepages.defaultSize", Why.PAGE_SIZE, text, "proc/cpuinfo", "flags without pdpe1gb"),
        refusal("hugepages.pools[0]", Why.PAGE_SIZE, text, "proc/cpuinfo", "flags without pdpe1gb"),
    )


def test_a_size_nobody_has() -> None:
    text = "this machine has no pages of 512M: expected one of 2M, 1G"
    path = "sys/kernel/mm/hugepages/hugepages-524288kB"
    assert refusals("pools: [{size: 512M, count: 1}]", Machine()) == (
        refusal("hugepages.pools[0]", Why.PAGE_SIZE, text, path, "no such directory"),
    )


def test_a_machine_that_does_not_say_which_sizes_it_has() -> None:
    silent = Machine().without("proc/cpuinfo", "sys/kernel/mm")
    assert refusals("pools: [{size: 512M, count: 1}]", silent) == ()


def test_a_numa_node_that_is_not_there() -> None:
    text = "there is no NUMA node 1: expected one of 0"
    assert refusals("pools: [{size: 2M, count: 1, node: 1}]", Machine()) == (
        refusal("hugepages.pools[0]", Why.NUMA_NODE, text, "sys/devices/system/node", "nodes: 0"),
    )


def test_more_than_the_memory() -> None:
    text = "16384 MiB of huge pages asked for, the machine has 16384 MiB and 512 MiB stay with the host"
    assert refusals("pools: [{size: 2M, count: 512}, {size: 1G, count: 15}]", Machine()) == (
        refusal("hugepages.pools[1]", Why.TOO_MANY_PAGES, text, "proc/meminfo", "MemTotal: 16777216 kB"),
    )
    assert refusals("pools: [{size: 1G, count: 15}]", Machine()) == ()


def test_more_than_the_memory_of_a_numa_node() -> None:
    text = "8192 MiB of huge pages asked for, NUMA node 1 has 8192 MiB and 256 MiB stay with the host"
    path = "sys/devices/system/node/node1/meminfo"
    assert refusals("pools: [{size: 1G, count: 7, node: 0}, {size: 1G, count: 8, node: 1}]", two_nodes()) == (
        refusal("hugepages.pools[1]", Why.TOO_MANY_PAGES, text, path, "Node 1 MemTotal: 8388608 kB"),
    )


def test_memory_nobody_knows() -> None:
    assert refusals("pools: [{size: 1G, count: 4096}]", Machine().without("proc/meminfo")) == ()
