"""What could not be read or understood, as data."""

from __future__ import annotations

from hostagent.values.record import record

# Kinds of Problem. Words for machines; `detail` is for people.
UNREADABLE = "unreadable"  # the kernel answered with an errno: detail names it
MALFORMED = "malformed"  # it was read, and is not what its documentation says
NOT_REGULAR = "not-regular"  # a device node, FIFO or socket stands where a file is expected: it was not opened
TOO_LARGE = "too-large"  # more than any real file of its kind holds
FAILED = "failed"  # a probe raised: our bug, and the area has no data
KINDS = (UNREADABLE, MALFORMED, NOT_REGULAR, TOO_LARGE, FAILED)
# In a capture: what could not be read when it was made.
MANIFEST = "hostagent-capture.json"


@record
class Problem:
    """One file that did not say what it should."""

    path: str
    """The file relative to the root; the name of an area whose probe failed."""
    kind: str
    """unreadable, malformed, not-regular, too-large, or failed for a probe that did."""
    detail: str
    """The errno, or what was expected and seen; for people."""
