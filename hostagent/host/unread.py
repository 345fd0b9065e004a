"""Whether something is there and could not be read: what it would have said is lost, where an absent file says nothing."""

from __future__ import annotations

from hostagent.host.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader


def unread(reader: Reader, operation: str, path: str) -> bool:
    """Whether an operation that was asked for before met trouble; `operation` as `Host.ask` names it."""
    return type(reader.host.memory.get((operation, path))) is Problem
