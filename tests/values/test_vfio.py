"""IDs of vfio-pci, and the drivers that let go of a device."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.vfio import is_vfio_driver, lets_go, parse_id, parse_ids, takes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10DE:1eb8", "10de:1eb8"),
        ("0x8086:0x1521", "8086:1521"),
        (" 1:2 ", "0001:0002"),
        ("8086:1521:15d9:1521", "8086:1521:15d9:1521"),
        ("10de:ffffffff:ffffffff:ffffffff:040300:ffff00", "10de:ffffffff:ffffffff:ffffffff:040300:ffff00"),
        ("10de:1eb8:0:0:30000:ff0000", "10de:1eb8:0000:0000:030000:ff0000"),
        ("10de", None),
        ("10de:", None),
        (":1eb8", None),
        ("10de:1eb8:", None),
        ("10de:12345", None),
        ("10de:1eb8,10de:1eb9", None),
        ("nvidia:t4", None),
        ("1:2:3:4:5:6:7", None),
        ("", None),
    ],
)
def test_parse_id(text: str, expected: str | None) -> None:
    assert parse_id(text) == expected


@given(st.text(alphabet="0123456789abcdefxX:, F"))
def test_an_id_is_its_own_canonical_spelling(text: str) -> None:
    found = parse_id(text)
    assert found is None or parse_id(found) == found


@given(st.text())
def test_every_item_is_an_id_or_wrong(text: str) -> None:
    ids, wrong = parse_ids(text)
    assert len(ids) + len(wrong) == sum(1 for item in text.split(",") if item.strip())
    assert all(parse_id(item) is None for item in wrong)


def test_parse_ids() -> None:
    assert parse_ids("10de:1eb8,,x:y, 8086:1521,") == (("10de:1eb8", "8086:1521"), ("x:y",))


_NIC = {
    "vendor_id": "8086",
    "device_id": "1521",
    "subsystem_vendor_id": "15d9",
    "subsystem_device_id": "1521",
    "class_id": "020000",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8086:1521", True),
        ("8086:1522", False),
        ("8087:1521", False),
        ("ffffffff:ffffffff", True),
        ("8086:1521:15d9", True),
        ("8086:1521:8086", False),
        ("8086:1521:ffffffff:1521", True),
        ("8086:1521:15d9:0001", False),
        ("8086:1521:15d9:1521:030000", True),  # no mask: the class is not compared
        ("8086:1521:15d9:1521:030000:ff0000", False),
        ("8086:1521:15d9:1521:020600:ff0000", True),
        ("8086:1521:15d9:1521:020600:ffff00", False),
    ],
)
def test_takes(text: str, *, expected: bool) -> None:
    assert takes(text, **_NIC) is expected


def test_a_function_without_subsystem_matches_zero_and_any() -> None:
    bare: dict[str, str | None] = {**_NIC, "subsystem_vendor_id": None, "subsystem_device_id": None}
    assert [takes(f"8086:1521:{sub}", **bare) for sub in ("0000", "ffffffff", "15d9")] == [True, True, False]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("driver", "vfio", "free"),
    [
        ("vfio-pci", True, True),
        ("mlx5_vfio_pci", True, True),
        ("xe-vfio-pci", True, True),
        ("vfio-platform", True, True),
        ("vfio_ap", True, True),
        ("pcieport", False, True),
        ("pci-stub", False, True),
        ("pci-pf-stub", False, False),
        ("nvidia", False, False),
        ("nvidia-vgpu-vfio", False, False),
        ("shpchp", False, False),
        ("", False, False),
    ],
)
def test_drivers(driver: str, *, vfio: bool, free: bool) -> None:
    assert (is_vfio_driver(driver), lets_go(driver)) == (vfio, free)
