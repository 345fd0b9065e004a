"""Storage: what is mounted, swapped to, opened and wanted by the next boot, and the PCI functions that carry it.

Uses are found by `hostagent.host.uses` and walked down by `hostagent.host.descent`; disks, with what holds them, by
`hostagent.host.disks`. A function named here, passed to a guest, takes a file system, the swap or a disk in use with it.

Sizes are bytes. Device numbers are `major:minor`.
"""

from __future__ import annotations

from hostagent.area import Area, Guard, LabelOptions, Metric, Sample
from hostagent.host import Reader
from hostagent.host.disks import Disk, disks
from hostagent.host.hardware import STORAGE_CLASSES
from hostagent.host.mounts import MOUNTINFO, SWAPS, all_known, swaps_known
from hostagent.host.namespaces import mounts_elsewhere
from hostagent.host.uses import (
    BOOT,
    CONTAINER,
    DEVICE,
    KUBELET,
    NEXT_BOOT,
    OTHER,
    POOL,
    ROOT,
    SWAP,
    SYSTEM,
    StorageUse,
    uses,
)
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

__all__ = [
    "BOOT",
    "CONTAINER",
    "DEVICE",
    "KUBELET",
    "NEXT_BOOT",
    "OTHER",
    "POOL",
    "ROOT",
    "SWAP",
    "SYSTEM",
    "Storage",
    "StorageUse",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@record
class Storage:
    """What is stored where, and what of it is in use."""

    mounts_known: bool
    """Whether all mounts could be read (proc/1/mountinfo); where not, nothing is known to be unused."""
    swaps_known: bool | None
    """Whether all that is swapped to could be read (proc/swaps). Null only in what was a report of schema_version 1."""
    namespaces_known: bool | None
    """Whether all other mount namespaces were looked at. Null where nobody looked, and in what was a report of
    schema_version 1."""
    uses: tuple[StorageUse, ...]
    """Mounts, swap and other uses, by name. Of the mounts of one device that come and go with pods (kinds kubelet,
    container, other) one is listed."""
    disks: tuple[Disk, ...]
    """Whole disks and NVMe namespaces, by name."""


@record
class Lost:
    """Something the host uses that could be on any function of `classes` that is driven. `why`: where the way to it was lost."""

    what: str
    why: str
    place: str
    classes: tuple[str, ...]


def probe(reader: Reader) -> Storage:
    """Every use, walked down to hardware, and every disk with what holds it."""
    found = uses(reader)
    return Storage(
        mounts_known=all_known(reader),
        swaps_known=swaps_known(reader),
        namespaces_known=mounts_elsewhere(reader)[1],
        uses=found,
        disks=disks(reader, _standing(found)),
    )


def _standing(found: tuple[StorageUse, ...]) -> dict[str, tuple[str, ...]]:
    """Kernel name of a block device to what is on it."""
    standing: dict[str, list[str]] = {}
    for use in found:
        for name in use.carriers.chain if use.kind != NEXT_BOOT else ():
            standing.setdefault(name, []).append(use.what)
    return {name: tuple(dict.fromkeys(whats)) for name, whats in standing.items()}


def carried(storage: Storage) -> dict[PciAddress, tuple[str, ...]]:
    """Functions that are known to carry storage in use, each with what it carries."""
    found: dict[PciAddress, list[str]] = {}
    for use in storage.uses:
        for address in use.carriers.functions:
            found.setdefault(address, []).append(use.what)
    for disk in storage.disks:
        for address in disk.functions if disk.in_use else ():
            found.setdefault(address, []).append(disk.name)
    return {address: tuple(dict.fromkeys(found[address])) for address in sorted(found, key=lambda one: one.order)}


def lost(storage: Storage) -> Iterator[Lost]:
    """What is in use and not known to be where."""
    for use in storage.uses:
        if use.carriers.unresolved:
            classes = STORAGE_CLASSES if use.carriers.suspects is None else use.carriers.suspects
            yield Lost(what=use.what, why="; ".join(use.carriers.unresolved), place=place(use), classes=classes)
    if not storage.mounts_known:
        yield Lost(what="/", why="not all mounts are known", place=MOUNTINFO[0], classes=STORAGE_CLASSES)
    if storage.swaps_known is False:
        yield Lost(what=SWAP, why="what is swapped to is not known", place=SWAPS, classes=STORAGE_CLASSES)


def place(use: StorageUse) -> str:
    """The file that says so."""
    return use.place or (SWAPS if use.kind == SWAP else MOUNTINFO[0])


def protected(storage: Storage) -> dict[PciAddress, tuple[str, ...]]:
    """Functions that carry storage in use, each with what it carries.

    Where a use is unresolved, or no mount is known, every function of a disk may carry it, and says so.
    """
    found = {address: list(whats) for address, whats in carried(storage).items()}
    perhaps = [f"perhaps {one.what}" for one in lost(storage)]
    for disk in storage.disks if perhaps else ():
        for address in disk.functions:
            found.setdefault(address, []).extend(perhaps)
    return {address: tuple(dict.fromkeys(found[address])) for address in sorted(found, key=lambda one: one.order)}


def unseen(storage: Storage) -> Iterator[str]:
    """What was not looked at."""
    if storage.namespaces_known is None:
        yield "what is mounted in other mount namespaces; `hostagent probe -o json` on the machine looks"
    elif not storage.namespaces_known:
        yield "what is mounted in more than 256 mount namespaces"
    if any(disk.held_open is None for disk in storage.disks):
        yield "which processes have disks open; `hostagent probe -o json` as root on the machine looks"


def labels(_storage: Storage, _options: LabelOptions) -> Iterator[tuple[str, str]]:
    """No labels: what a node stores where is its own business."""
    return iter(())


_PROTECTED = Metric(
    name="hostagent_storage_protected_functions",
    help="PCI functions that carry a file system, swap or a disk in use.",
    labels=(),
)
_UNRESOLVED = Metric(
    name="hostagent_storage_unresolved_uses",
    help="Uses of storage whose PCI functions are not all known.",
    labels=(),
)
_DISKS = Metric(name="hostagent_storage_disks", help="Disks.", labels=())
_IN_USE = Metric(name="hostagent_storage_disks_in_use", help="Disks that something stands on.", labels=())


def samples(storage: Storage) -> Iterator[Sample]:
    """Counts; names of mount points stay in the report."""
    yield Sample(metric=_PROTECTED, labels=(), value=len(protected(storage)))
    yield Sample(metric=_UNRESOLVED, labels=(), value=sum(bool(use.carriers.unresolved) for use in storage.uses))
    yield Sample(metric=_DISKS, labels=(), value=len(storage.disks))
    yield Sample(metric=_IN_USE, labels=(), value=sum(disk.in_use for disk in storage.disks))


AREA = Area(
    name="storage",
    about="Mounts, swap and disks, and the PCI functions that carry them",
    probe=probe,
    labels=labels,
    label_docs=(),
    samples=samples,
    metrics=(_PROTECTED, _UNRESOLVED, _DISKS, _IN_USE),
    guard=Guard(
        unknown="what is stored on it",
        classes=STORAGE_CLASSES,
        driven=True,
        sources=("sys/", "proc/", "etc/", "usr/", "lib/", "dev/"),
    ),
    unseen=unseen,
)
