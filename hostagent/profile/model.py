"""The profile's shape. Keys are camelCase in the file, as in the Kubernetes objects they end up in.

Sizes are bytes, time spans seconds, IDs lower-case hex. Every model is frozen and refuses unknown keys.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hostagent.platforms import PLATFORMS
from hostagent.profile.words import (
    ModuleName,
    PageSize,
    PciClass,
    PciIdPair,
    ResourceName,
    RoleName,
    Seconds,
    Truth,
    WatchdogNode,
    Whole,
)
from hostagent.values.kubevirt import clash, socket_fault
from hostagent.values.pci import PciAddress
from hostagent.values.size import kernel_size

_WITH_ROLES = ", ".join(row.name for row in PLATFORMS.values() if row.role is not None)


class Part(BaseModel):
    """What all parts of a profile share."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)


def _fault(message: str, *at: str | int) -> PydanticCustomError:
    """A fault of a whole part, `at` saying which place in it the reader should look at."""
    return PydanticCustomError("fault", "{message}", {"message": message, "at": at})


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Addresses = Annotated[
    tuple[PciAddress, ...],
    Field(min_length=1),
    BeforeValidator(_one_or_more, json_schema_input_type=PciAddress | tuple[PciAddress, ...]),
]


class Platform(Part):
    """What the configuration is for."""

    name: Literal["openshift", "fcos", "rhel", "debian", "ubuntu", "suse"] = Field(
        description="openshift, fcos (Fedora CoreOS), rhel (and its relatives), debian, ubuntu or suse"
    )
    version: str | None = Field(
        default=None,
        description="openshift: 4.8 to 4.22; fcos: that of Butane's fcos variant, 1.4.0 to 1.7.0; others: a release, null: any",
    )
    role: RoleName | None = Field(default=None, description="openshift: the machine config pool; null: worker")

    @model_validator(mode="after")
    def _known(self) -> Platform:
        row = PLATFORMS[self.name]
        wanted = f"expected one of {', '.join(one.name for one in row.versions)}"
        if self.version is None and row.needs_version:
            raise _fault(f"{self.name} needs a version: {wanted}", "name")
        if self.version is not None and row.version(self.release) is None:
            raise _fault(f"unknown {self.name} version {self.version!r}: {wanted}", "version")
        if self.role is not None and row.role is None:
            raise _fault(f"role belongs to {_WITH_ROLES}, not to {self.name}", "role")
        return self

    @property
    def release(self) -> str | None:
        """The version as platforms.py spells it; None where none is given."""
        return None if self.version is None else PLATFORMS[self.name].release(self.version)


class Iommu(Part):
    """How the IOMMU is to be used by the host."""

    mode: Literal["on", "pt"] = Field(
        default="on", description="on: translated for the host too; pt: host devices pass through (iommu=pt)"
    )
    strict: Truth | None = Field(
        default=None, description="invalidate at once (true) or lazily (false): iommu.strict=; null: as the kernel does"
    )
    documented_arguments: Truth = Field(
        default=False, description="also give amd_iommu=on, which manuals name and the kernel does not know"
    )


class Device(Part):
    """Functions to hand to guests: those that fit everything said here."""

    id: PciIdPair | None = Field(default=None, description="vendor:device; null: any")
    subsystem: PciIdPair | None = Field(
        default=None, description="subsystem vendor:device, which tells equal IDs apart; null: any"
    )
    address: Addresses | None = Field(
        default=None, description="one address or a list of them, as in 0000:3b:00.0; null: any"
    )
    class_: PciClass | None = Field(
        default=None, alias="class", description="first 2, 4 or 6 digits of the class; null: any"
    )
    resource_name: ResourceName | None = Field(
        default=None,
        description="what Kubernetes calls it, as in nvidia.com/TU104GL_Tesla_T4; null: KubeVirt is not told of it",
    )
    external_resource_provider: Truth = Field(
        default=False, description="another device plugin than KubeVirt's counts and hands out the resource"
    )
    count: Annotated[Whole, Field(ge=1)] | None = Field(
        default=None, description="how many of them on each node, in order of address; null: all"
    )
    nodes: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="only on nodes of these names; null: on all"
    )
    companions: Truth = Field(
        default=True, description="take the other functions of the same IOMMU group along, so that the group is viable"
    )

    @model_validator(mode="after")
    def _selects(self) -> Device:
        if self.id is None and self.address is None and self.class_ is None:
            raise _fault("expected at least one of id, address, class")
        if self.subsystem is not None and self.id is None:
            raise _fault("subsystem needs id: expected id: vendor:device beside it", "subsystem")
        if self.external_resource_provider and self.resource_name is None:
            raise _fault("externalResourceProvider needs resourceName", "externalResourceProvider")
        if self.resource_name is not None and not self.external_resource_provider:
            fault = socket_fault(self.resource_name)
            if fault is not None:
                raise _fault(f"{self.resource_name!r}: {fault}", "resourceName")
        return self

    @property
    def selector(self) -> str:
        """The entry in words, for messages."""
        said = [self.id] if self.id else []
        said += [f"subsystem {self.subsystem}"] if self.subsystem else []
        said += [f"class {self.class_}"] if self.class_ else []
        return " ".join([*said, *(self.address or ())])


class HugePool(Part):
    """Pages of one size, on the whole node or on one of its NUMA nodes."""

    size: PageSize = Field(description="size of a page: 2M, 1G")
    count: Whole = Field(description="how many pages")
    node: Annotated[Whole, Field(lt=1024)] | None = Field(
        default=None, description="NUMA node; null: the kernel spreads them"
    )


class Hugepages(Part):
    """Huge page pools."""

    default_size: PageSize | None = Field(
        default=None, description="the size used where none is named (default_hugepagesz=); null: the kernel's own"
    )
    pools: tuple[HugePool, ...] = Field(
        default=(), description="one entry for each size, or for each size and NUMA node"
    )

    @model_validator(mode="after")
    def _once(self) -> Hugepages:
        seen: dict[int, set[int | None]] = {}
        for number, pool in enumerate(self.pools):
            nodes = seen.setdefault(pool.size, set())
            if pool.node in nodes:
                raise _fault(f"two pools of {_named(pool)}: expected each size (and NUMA node) once", "pools", number)
            if nodes and (pool.node is None or None in nodes):
                both = f"{kernel_size(pool.size)} both for the whole node and for one NUMA node"
                raise _fault(f"{both}: expected one or the other", "pools", number)
            nodes.add(pool.node)
        return self


def _named(pool: HugePool) -> str:
    return kernel_size(pool.size) + ("" if pool.node is None else f" on NUMA node {pool.node}")


class Watchdog(Part):
    """The hardware watchdog that resets a hung host."""

    device: WatchdogNode | None = Field(default=None, description="its device node; null: the first real one")
    runtime_timeout: Annotated[Seconds, Field(ge=1)] = Field(
        default=30, description="reset after this long without a sign of life"
    )
    reboot_timeout: Annotated[Seconds, Field(ge=1)] = Field(
        default=600, description="reset when a reboot takes longer than this"
    )
    module: ModuleName | None = Field(
        default=None,
        description="the driver to load, as in i6300esb, iTCO_wdt or softdog; null: that of the watchdog found",
    )
    keeper: Literal["systemd", "watchdog"] = Field(
        default="systemd", description="who keeps it alive: systemd itself, or the daemon of the package watchdog"
    )


class Profile(Part):
    """Everything asked of a node, or of every node of a role."""

    platform: Platform = Field(description="what the configuration is for")
    devices: tuple[Device, ...] = Field(default=(), description="what to hand to guests")
    iommu: Iommu | None = Field(
        default=None, description="how the IOMMU is to be used; null: mode on where there are devices"
    )
    hugepages: Hugepages | None = Field(default=None, description="huge page pools; null: untouched")
    watchdog: Watchdog | None = Field(
        default=None, description="the hardware watchdog that resets a hung host; null: untouched"
    )
    nested_virtualization: Truth | None = Field(default=None, description="guests may run guests; null: untouched")

    @model_validator(mode="after")
    def _distinct(self) -> Profile:
        for number, device in enumerate(self.devices):
            for earlier, other in enumerate(self.devices[:number]):
                if device == other:
                    raise _fault(f"devices[{number}] says the same as devices[{earlier}]", "devices", number)
                fault = _clash(device, other)
                if fault is not None:
                    raise _fault(fault.format(f"devices[{earlier}]"), "devices", number, "resourceName")
        return self


def _clash(device: Device, other: Device) -> str | None:
    """Why a guest, the kubelet or KubeVirt would take two resources for one, or one for two; `{}` is the other entry."""
    name, known = device.resource_name, other.resource_name
    if name is None or known is None:
        return None
    if name == known:
        same = device.external_resource_provider == other.external_resource_provider
        return None if same else f"{name} has another provider in {{}}: expected one externalResourceProvider for it"
    if device.id is not None and device.id == other.id:
        why: str | None = f"expected one name: KubeVirt knows only that it is {device.id}"
    else:
        why = clash(name, known)
    return why and f"{known!r} in {{}} and {name!r} here: {why}"
