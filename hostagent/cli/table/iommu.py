"""The IOMMU and VFIO in a few lines: on or off, why, and what vfio-pci was asked to take."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from hostagent.areas.iommu import Iommu
from hostagent.areas.vfio import IdRequest, Vfio
from hostagent.assess import Assessment
from hostagent.cli.table.words import BAD, CARE, GOOD, QUIET, joined, text
from hostagent.values.words import counted


def iommu_line(iommu: Iommu, off: str | None) -> Text:
    """On or off, whose, and how. `off`: why it is off."""
    remapping = iommu.interrupt_remapping
    return joined(
        (
            Text("on" if off is None else f"off: {off}", style=GOOD if iommu.enabled else CARE),
            iommu.vendor,
            _remapping(remapping) if iommu.enabled and remapping is not None else None,
            counted(len(iommu.groups), "group") if iommu.groups else None,
            f"{iommu.default_domain} domains" if iommu.default_domain else None,
            text(" ".join(iommu.arguments), QUIET) if iommu.arguments else None,
        )
    )


def _remapping(on: bool) -> Text:  # noqa: FBT001 - a fact
    return Text(f"interrupt remapping {'on' if on else 'off'}", style=GOOD if on else BAD)


def vfio_lines(vfio: Vfio, judged: Assessment) -> Iterator[Text]:
    """The module and its switches; then each place that gives ids."""
    parameters = vfio.parameters
    dangers = (
        ("unsafe interrupts allowed", parameters.unsafe_interrupts),
        ("no-IOMMU mode", parameters.noiommu),
        ("denylist off", parameters.disable_denylist),
    )
    yield joined(
        (
            f"vfio-pci {vfio.vfio_pci}" if vfio.vfio_pci else Text("no vfio-pci to be seen", style=QUIET),
            f"iommufd {vfio.iommufd}" if vfio.iommufd and vfio.iommufd != "absent" else None,
            Text(f"{counted(len(vfio.bound), 'function')} bound", style=GOOD) if vfio.bound else None,
            *(Text(name, style=BAD) for name, on in dangers if on),
        )
    )
    for request in vfio.id_requests:
        yield _request(request, heard=not judged.unheard(request))


def _request(request: IdRequest, *, heard: bool) -> Text:
    place = request.source if request.line is None else f"{request.source}:{request.line}"
    what = text(f"ids={','.join(request.ids)}", "" if heard else QUIET)
    return Text.assemble(what, " ", text(place, QUIET), "" if heard else (" not heard", CARE))
