"""VFIO: modules, bindings, and the verdict on every group. Requests are in test_vfio_requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostagent.area import LabelOptions
from hostagent.areas.vfio import AREA, Blocker, GroupVerdict, IdCount, Vfio, probe
from hostagent.host.bound import BoundFunction
from hostagent.host.vfio import Parameters
from hostagent.values.pci import PciAddress
from hostagent.values.record import replaced
from tests.plant import pci_function, plant, reader
from tests.roots import CAPTURES, unpacked

OPTIONS = LabelOptions(pci_classes=("02", "03", "0403"), cpu_features=())
GROUPS = "sys/kernel/iommu_groups"
DEVICES = "sys/bus/pci/devices"
VGA, AUDIO, NIC, BRIDGE = "30000", "40300", "20000", "60400"
NOTHING = Parameters(
    unsafe_interrupts=None, noiommu=None, disable_denylist=None, disable_idle_d3=None, disable_vga=None,
    enable_sriov=None, nointxmask=None,
)  # fmt: skip
EMPTY = Vfio(
    vfio_pci=None, vfio=None, vfio_iommu_type1=None, iommufd=None, parameters=NOTHING, container_node=False,
    iommufd_node=False, group_nodes=(), id_requests=(), directives=(), bound=(), vgpus=(), groups=(), counts=(),
)  # fmt: skip


def _grouped(**groups: int) -> dict[str, str]:
    """Links of functions (`a0000_01_00_0=3`) to their groups."""
    return {
        f"{DEVICES}/{name[1:5]}:{name[6:8]}:{name[9:11]}.{name[12]}/iommu_group": f"../../../../kernel/iommu_groups/{number}"
        for name, number in groups.items()
    }


def _verdicts(tmp_path: Path, *drivers: str | None) -> tuple[GroupVerdict, ...]:
    """The verdicts on one group of functions with these drivers."""
    files: dict[str, str] = {}
    for number, driver in enumerate(drivers):
        given = {} if driver is None else {"driver": driver}
        files |= pci_function(f"0000:01:00.{number}", **given)
    links = _grouped(**{f"a0000_01_00_{number}": 7 for number in range(len(drivers))})
    return probe(reader(plant(tmp_path, files, links))).groups


def test_an_empty_machine(tmp_path: Path) -> None:
    empty = probe(reader(plant(tmp_path, {})))
    assert empty == EMPTY
    assert dict(AREA.labels(empty, OPTIONS)) == {}
    assert [(sample.metric.name, sample.labels, sample.value) for sample in AREA.samples(empty)] == [
        ("hostagent_vfio_bound_functions", ("vfio-pci",), 0),
    ]


@pytest.mark.parametrize(
    ("drivers", "blockers"),
    [
        ((None, None), ()),
        (("vfio-pci", "vfio-pci"), ()),
        (("vfio-pci", None), ()),
        (("pcieport", "vfio-pci"), ()),
        (("pci-stub", "mlx5_vfio_pci"), ()),
        (("vfio-pci", "snd_hda_intel"), (("0000:01:00.1", "snd_hda_intel"),)),
        (("nvidia", "snd_hda_intel", "xhci_hcd"), (
            ("0000:01:00.0", "nvidia"), ("0000:01:00.1", "snd_hda_intel"), ("0000:01:00.2", "xhci_hcd"))),
        (("shpchp", "vfio-pci"), (("0000:01:00.0", "shpchp"),)),
    ],
)  # fmt: skip
def test_the_kernels_rule(
    tmp_path: Path, drivers: tuple[str | None, ...], blockers: tuple[tuple[str, str], ...]
) -> None:
    """Viable: every member driverless, or on a driver that lets go. The others are named."""
    assert _verdicts(tmp_path, *drivers) == (
        GroupVerdict(
            number=7,
            viable=not blockers,
            blockers=tuple(Blocker(address=address, driver=driver) for address, driver in blockers),
            direct=None,
        ),
    )


def test_platform_devices_and_unlisted_functions_block_too(tmp_path: Path) -> None:
    files = {
        f"{GROUPS}/{number}/devices/{name}/uevent": "" for number, name in ((1, "sdhci.0"), (1, "free.0"), (2, "x.0"))
    }
    # A function that sysfs lists in the group, and whose own directory says too little to be reported.
    files |= {f"{DEVICES}/0000:09:00.0/numa_node": "0\n", f"{GROUPS}/3/type": "DMA\n"}
    links = {
        f"{GROUPS}/1/devices/sdhci.0/driver": "../../../bus/platform/drivers/sdhci-of",
        f"{GROUPS}/2/devices/x.0/driver": "../../../bus/platform/drivers/vfio-platform",
        f"{GROUPS}/3/devices/0000:09:00.0": f"../../../../../{DEVICES}/0000:09:00.0",
        f"{DEVICES}/0000:09:00.0/driver": "../../../bus/pci/drivers/ahci",
    }
    assert probe(reader(plant(tmp_path, files, links))).groups == (
        GroupVerdict(number=1, viable=False, blockers=(Blocker(address="sdhci.0", driver="sdhci-of"),), direct=None),
        GroupVerdict(number=2, viable=True, blockers=(), direct=None),
        GroupVerdict(number=3, viable=False, blockers=(Blocker(address="0000:09:00.0", driver="ahci"),), direct=None),
    )


def test_groups_vfio_made_up_have_no_verdict(tmp_path: Path) -> None:
    files = pci_function("0000:01:00.0", driver="vfio-pci", cls=VGA) | {f"{GROUPS}/0/name": "vfio-noiommu\n"}
    files["sys/module/vfio_pci/parameters/enable_sriov"] = "N\n"
    found = probe(reader(plant(tmp_path, files, _grouped(a0000_01_00_0=0))))
    assert (found.groups, [one.assignable for one in found.counts]) == ((), [0])
    assert dict(AREA.labels(found, OPTIONS)) == {"pci-8086-10d3.vfio": "1"}


def _host(tmp_path: Path) -> Vfio:
    """A GPU with its audio on vfio-pci, a NIC in a group with a direct region, one in use, one free, a bridge."""
    files = (
        pci_function("0000:00:01.0", cls=BRIDGE, id="8086:1901")
        | pci_function("0000:01:00.0", cls=VGA, id="10DE:1EB8", driver="vfio-pci")
        | pci_function("0000:01:00.1", cls=AUDIO, id="10DE:10F8", driver="vfio-pci")
        | pci_function("0000:02:00.0", cls=NIC, id="8086:1521")
        | pci_function("0000:02:00.1", cls=NIC, id="8086:1521", driver="igb")
        | pci_function("0000:02:00.2", cls=NIC, id="8086:1521")
        | pci_function("0000:02:00.3", cls=NIC, id="8086:1521", driver="mlx5_vfio_pci")
        | pci_function("0000:03:00.0", cls=NIC, id="8086:15B7")
    )
    files |= {f"{GROUPS}/2/reserved_regions": "0x00000000ba000000 0x00000000ba0fffff direct\n"}
    files |= {f"{GROUPS}/{number}/reserved_regions": "0x0 0xffffff direct-relaxable\n" for number in (0, 1, 3, 4, 5)}
    files |= {
        "proc/modules": "vfio_pci 16384 2 - Live 0x0000000000000000\nvfio 69632 1 vfio_pci, Live 0x0000000000000000\n",
        "sys/module/vfio_pci/parameters/disable_idle_d3": "N\n",
        "sys/module/vfio_pci/parameters/disable_denylist": "N\n",
        "sys/module/vfio_pci/parameters/disable_vga": "Y\n",
        "sys/module/vfio_pci/parameters/enable_sriov": "N\n",
        "sys/module/vfio_pci/parameters/nointxmask": "N\n",
        "sys/module/vfio/parameters/enable_unsafe_noiommu_mode": "N\n",
        "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts": "Y\n",
        "sys/class/misc/vfio/dev": "10:196\n",
        "sys/class/vfio/1/dev": "240:0\n",
    }
    links = _grouped(
        a0000_00_01_0=0, a0000_01_00_0=1, a0000_01_00_1=1, a0000_02_00_0=2, a0000_02_00_1=3, a0000_02_00_2=4,
        a0000_02_00_3=5,
    )  # fmt: skip
    links["sys/class/vfio-dev/vfio0"] = "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/vfio-dev/vfio0"
    links["sys/class/vfio-dev/vfio1"] = "../../devices/somewhere/else"
    return probe(reader(plant(tmp_path, files, links)))


def test_a_host_with_devices_to_give(tmp_path: Path) -> None:
    found = _host(tmp_path)
    assert found == replaced(
        EMPTY,
        vfio_pci="loaded",
        vfio="loaded",
        vfio_iommu_type1="built-in",
        parameters=Parameters(
            unsafe_interrupts=True, noiommu=False, disable_denylist=False, disable_idle_d3=False, disable_vga=True,
            enable_sriov=False, nointxmask=False,
        ),
        container_node=True,
        group_nodes=("1",),
        bound=(
            _bound("0000:01:00.0", "vfio-pci", "vfio0"),
            _bound("0000:01:00.1", "vfio-pci", None),
            _bound("0000:02:00.3", "mlx5_vfio_pci", None),
        ),
        groups=(
            GroupVerdict(number=0, viable=True, blockers=(), direct=False),
            GroupVerdict(number=1, viable=True, blockers=(), direct=False),
            GroupVerdict(number=2, viable=True, blockers=(), direct=True),
            GroupVerdict(
                number=3, viable=False, blockers=(Blocker(address="0000:02:00.1", driver="igb"),), direct=False
            ),
            GroupVerdict(number=4, viable=True, blockers=(), direct=False),
            GroupVerdict(number=5, viable=True, blockers=(), direct=False),
        ),
        counts=(
            IdCount(vendor_id="10de", device_id="10f8", class_id="040300", total=1, bound=1, assignable=1),
            IdCount(vendor_id="10de", device_id="1eb8", class_id="030000", total=1, bound=1, assignable=1),
            IdCount(vendor_id="8086", device_id="1521", class_id="020000", total=4, bound=1, assignable=2),
            IdCount(vendor_id="8086", device_id="15b7", class_id="020000", total=1, bound=0, assignable=0),
            IdCount(vendor_id="8086", device_id="1901", class_id="060400", total=1, bound=0, assignable=0),
        ),
    )  # fmt: skip


def _bound(address: str, driver: str, device: str | None) -> BoundFunction:
    return BoundFunction(address=PciAddress(address), driver=driver, device=device, held_by=None)


def test_labels_count_the_chosen_classes(tmp_path: Path) -> None:
    assert dict(AREA.labels(_host(tmp_path), OPTIONS)) == {
        "pci-10de-10f8.vfio": "1",
        "pci-10de-1eb8.vfio": "1",
        "pci-8086-1521.vfio": "1",
        "pci-8086-15b7.vfio": "0",
    }


def test_samples(tmp_path: Path) -> None:
    assert [(sample.metric.name, sample.labels, sample.value) for sample in AREA.samples(_host(tmp_path))] == [
        ("hostagent_vfio_bound_functions", ("mlx5_vfio_pci",), 1),
        ("hostagent_vfio_bound_functions", ("vfio-pci",), 2),
    ]


@pytest.mark.parametrize("name", ["lab-intel-q35", "lab-amd"])
def test_machines_we_booted(name: str) -> None:
    """The blockers of each group are the functions lspci shows with a driver other than pcieport."""
    archive = CAPTURES / f"{name}.tar.gz"
    if not archive.exists():
        pytest.skip(f"no {archive}")
    root = unpacked(str(archive))
    found = probe(reader(root))
    witness: dict[int, list[tuple[str, str]]] = {}
    for record in (root / "EXPECT/lspci-vmmnnk.txt").read_text().split("\n\n"):
        fields = dict(line.split(":\t", 1) for line in record.splitlines())
        if "IOMMUGroup" in fields:
            holders = witness.setdefault(int(fields["IOMMUGroup"]), [])
            if fields.get("Driver", "pcieport") != "pcieport":
                holders.append((fields["Slot"], fields["Driver"]))
    ours = {group.number: [(blocker.address, blocker.driver) for blocker in group.blockers] for group in found.groups}
    assert ours == witness
    assert {group.number for group in found.groups if group.viable} == {n for n, held in witness.items() if not held}
    assert (found.vfio_pci, found.iommufd, found.bound) == ("available", "absent", ())


def test_a_published_listing() -> None:
    archive = CAPTURES / "iommu-listing__fuji-tx1330-c236-pve.tar.gz"
    if not archive.exists():
        pytest.skip(f"no {archive}")
    found = probe(reader(archive))
    assert [group.number for group in found.groups] == list(range(15))
    assert all(count.total > 0 and count.bound == 0 for count in found.counts)
