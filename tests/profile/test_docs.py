"""docs/profile.md: its example is a profile, and it names every key there is."""

from __future__ import annotations

from pathlib import Path

from hostagent.profile import Device, Hugepages, HugePool, Iommu, Platform, Watchdog, read_profile
from hostagent.profile.model import Part

PAGE = (Path(__file__).parents[2] / "docs/profile.md").read_text()


def keys(part: type[Part]) -> list[str]:
    return [field.alias or name for name, field in part.model_fields.items()]


def test_the_example_is_a_profile() -> None:
    example = PAGE.split("```yaml\n")[1].split("```")[0]
    assert [device.count for device in read_profile(example, "docs/profile.md").devices] == [None, 1, None]


def test_every_key_is_explained() -> None:
    missing = [key for part in (Platform, Iommu, Device, Watchdog) for key in keys(part) if f"| `{key}` |" not in PAGE]
    missing += [key for key in keys(HugePool) if f"`pools[].{key}`" not in PAGE]
    missing += [key for key in keys(Hugepages) if f"`{key}" not in PAGE]
    assert missing == []
