"""What the operator wants of a node: `profile.yaml`, read once, refused with its line where it does not fit."""

from hostagent.profile.model import (
    Device,
    Hugepages,
    HugePool,
    Iommu,
    Platform,
    Profile,
    Watchdog,
)
from hostagent.profile.reading import ProfileError, json_schema, read_profile

__all__ = [
    "Device",
    "HugePool",
    "Hugepages",
    "Iommu",
    "Platform",
    "Profile",
    "ProfileError",
    "Watchdog",
    "json_schema",
    "read_profile",
]
