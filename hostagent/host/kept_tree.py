"""A tree whose reads are worth more than their speed: each is remembered (a capture in the making) or was held beforehand."""

from __future__ import annotations

from hostagent.host.tree import BoundTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hostagent.host.tree import Place


class KeptTree(BoundTree):
    """A bound tree with no short cuts: the bus walk takes the same operations as everything else."""

    def places(self, directory: str, names: Iterable[str]) -> Iterator[Place | None]:
        return ((-1, f"{directory}/{name}") for name in names)

    def attribute(self, place: Place, name: str, limit: int) -> bytes:  # noqa: ARG002 - held in memory either way
        return self.read(f"{place[1]}/{name}")

    def attribute_link(self, place: Place, name: str) -> str | None:
        try:
            return self.link(f"{place[1]}/{name}")
        except FileNotFoundError:
            return None

    def attribute_exists(self, place: Place, name: str) -> bool:
        try:
            self.status(f"{place[1]}/{name}")
        except FileNotFoundError:
            return False
        return True

    def aside(self, path: str) -> bytes:
        return BoundTree.read(self, path)
