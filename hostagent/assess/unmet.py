"""What the running kernel was asked for and did not do: huge pages of its command line, and IDs for vfio-pci."""

from __future__ import annotations

from hostagent.areas.hugepages import Hugepages
from hostagent.areas.vfio import IdRequest
from hostagent.assess.node import Node, data
from hostagent.values.hugepages import HugepageRequest
from hostagent.values.record import record
from hostagent.values.words import counted, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@record
class UnmetPages:
    """Pages that are not there. `there`: how many of that size and node are; None where there are none of it, or nobody knows.

    `text`: the request and what became of it, a sentence without its full stop.
    """

    request: HugepageRequest
    there: int | None
    text: str


@record
class UnmetIds:
    """IDs that a line gives to vfio-pci, and that it is not told of. `told`: the request whose IDs replace them; None where
    vfio-pci is built in and does not read the file. `text` as for pages.
    """

    request: IdRequest
    ids: tuple[str, ...]
    told: IdRequest | None
    text: str


def unmet_pages(node: Node) -> tuple[UnmetPages, ...]:
    """Of the command line, in its order."""
    found = data(node.report.hugepages)
    return () if found is None else tuple(_pages(found))


def _pages(found: Hugepages) -> Iterator[UnmetPages]:
    have = {(pool.page_size, pool.numa_node): pool.total for pool in found.pools}
    for request in found.requested or ():
        key = None if request.page_size is None else (request.page_size, request.numa_node)
        there = None if key is None else have.get(key)
        if not request.effective:
            said = f"the kernel did not follow: {(request.why or '').replace('-', ' ')}"
        elif key is None or (key in have and (there is None or there >= request.pages)):
            # Where the size is the default and nobody knows which, or the count could not be read, nothing is known against it.
            continue
        else:
            said = f"there are {there or 0}"
        yield UnmetPages(request=request, there=there, text=f"the command line asks for {pages(request)}; {said}")


def pages(request: HugepageRequest) -> str:
    """`4 pages of 1 GiB on NUMA node 0`."""
    of = "" if request.page_size is None else f" of {size(request.page_size)}"
    place = "" if request.numa_node is None else f" on NUMA node {request.numa_node}"
    return f"{counted(request.pages, 'page')}{of}{place}"


def unmet_ids(node: Node) -> tuple[UnmetIds, ...]:
    """Of the command line and modprobe.d, in the order they were read."""
    found = data(node.report.vfio)
    return () if found is None else tuple(_ids(found.id_requests))


def _ids(requests: tuple[IdRequest, ...]) -> Iterator[UnmetIds]:
    told = next((one for one in requests if one.effective), None)
    heard = {identity for one in requests if one.effective for identity in one.ids}
    for request in requests:
        lost = tuple(identity for identity in request.ids if identity not in heard)
        if request.effective or not lost:
            continue
        if told is None:
            text = f"vfio-pci is built in and does not read {request.source}: it is not told of {', '.join(lost)}"
        else:
            text = (
                f"vfio-pci is not told of {', '.join(lost)}: the ids in {told.source} replace those in {request.source}"
            )
        yield UnmetIds(request=request, ids=lost, told=told, text=text)
