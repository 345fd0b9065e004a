from __future__ import annotations

import pytest

from hostagent.plan import plan
from hostagent.plan.draft import draft
from hostagent.profile import Platform, read_profile
from tests.plan.machines import NIC, NIC_CLASS, T4, T4_CLASS, Machine, worker
from tests.plan.test_watchdog import itco

PCI_IDS = "10de  NVIDIA Corporation\n\t1eb8  TU104GL [Tesla T4]\n\t1e84  TU104GL [Tesla T4]\n"

WORKER = """\
## What node-a is to offer. Nothing is asked for yet: lines with one # are entries,
## to be had by taking the # and the blank behind it away. See docs/profile.md.
platform:
  name: openshift
  version: 4.20
  role: worker

devices:
  ## 8086:293e at 0000:00:1f.4, IOMMU group 3 stays: it shares IOMMU group 3 with 0000:00:1f.0, and it is a bridge that lpc_ich drives
  ## 8086:10d3 at 0000:01:00.0, IOMMU group 10 stays: it carries eno1: default route
  ## 8086:10d3 at 0000:02:00.0, IOMMU group 11
#   - id: 8086:10d3
#     count: 1
#     resourceName: intel.com/8086_10d3
  ## 1b36:0010 at 0000:03:00.0, IOMMU group 12 stays: it carries /, nvme0n1
  ## 10de:1eb8 NVIDIA Corporation TU104GL [Tesla T4] at 0000:04:00.0, IOMMU group 13
  ## 10de:1eb8 NVIDIA Corporation TU104GL [Tesla T4] at 0000:05:00.0, IOMMU group 14
#   - id: 10de:1eb8
#     resourceName: nvidia.com/TU104GL_Tesla_T4
  ## 1a03:2000 at 0000:06:00.0, IOMMU group 15 stays: it shows the remote console of the BMC
  ## 10de:1e84 NVIDIA Corporation TU104GL [Tesla T4] at 0000:07:00.0, IOMMU group 16
  ##   brings along: 0000:07:00.1, 0000:07:00.2, 0000:07:00.3
#   - id: 10de:1e84
#     resourceName: nvidia.com/10de_1e84

## The IOMMU is on, 8 groups. Devices that are handed over switch it on; pt lets the host's own pass through.
# iommu:
#   mode: on

## Sizes: 2M, 1G. Memory: 16384 MiB.
## There now:
# hugepages:
#   pools:
#     - {size: 2M, count: 64}

## /dev/watchdog0: iTCO_wdt
# watchdog:
#   runtimeTimeout: 30s

## Guests cannot run guests now.
# nestedVirtualization: false
"""  # noqa: E501 - a reason stands on one line


def whole_worker() -> Machine:
    return itco(worker()).put(
        {
            "usr/share/hwdata/pci.ids": PCI_IDS,
            "etc/os-release": "ID=rhcos\nOPENSHIFT_VERSION=4.20\n",
            "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "64\n",
            "sys/module/kvm_intel/parameters/nested": "N\n",
        }
    )


def taken_up(text: str) -> str:
    """A draft with every entry asked for."""
    return "\n".join(line.removeprefix("# ") for line in text.split("\n"))


def test_a_worker() -> None:
    assert draft("node-a", whole_worker().report()) == WORKER


@pytest.mark.parametrize("machine", [whole_worker(), worker(), Machine()])
def test_a_draft_is_a_profile_and_so_is_all_of_it_taken_up(machine: Machine) -> None:
    report = machine.report()
    text = draft("a", report)
    nothing = plan((("a", report),), read_profile(text, "draft"))
    assert (nothing.bindings, nothing.kernel_arguments, nothing.refused, nothing.unmatched) == ((), (), (), ())
    everything = plan((("a", report),), read_profile(taken_up(text), "draft"))
    assert (everything.refused, everything.unmatched) == ((), ())
    assert everything.pools
    assert everything.watchdog is not None


@pytest.mark.parametrize(
    ("release", "name", "version", "role"),
    [
        ("ID=rhcos\nVERSION_ID=4.16\n", "openshift", "4.16", "worker"),
        ("ID=rhel\nVARIANT_ID=coreos\nOPENSHIFT_VERSION=4.99\n", "openshift", "4.22", "worker"),
        ("ID=fedora\nVARIANT_ID=coreos\nVERSION_ID=42\n", "fcos", "1.7.0", None),
        ("ID=fedora\n", "rhel", None, None),
        ("ID=rocky\nID_LIKE='rhel centos fedora'\n", "rhel", None, None),
        ("ID=debian\nVERSION_ID=12\n", "debian", None, None),
        ("ID=ubuntu\nID_LIKE=debian\n", "ubuntu", None, None),
        ("ID=opensuse-leap\nID_LIKE='suse opensuse'\n", "suse", None, None),
        ("ID=plan9\n", "rhel", None, None),
    ],
)
def test_platforms(release: str, name: str, version: str | None, role: str | None) -> None:
    text = draft("a", Machine().put({"etc/os-release": release}).report())
    expected = Platform.model_construct(name=name, version=version, role=role)
    assert read_profile(text, "draft").platform == expected
    assert ("choose" in text) == ("plan9" in release)


def test_an_empty_machine() -> None:
    text = draft("a", Machine().without("sys", "proc", "lib").report())
    assert "There is nothing that could be handed to a guest." in text
    assert "Sizes: none known. Memory: not known." in text
    assert read_profile(text, "draft").devices == ()


def test_odd_names_and_many_alike() -> None:
    machine = Machine().put({"usr/share/hwdata/pci.ids": "10de  N\x07V\n\t1eb8  " + "long " * 30 + "\n"})
    for number in range(1, 12):
        machine.function(f"0000:{number:02x}:00.0", T4, T4_CLASS)
    machine.function("0000:20:00.0", NIC, NIC_CLASS).function("0000:21:00.0", "dead:beef", "120000")
    text = draft("no\x1bde", machine.report())
    assert text.startswith("## What no?de is to offer.")
    assert "## and 3 more 10de:1eb8\n" in text
    assert "resourceName: nvidia.com/10de_1eb8\n" in text
    assert "resourceName: devices.example.com/dead_beef\n" in text
    assert len(read_profile(taken_up(text), "draft").devices) == 3


def test_the_endpoint_of_a_switch_has_the_id_of_its_bridges() -> None:
    machine = Machine().function("0000:01:00.0", "1000:c010", "060400", driver="pcieport", group=1)
    machine.function("0000:13:00.0", "1000:c010", "010700", group=2)
    text = draft("a", machine.report())
    assert "#   - id: 1000:c010\n#     class: 0107\n#     resourceName: devices.example.com/1000_c010\n" in text
    found = plan((("a", machine.report()),), read_profile(taken_up(text), "draft"))
    assert [one.address for one in found.bindings] == ["0000:13:00.0"]
