"""IOMMU groups from links, listings and attributes."""

from __future__ import annotations

from pathlib import Path

from hostagent.host import Host, Problem
from hostagent.host.groups import FIRST_GROUPS, IommuGroup, ReservedRegion, groups
from hostagent.host.pci import DETAIL_LIMIT
from hostagent.values.pci import PciAddress
from tests.plant import pci_function, plant, reader, unreadable

GROUPS = "sys/kernel/iommu_groups"
MSI = "0x00000000fee00000 0x00000000feefffff msi\n"
DEVICES = "sys/bus/pci/devices"
_MSI = ReservedRegion(start="0x00000000fee00000", end="0x00000000feefffff", type="msi")


def _link(address: str, number: int) -> dict[str, str]:
    return {
        f"{DEVICES}/{address}/iommu_group": f"../../../../kernel/iommu_groups/{number}",
        f"{GROUPS}/{number}/devices/{address}": f"../../../../bus/pci/devices/{address}",
    }


def test_members_in_order_and_attributes(tmp_path: Path) -> None:
    files = pci_function("0000:01:00.1") | pci_function("0000:01:00.0") | pci_function("10000:00:04.0")
    files |= {f"{GROUPS}/10/type": "DMA-FQ\n", f"{GROUPS}/10/reserved_regions": MSI}
    files |= {f"{GROUPS}/9/reserved_regions": f"0x0000000000000000 0x0000000000ffffff direct-relaxable\n{MSI}"}
    links = _link("0000:01:00.1", 10) | _link("0000:01:00.0", 10) | _link("10000:00:04.0", 9)
    assert groups(reader(plant(tmp_path, files, links))) == (
        IommuGroup(
            number=9,
            type=None,
            members=(PciAddress("10000:00:04.0"),),
            others=(),
            name=None,
            reserved_regions=(
                ReservedRegion(start="0x0000000000000000", end="0x0000000000ffffff", type="direct-relaxable"),
                _MSI,
            ),
            direct=False,
        ),
        IommuGroup(
            number=10,
            type="DMA-FQ",
            members=(PciAddress("0000:01:00.0"), PciAddress("0000:01:00.1")),
            others=(),
            name=None,
            reserved_regions=(_MSI,),
            direct=False,
        ),
    )


def test_dangling_links_still_name_their_group(tmp_path: Path) -> None:
    links = {f"{DEVICES}/0000:00:02.0/iommu_group": "../../../kernel/iommu_groups/0"}
    (group,) = groups(reader(plant(tmp_path, pci_function("0000:00:02.0"), links)))
    assert (group.number, group.members, group.type, group.reserved_regions, group.direct) == (
        0, ("0000:00:02.0",), None, None, None,
    )  # fmt: skip


def test_platform_devices_and_names(tmp_path: Path) -> None:
    files = {f"{GROUPS}/3/devices/arm-smmu.0.auto/uevent": "", f"{GROUPS}/3/name": "vfio-noiommu\n"}
    (group,) = groups(reader(plant(tmp_path, files)))
    assert (group.members, group.others, group.name) == ((), ("arm-smmu.0.auto",), "vfio-noiommu")


def test_direct_regions(tmp_path: Path) -> None:
    files = {f"{GROUPS}/3/reserved_regions": f"0x00000000ba000000 0x00000000ba0fffff direct\n{MSI}"}
    (group,) = groups(reader(plant(tmp_path, files)))
    assert group.direct is True


def test_an_odd_line_costs_itself_only(tmp_path: Path) -> None:
    files = {f"{GROUPS}/3/reserved_regions": f"rubbish\n0x1 zz msi\n{MSI}"}
    look = reader(plant(tmp_path, files))
    (group,) = groups(look)
    assert group.reserved_regions == (_MSI,)
    assert look.problems == [
        Problem(
            path=f"{GROUPS}/3/reserved_regions", kind="malformed",
            detail=f"expected lines of start, end and type, saw {line!r}",
        )
        for line in ("rubbish", "0x1 zz msi")
    ]  # fmt: skip


def test_a_group_that_is_no_number(tmp_path: Path) -> None:
    look = reader(plant(tmp_path, {f"{GROUPS}/x/type": "DMA\n", f"{GROUPS}/-1/type": "DMA\n"}))
    assert groups(look) == ()
    assert [problem.path for problem in look.problems] == [f"{GROUPS}/-1", f"{GROUPS}/x"]


def test_unreadable_regions(tmp_path: Path) -> None:
    root = plant(tmp_path, {f"{GROUPS}/3/type": "DMA\n"})
    unreadable(root, f"{GROUPS}/3/reserved_regions")
    look = reader(root)
    (group,) = groups(look)
    assert (group.type, group.reserved_regions, group.direct) == ("DMA", None, None)
    assert [problem.kind for problem in look.problems] == ["unreadable"]


def test_on_large_machines_the_first_groups_are_read_in_full(tmp_path: Path) -> None:
    """DETAIL_LIMIT + 1 functions, a group each, and one group of a platform device that no function links to."""
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    for number in range(DETAIL_LIMIT + 1):
        address = f"0000:{number >> 8:02x}:{number >> 3 & 31:02x}.{number & 7}"
        files[f"{DEVICES}/{address}/uevent"] = "PCI_CLASS=20000\nPCI_ID=8086:10CA\nPCI_SUBSYS_ID=8086:0000\n"
        files[f"{GROUPS}/{number}/type"] = "identity\n"
        links[f"{DEVICES}/{address}/iommu_group"] = f"../../../../kernel/iommu_groups/{number}"
    for number in (FIRST_GROUPS - 1, FIRST_GROUPS):
        files[f"{GROUPS}/{number}/reserved_regions"] = MSI
    files[f"{GROUPS}/5000/devices/platform.0/uevent"] = ""
    files[f"{GROUPS}/5000/type"] = "DMA\n"
    root = plant(tmp_path, files, links)
    found = groups(Host(str(root)).reader())
    read = [group.number for group in found if group.type is not None]
    assert read == list(range(FIRST_GROUPS))
    assert [group.number for group in found if group.direct is not None] == [FIRST_GROUPS - 1]
    assert all(len(group.members) == 1 for group in found[:-1])
    assert (found[-1].others, found[-1].type) == (("platform.0",), None)
    assert all(group.type is not None for group in groups(Host(str(root), thorough=True).reader()))
