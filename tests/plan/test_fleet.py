from __future__ import annotations

from hostagent.plan.model import Fleet, RoleProposal
from tests.plan.machines import NIC, NIC_CLASS, NVME, NVME_CLASS, T4, T4_CLASS, Machine, worker
from tests.plan.profiles import devices, planned, profile


def test_one_configuration_for_all() -> None:
    assert planned(devices("id: 10de:1eb8"), worker(), worker(), Machine()).fleet == Fleet(unsafe=(), roles=())


def test_nodes_alike_of_which_one_is_unsafe() -> None:
    other = worker()
    other.files["proc/1/net/route"] = other.files["proc/1/net/route"].replace("eno1", "eno2")
    found = planned(devices("address: 0000:02:00.0"), worker(), other)
    assert [(node.node, [reason.text for reason in node.reasons]) for node in found.fleet.unsafe] == [
        ("b", ["it carries eno2: default route"])
    ]
    assert found.fleet.roles == ()


def test_roles_by_hardware() -> None:
    lives_on_it = Machine().function("0000:04:00.0", NVME, NVME_CLASS, driver="nvme", group=4)
    lives_on_it.disk("nvme0n1", "0000:04:00.0", on="/")
    spare = Machine().function("0000:04:00.0", NVME, NVME_CLASS, driver="nvme", group=4)
    spare.function("0000:05:00.0", T4, T4_CLASS, group=5)
    wishes = profile("devices:\n  - address: 0000:04:00.0\n", "{name: openshift, version: 4.20, role: gpu}")
    found = planned(wishes, spare, lives_on_it, spare)
    assert [(node.node, [reason.code for reason in node.reasons]) for node in found.fleet.unsafe] == [
        ("b", ["storage"])
    ]
    assert found.fleet.roles == (
        RoleProposal(name="gpu-1", nodes=("a", "c"), hardware=("0000:05:00.0 10de:1eb8 0000:0000",), ready=True),
        RoleProposal(name="gpu-2", nodes=("b",), hardware=(), ready=False),
    )


def test_what_makes_hardware_different() -> None:
    plain = Machine().function("0000:04:00.0", NIC, NIC_CLASS, driver="igb", sriov_totalvfs="2", sriov_numvfs="1")
    grown = Machine().function("0000:04:00.0", NIC, NIC_CLASS, driver="igb", sriov_totalvfs="2", sriov_numvfs="1")
    grown.function("0000:04:10.0", "8086:1520", NIC_CLASS).function("0000:00:01.0", "8086:1901", "060400")
    grown.links["sys/devices/pci0000:00/0000:04:10.0/physfn"] = "../0000:04:00.0"
    grown.links["sys/devices/pci0000:00/0000:04:00.0/virtfn0"] = "../0000:04:10.0"
    amd = Machine().function("0000:04:00.0", NIC, NIC_CLASS, driver="igb", sriov_totalvfs="2", sriov_numvfs="1")
    amd.put({"proc/cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu pse lm pdpe1gb svm\n\n"})
    found = planned(devices("id: 8086:10d3"), plain, grown, amd).fleet
    # Virtual functions come and go, and bridges are nobody's wish.
    assert [(role.nodes, role.hardware, role.ready) for role in found.roles] == [
        (("a", "b"), ("CPU intel",), False),
        (("c",), ("CPU amd",), False),
    ]
